"""One machine, nothing to install: SQLite and a filesystem broker, or what DATABASE_URL and
CELERY_BROKER_URL name.
"""

from django.core.exceptions import ImproperlyConfigured

from config import environment, hosts
from config.generated import secret_key
from config.settings.base import *

HOST = hosts.listening_host()
ALLOWED_HOSTS = hosts.allowed(HOST)
# Where other machines reach it, so do strangers.
BMAT_IS_PUBLIC = not hosts.is_loopback(HOST)
BMAT_REQUIRE_AUTH = environment.switch("BMAT_REQUIRE_AUTH", BMAT_IS_PUBLIC)

DEBUG = environment.switch("DJANGO_DEBUG", False)
if DEBUG and BMAT_IS_PUBLIC:
    raise ImproperlyConfigured(
        f"DJANGO_DEBUG shows the source and the settings to whoever reaches HOST={HOST}: "
        "unset one of the two"
    )
SECRET_KEY = environment.env.str("DJANGO_SECRET_KEY", default="").strip() or secret_key(BMAT_HOME)

DATABASES = {"default": environment.database("DATABASE_URL", f"sqlite:///{BMAT_HOME}/db.sqlite3")}
CELERY_BROKER_URL = environment.broker("CELERY_BROKER_URL", "filesystem://localhost")
CELERY_BROKER_TRANSPORT = environment.broker_transport(CELERY_BROKER_URL)
CELERY_BROKER_TRANSPORT_OPTIONS = environment.broker_options(CELERY_BROKER_URL, BMAT_HOME)

# Static files are served from the packages that hold them: there is no collectstatic to run.
STATIC_ROOT = None
WHITENOISE_USE_FINDERS = True
STORAGES["staticfiles"] = {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}
