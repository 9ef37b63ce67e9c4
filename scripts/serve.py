"""The web server of `make run`. It opens its port last, once a worker and Flower are at work.

So whoever finds the port open gets a first report that is as quick as any other, and sees its task
in Flower.
"""

import os
import sys

from ready import flower_sees_a_worker, wait_for
from run_settings import RunSettings

WORKER_SECONDS = 10.0


def main() -> None:
    settings = RunSettings.from_environment(os.environ)
    basic_auth = f"{settings.flower_user}:{settings.flower_password}"
    if not wait_for(lambda: flower_sees_a_worker(settings.flower_url, basic_auth), WORKER_SECONDS):
        print(f"no worker in {WORKER_SECONDS:.0f} s: reports will wait for one", flush=True)
    granian = [sys.executable, "-m", "granian", "--interface", "wsgi", "--blocking-threads", "8"]
    address = ["--host", settings.host, "--port", str(settings.port)]
    os.execv(sys.executable, [*granian, *address, "config.wsgi:application"])


if __name__ == "__main__":
    main()
