"""Django as a WSGI application: see config/rsgi.py for how it is served."""

import os
from importlib import import_module

import django
from django.conf import settings
from django.core.handlers.wsgi import WSGIHandler

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings.local")


def get_application() -> WSGIHandler:
    """Django's `get_wsgi_application`, with requests that may come without a Content-Length."""
    django.setup(set_prefix=False)
    handler = import_module("bmat.api.uploads").Handler
    return handler()


application = get_application()

# The views, with all that they import: the first request of each process would wait for them.
import_module(settings.ROOT_URLCONF)
