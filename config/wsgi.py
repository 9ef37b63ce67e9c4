"""Django as a WSGI application: see config/rsgi.py for how it is served."""

import os
from importlib import import_module

import django
from django.conf import settings

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings.local")

django.setup(set_prefix=False)
# Django's own handler, but for requests that come without a Content-Length.
application = import_module("bmat.api.uploads").Handler()

# The views, with all that they import: the first request of each process would wait for them.
import_module(settings.ROOT_URLCONF)
