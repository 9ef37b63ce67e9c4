"""A private nginx with the proxy's own configuration, in front of a web server that hands downloads
over to it. Without TLS, and on free ports.
"""

import re
import socket
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from bmat.tests.live import programs
from bmat.tests.live.client import Client
from bmat.tests.live.processes import PROJECT_FOLDER, ServerProcess, free_port
from bmat.tests.live.stack import START_SECONDS, Stack

COMPOSE = PROJECT_FOLDER / "compose" / "production"
PREFIX = "/accel-reports/"
# What stands around a site's configuration in the image, as far as it matters here.
NGINX = """daemon off;
user root;
pid {folder}/nginx.pid;
error_log stderr;
events {{}}
http {{
    access_log off;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    include {folder}/site.conf;
}}
"""


@contextmanager
def proxied(
    stack: Stack, folder: Path, settings: Mapping[str, str] | None = None
) -> Iterator[Client]:
    """A client of the stack that goes through the proxy to a web server of its own, with these
    settings.
    """
    web_port, port = free_port(), free_port()
    environment = {**stack.environment, "PORT": str(web_port), "BMAT_ACCEL_PREFIX": PREFIX}
    environment |= settings or {}
    web = ServerProcess("web-behind-proxy", [str(COMPOSE / "django" / "start")], folder)
    nginx = ServerProcess("nginx", nginx_command(folder), folder)
    (folder / "nginx.conf").write_text(NGINX.format(folder=folder))
    (folder / "site.conf").write_text(site(stack, web_port, port))
    try:
        web.start(environment)
        nginx.start({})
        web.wait_until_ready(Client(f"http://127.0.0.1:{web_port}").answers, START_SECONDS)
        nginx.wait_until_ready(lambda: answers(port), START_SECONDS)
        yield Client(f"http://127.0.0.1:{port}")
    finally:
        nginx.stop()
        web.stop()


def nginx_command(folder: Path) -> list[str]:
    program = str(programs.NGINX.path())
    return [program, "-e", "stderr", "-p", str(folder), "-c", str(folder / "nginx.conf")]


def site(stack: Stack, web_port: int, port: int) -> str:
    """The configuration of the image, for this machine."""
    text = (COMPOSE / "nginx" / "default.conf.template").read_text()
    text = re.sub(r"\n    ssl_\w+ [^;]*;", "", text).replace("${BMAT_HOST}", "localhost")
    text = text.replace("listen 443 ssl", f"listen 127.0.0.1:{port}")
    text = text.replace("listen 80;", f"listen 127.0.0.1:{free_port()};")
    text = text.replace("http://django:8000", f"http://127.0.0.1:{web_port}")
    return text.replace("/var/lib/bmat/reports/", f"{stack.home}/reports/")


def answers(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0
