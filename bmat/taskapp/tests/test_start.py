"""What a worker has done before its first report comes."""

import os
import subprocess
import sys

PROGRAM = (
    "import sys; from bmat.taskapp.celery import app; app.loader.import_default_modules();"
    "print('bmat.aggregation.run' in sys.modules)"
)


def test_a_worker_loads_the_compiled_kernels_at_its_start() -> None:
    environment = {**os.environ, "DJANGO_SETTINGS_MODULE": "config.settings.test"}
    command = [sys.executable, "-c", PROGRAM]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    assert done.stdout == "True\n"
