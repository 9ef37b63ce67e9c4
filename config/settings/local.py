"""One machine, nothing to install: SQLite and a filesystem broker, or what DATABASE_URL and
CELERY_BROKER_URL name.
"""

from config import brokers, environment
from config.settings.base import *

DEBUG = True
SECRET_KEY = environment.text("DJANGO_SECRET_KEY", "local-only-not-a-secret")
ALLOWED_HOSTS = environment.names("DJANGO_ALLOWED_HOSTS", ["*"])

DATABASES = {"default": environment.database("DATABASE_URL", f"sqlite:///{BMAT_HOME}/db.sqlite3")}
CELERY_BROKER_URL = environment.broker("CELERY_BROKER_URL", "filesystem://localhost")
CELERY_BROKER_TRANSPORT = brokers.transport(CELERY_BROKER_URL)
CELERY_BROKER_TRANSPORT_OPTIONS = brokers.transport_options(CELERY_BROKER_URL, BMAT_HOME)

# Static files are served from the packages that hold them: there is no collectstatic to run.
WHITENOISE_USE_FINDERS = True
WHITENOISE_AUTOREFRESH = True
STORAGES["staticfiles"] = {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}
