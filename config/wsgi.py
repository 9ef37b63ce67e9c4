"""The WSGI application that granian serves: `granian --interface wsgi config.wsgi:application`."""

import os
from importlib import import_module

from django.conf import settings
from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings.local")

application = get_wsgi_application()

# The views, with all that they import: the first request of each process would wait for them.
import_module(settings.ROOT_URLCONF)
