"""The settings of the obvious solution, on the servers of the environment."""

import os

import environ  # type: ignore[import-untyped]  # the package has no types

SECRET_KEY = "for-the-time-of-this-measurement"
ALLOWED_HOSTS = ["127.0.0.1"]
INSTALLED_APPS = ["rest_framework", "bench.obvious"]
ROOT_URLCONF = "bench.obvious.service"
DATABASES = {"default": {**environ.Env.db_url_config(os.environ["DATABASE_URL"])}}
DATABASES["default"]["CONN_MAX_AGE"] = 60
MEDIA_ROOT = os.environ["OBVIOUS_HOME"]
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
REST_FRAMEWORK: dict[str, object] = {
    "UNAUTHENTICATED_USER": None,
    "DEFAULT_AUTHENTICATION_CLASSES": [],
}
CELERY_BROKER_URL = os.environ["CELERY_BROKER_URL"]
CELERY_TASK_DEFAULT_QUEUE = "obvious"
