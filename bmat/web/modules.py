"""Which modules the view of an address is made of, and under which names they are served.

A module tells what it imports once it has come, so that a browser would ask for a view level by
level: each costs a way to the service and back. The document names them all, and they come
together.
"""

import re
from functools import cache
from pathlib import Path
from posixpath import dirname, normpath

from django.contrib.staticfiles import finders
from whitenoise.storage import CompressedManifestStaticFilesStorage

IMPORTS = re.compile(r'^(?:import|export)\b[^;"]*"(\.[^"]+)";$', re.MULTILINE)
START = "web/main.js"


@cache
def needed_by(*names: str) -> tuple[str, ...]:
    """These modules, and all that they import, by their names as static files. What a module loads
    later on is not among them.
    """
    found: dict[str, None] = {}
    waiting = [START, *names]
    while waiting:
        name = waiting.pop(0)
        if name not in found:
            found[name] = None
            waiting += imported_by(name)
    return tuple(found)


def imported_by(name: str) -> list[str]:
    path = finders.find(name)
    assert isinstance(path, str), f"{name} is no static file"
    found = IMPORTS.findall(Path(path).read_text())
    # `../dom.js` in the folder `web/views` is `web/dom.js`.
    return [normpath(f"{dirname(name)}/{other}") for other in found]


class ModuleStorage(CompressedManifestStaticFilesStorage):  # type: ignore[misc]  # no types there
    """Static files under names that change with what they hold: browsers keep them for ever. The
    names that JavaScript modules import are changed, too.
    """

    support_js_module_import_aggregation = True
