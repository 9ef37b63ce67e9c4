"""What a worker has done before its first report comes."""

import os
import subprocess
import sys

LOADED = """
import sys
from bmat.taskapp.celery import app

app.loader.import_default_modules()
print("bmat.aggregation.run" in sys.modules)
"""
# The worker starts, and then forks a process of its pool. In that process large arrays are freed,
# but for the last one: what lies below it goes back to the system all the same.
FREED = """
import os
from pathlib import Path
import numpy as np
from celery.signals import worker_init
from bmat.taskapp.celery import app

def resident_kib():
    return int(Path("/proc/self/status").read_text().partition("VmRSS:")[2].split()[0])

worker_init.send(sender=None)
if os.fork():
    os.wait()
else:
    before = resident_kib()
    for _ in range(3):
        np.ones(3 * 2**20)
    arrays = [np.ones(2**18) for _ in range(20)]
    del arrays[:-1]
    print(resident_kib() < before + 10_000, flush=True)
"""


def printed_by(program: str) -> str:
    """What a fresh interpreter prints that runs `program`."""
    environment = {**os.environ, "DJANGO_SETTINGS_MODULE": "config.settings.test"}
    command = [sys.executable, "-c", program]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    return done.stdout


def test_a_worker_loads_the_compiled_kernels_at_its_start() -> None:
    assert printed_by(LOADED) == "True\n"


def test_memory_that_a_report_has_freed_goes_back_to_the_system_in_a_process_of_the_pool() -> None:
    assert printed_by(FREED) == "True\n"
