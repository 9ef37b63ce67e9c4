"""The web server of `make run`. It opens its port last, once a worker and Flower are at work.

So whoever finds the port open gets a first report that is as quick as any other, and sees its task
in Flower.
"""

import json
import os
import sys
from pathlib import Path

from granian import Granian
from granian.constants import Interfaces
from granian.http import HTTP1Settings
from ready import flower_sees_a_worker, wait_for
from run_settings import PROJECT_FOLDER, RunSettings

WORKER_SECONDS = 10.0
# A connection that asks for nothing for so long is closed.
HEADER_MILLISECONDS = 20_000
APPLICATION = "config.rsgi:application"


def main() -> None:
    settings = RunSettings.from_environment(os.environ)
    sys.path.insert(0, str(PROJECT_FOLDER))
    # Loaded while the others start, so that the process that is forked to answer requests has it.
    __import__("config.rsgi")
    basic_auth = f"{settings.flower_user}:{settings.flower_password}"
    if not wait_for(lambda: flower_sees_a_worker(settings.flower_url, basic_auth), WORKER_SECONDS):
        print(f"no worker in {WORKER_SECONDS:.0f} s: reports will wait for one", file=sys.stderr)
    server = Granian(
        APPLICATION,
        address=settings.host,
        port=settings.port,
        interface=Interfaces.RSGI,
        http1_settings=HTTP1Settings(header_read_timeout=HEADER_MILLISECONDS),
        log_dictconfig=json.loads(Path(PROJECT_FOLDER, "config/granian_logs.json").read_text()),
    )
    server.serve()


if __name__ == "__main__":
    main()
