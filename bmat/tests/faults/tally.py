"""What each round came to, added up by scenario and printed at the end."""

from collections.abc import Iterator
from dataclasses import dataclass, field


@dataclass
class Outcome:
    """One round: what was found wrong in it, and how soon the service was itself again."""

    scenario: str
    accepted: int = 0
    lost: list[str] = field(default_factory=list)
    doubled: list[str] = field(default_factory=list)
    left_over: list[str] = field(default_factory=list)
    recovery_seconds: float | None = None

    @property
    def all_well(self) -> bool:
        return not (self.lost or self.doubled or self.left_over)


@dataclass
class Tally:
    """All rounds of a run, in the order in which they ended."""

    outcomes: list[Outcome] = field(default_factory=list)
    facts: list[str] = field(default_factory=list)

    def table(self) -> Iterator[str]:
        """A line for each scenario, under a line of headings."""
        line = "{:<52} {:>6} {:>8} {:>4} {:>7} {:>9}  {}".format
        yield line("scenario", "rounds", "accepted", "lost", "doubled", "left-over", "recovery")
        for scenario in dict.fromkeys(outcome.scenario for outcome in self.outcomes):
            rounds = [outcome for outcome in self.outcomes if outcome.scenario == scenario]
            yield line(
                scenario,
                len(rounds),
                sum(outcome.accepted for outcome in rounds),
                sum(len(outcome.lost) for outcome in rounds),
                sum(len(outcome.doubled) for outcome in rounds),
                sum(len(outcome.left_over) for outcome in rounds),
                seconds_of(rounds),
            )


def seconds_of(rounds: list[Outcome]) -> str:
    """The recoveries of the rounds; a round that did not get so far has none."""
    recoveries = [outcome.recovery_seconds for outcome in rounds]
    return " ".join("-" if took is None else f"{took:.1f}" for took in recoveries) + " s"
