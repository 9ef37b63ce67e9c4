"""The names of the queues, and of the tasks that go through them."""

# Reports below BMAT_LARGE_REPORT_BYTES and the others: each size has workers of its own, so that a
# small report never waits behind a large one.
SMALL = "small"
LARGE = "large"
# Events on their way to others, who may take their time: no report waits behind one.
WEBHOOKS = "webhooks"

PROCESS_REPORT = "bmat.taskapp.tasks.process_report"
CONVERT_RESULT = "bmat.taskapp.tasks.convert_result"
DELIVER_EVENT = "bmat.taskapp.tasks.deliver_event"
SWEEP_FILES = "bmat.taskapp.tasks.sweep_files"
