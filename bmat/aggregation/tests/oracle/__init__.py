"""What docs/data-contract.md says of a run, byte by byte: the judge of the engine.

Slow and plain on purpose: no blocks, no `csv` module, no regular expressions. It shares no code
with what it judges. `header` finds the text and the columns of an input, `records` reads a record
and its fields, `verdict` is the whole run.
"""

from bmat.aggregation.tests.oracle.header import Failed, Options
from bmat.aggregation.tests.oracle.records import Bounds
from bmat.aggregation.tests.oracle.verdict import Verdict, judge

__all__ = ["Options", "Bounds", "Failed", "Verdict", "judge"]
