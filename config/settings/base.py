"""What local, production and test have in common.
https://docs.djangoproject.com/en/5.2/ref/settings/
"""

from pathlib import Path

from config import environment

BASE_DIR = Path(__file__).resolve().parent.parent.parent

# bmat
# --------------------------------------------------------------------------------------------------
BMAT_HOME = environment.folder("BMAT_HOME", BASE_DIR / "var")
BMAT_UPLOADS_FOLDER = BMAT_HOME / "uploads"
BMAT_REPORTS_FOLDER = BMAT_HOME / "reports"
environment.make_folders("BMAT_HOME", [BMAT_UPLOADS_FOLDER, BMAT_REPORTS_FOLDER])

BMAT_MEMORY_BUDGET_BYTES = environment.size_bytes("BMAT_MEMORY_BUDGET", "1GiB")
BMAT_MAX_UPLOAD_BYTES = environment.size_bytes("BMAT_MAX_UPLOAD_BYTES", "64GiB")
# A worker that has not renewed its lease for this long counts as dead.
BMAT_LEASE_SECONDS = environment.whole_number("BMAT_LEASE_SECONDS", 30)
BMAT_HEARTBEAT_SECONDS = 1.0
BMAT_MAX_ATTEMPTS = 5
# A queued report that nobody has claimed is rung for again after this long; the wait doubles with
# each ring.
BMAT_RING_AGAIN_SECONDS = 5
BMAT_RING_AGAIN_MAX_SECONDS = 60
BMAT_RECONCILE_SECONDS = 5
CELERY_FLOWER_USER = environment.env.str("CELERY_FLOWER_USER", default="")
CELERY_FLOWER_PASSWORD = environment.env.str("CELERY_FLOWER_PASSWORD", default="")

# Apps, middleware, URLs
# --------------------------------------------------------------------------------------------------
INSTALLED_APPS = [
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "rest_framework",
    "bmat.api",
]
MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
]
ROOT_URLCONF = "config.urls"
WSGI_APPLICATION = "config.wsgi.application"
# The routes answer with and without a last slash themselves: a redirect would lose the body of a
# POST.
APPEND_SLASH = False
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ],
        },
    },
]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator"},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]

# Data
# --------------------------------------------------------------------------------------------------
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
LANGUAGE_CODE = "en-us"
TIME_ZONE = "UTC"
USE_TZ = True

# Files
# --------------------------------------------------------------------------------------------------
STATIC_URL = "/static/"
STATIC_ROOT = BASE_DIR / "staticfiles"
STORAGES = {
    "default": {
        "BACKEND": "django.core.files.storage.FileSystemStorage",
        "OPTIONS": {"location": BMAT_REPORTS_FOLDER},
    },
    "staticfiles": {"BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"},
}
# The uploads' folder lies on the reports' filesystem: so saving an upload is a rename. It is never
# held in memory.
FILE_UPLOAD_TEMP_DIR = BMAT_UPLOADS_FOLDER
FILE_UPLOAD_HANDLERS = ["bmat.api.uploads.LimitedUploadHandler"]
FILE_UPLOAD_PERMISSIONS = 0o640
DATA_UPLOAD_MAX_NUMBER_FILES = 4
DATA_UPLOAD_MAX_NUMBER_FIELDS = 50

# API
# --------------------------------------------------------------------------------------------------
REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": [],
    "DEFAULT_PERMISSION_CLASSES": ["rest_framework.permissions.AllowAny"],
    "DEFAULT_PARSER_CLASSES": ["bmat.api.uploads.WholeMultiPartParser"],
    "EXCEPTION_HANDLER": "bmat.api.errors.answer",
    "TEST_REQUEST_DEFAULT_FORMAT": "multipart",
}

# Celery: https://docs.celeryq.dev/en/stable/userguide/configuration.html
# --------------------------------------------------------------------------------------------------
CELERY_TIMEZONE = TIME_ZONE
CELERY_ACCEPT_CONTENT = ["json"]
CELERY_TASK_SERIALIZER = "json"
CELERY_RESULT_SERIALIZER = "json"
# The report's row holds the result.
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_ACKS_LATE = True
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
# A report may take hours: no task has a time limit, and a lost worker shows in its lease.
CELERY_TASK_TIME_LIMIT = None
CELERY_TASK_SOFT_TIME_LIMIT = None
# Both for Flower.
CELERY_WORKER_SEND_TASK_EVENTS = True
CELERY_TASK_SEND_SENT_EVENT = True
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
# A worker waits for its broker for ever, instead of giving up after an hour or so.
CELERY_BROKER_CONNECTION_MAX_RETRIES = None
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
# An upload must not hang on a broker that is down: the reconciler rings again.
CELERY_BROKER_CONNECTION_TIMEOUT = 1
CELERY_TASK_PUBLISH_RETRY_POLICY = {"max_retries": 1, "interval_start": 0}
CELERY_BEAT_SCHEDULE = {
    "reconcile-reports": {
        "task": "bmat.taskapp.tasks.reconcile_reports",
        "schedule": BMAT_RECONCILE_SECONDS,
        # While no worker is there, the ticks do not pile up.
        "options": {"expires": BMAT_RECONCILE_SECONDS},
    },
}

# Logs
# --------------------------------------------------------------------------------------------------
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"line": {"format": "%(asctime)s %(levelname)s %(name)s %(message)s"}},
    "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "line"}},
    "root": {"handlers": ["console"], "level": "INFO"},
    "loggers": {
        "django": {"handlers": [], "level": "INFO", "propagate": True},
        # Their lines about each tick of the clock would drown those about reports.
        "celery.app.trace": {"level": "WARNING"},
        "celery.beat": {"level": "WARNING"},
        "celery.worker.strategy": {"level": "WARNING"},
    },
}
