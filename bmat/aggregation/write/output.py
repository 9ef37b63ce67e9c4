"""The files that a run leaves: each under a temporary name until it is whole."""

from contextlib import closing
from dataclasses import dataclass

from bmat.aggregation.exchange.parts import Part, Sums, added
from bmat.aggregation.exchange.scratch import write_at
from bmat.aggregation.job import Job
from bmat.aggregation.kernels.arrays import PaddedBytes
from bmat.aggregation.write.direct import PageWriter

HEADER = b"Song,Date,Total Number of Plays for Date\n"


@dataclass(frozen=True)
class Written:
    """The parts that are in the output: up to byte `end` in the file, `tail` belongs behind it;
    `lead_seconds`: see PageWriter. All of them together come to `sums`.
    """

    end: int
    tail: bytes
    lead_seconds: float
    sums: Sums


def write_part(job: Job, number: int, before: Written | None, part: Part) -> Written:
    """Write a part behind the one before it, and give its text's memory back."""
    if before is None:
        writer = PageWriter(job.output, job.workspace.pages, 0, HEADER, lead_seconds=0.0)
    else:
        writer = PageWriter(
            job.output, job.workspace.pages, before.end, before.tail, before.lead_seconds
        )
    with closing(writer), job.progress_of_part(number) as progress:
        for stretch in part.text.stretches():
            progress.check()
            writer.append(stretch)
    job.workspace.texts.give_back(PaddedBytes(part.text.buffer))
    with job.progress_of_part(number) as progress:
        progress.report(1, 0)
    return Written(
        end=writer.offset,
        tail=writer.tail,
        lead_seconds=writer.lead_seconds,
        sums=added(before.sums, part.sums) if before else part.sums,
    )


def write_last(job: Job, last: Written) -> None:
    """Write what the last part has left: the output is whole then."""
    write_at(job.output, [memoryview(last.tail)], last.end)
