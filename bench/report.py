"""What `make bench` prints of its measurements: a table for each shape, and the targets."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

# How many times as fast as the fastest peer.
LEAST_TIMES_AS_FAST = {"low": 3.0, "mid": 3.0, "high": 3.0, "world-low": 3.0, "world-mid": 3.0}
LEAST_TIMES_AS_FAST["world-high"] = 2.5
# How many times the processor time of another shape, for each byte of input.
MOST_PER_BYTE = {
    **dict.fromkeys(("world-low", "quoted", "wide", "datetime"), ("low", 1.4)),
    "artist-low": ("low", 1.3),
    "artist-high": ("high", 1.3),
}
MOST_BUSY_PROCESSORS = 1.1
NOT_PEERS = ("bmat", "newlines")


@dataclass
class Result:
    """What an engine took on one shape, round by round."""

    seconds: list[float] = field(default_factory=list)
    processor_seconds: list[float] = field(default_factory=list)
    peak_bytes: int = 0

    @property
    def best(self) -> float:
        return min(self.seconds)

    @property
    def least_processor_seconds(self) -> float:
        return min(self.processor_seconds)


@dataclass(frozen=True)
class Measurement:
    """What all engines took on one shape."""

    name: str
    rows: int
    size: int
    results: Mapping[str, Result]

    @property
    def bmat(self) -> Result:
        return self.results["bmat"]

    @property
    def times_as_fast(self) -> float | None:
        """How many times as fast as the fastest peer bmat is; None without peers."""
        peers = [result.best for name, result in self.results.items() if name not in NOT_PEERS]
        return min(peers) / self.bmat.best if peers else None

    @property
    def processor_seconds_per_byte(self) -> float:
        return self.bmat.least_processor_seconds / self.size

    def print_table(self) -> None:
        print(f"\n{self.name}: {self.rows:,} rows, {self.size / 1e6:,.0f} MB")
        print(
            f"{'engine':<12}{'seconds':>9}{'processor s':>13}{'MB/s':>8}{'peak MB':>9}"
            f"{'x bmat':>8}   all rounds"
        )
        for name, result in sorted(self.results.items(), key=lambda item: item[1].best):
            rounds = " ".join(f"{seconds:.2f}" for seconds in result.seconds)
            print(
                f"{name:<12}{result.best:>9.2f}{result.least_processor_seconds:>13.2f}"
                f"{self.size / 1e6 / result.best:>8.0f}{result.peak_bytes / 1e6:>9.0f}"
                f"{result.best / self.bmat.best:>8.2f}   {rounds}"
            )
        if self.times_as_fast is not None:
            print(f"bmat is {self.times_as_fast:.2f} times as fast as the fastest peer.")
        limit_seconds = self.results["newlines"].best
        print(f"bmat takes {self.bmat.best / limit_seconds:.1f} times a count of newlines.")


def judged(is_met: bool, text: str) -> str:
    """A line that says whether a target is met."""
    return f"{'met   ' if is_met else 'MISSED'}  {text}"


def targets(measured: Mapping[str, Measurement], busy_processors: float) -> Iterator[str]:
    """Each figure that has a target, beside it, as far as its shapes were measured."""
    for name, least in LEAST_TIMES_AS_FAST.items():
        times = measured[name].times_as_fast if name in measured else None
        if times is not None:
            yield judged(
                times >= least,
                f"{name}: {times:.2f} times as fast as the fastest peer"
                f" (target: at least {least:g})",
            )
    for name, (base, most) in MOST_PER_BYTE.items():
        if name in measured and base in measured:
            ratio = (
                measured[name].processor_seconds_per_byte
                / measured[base].processor_seconds_per_byte
            )
            yield judged(
                ratio <= most,
                f"{name}: {ratio:.2f} times the processor time of {base} per byte"
                f" (target: at most {most:g})",
            )
    yield judged(
        busy_processors <= MOST_BUSY_PROCESSORS,
        f"--threads 1: keeps {busy_processors:.2f} processors busy"
        f" (target: at most {MOST_BUSY_PROCESSORS:g})",
    )
