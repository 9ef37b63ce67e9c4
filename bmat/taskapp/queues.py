"""The names of the queues, and of the tasks that go through them."""

# Reports below BMAT_LARGE_REPORT_BYTES and the others: each size has workers of its own, so that a
# small report never waits behind a large one.
SMALL = "small"
LARGE = "large"

PROCESS_REPORT = "bmat.taskapp.tasks.process_report"
CONVERT_RESULT = "bmat.taskapp.tasks.convert_result"
SWEEP_FILES = "bmat.taskapp.tasks.sweep_files"
