"""What local, production and test have in common.
https://docs.djangoproject.com/en/5.2/ref/settings/
"""

from datetime import timedelta
from pathlib import Path

from kombu import Queue

from bmat import __version__
from bmat.aggregation.options import MOST_INPUTS
from bmat.taskapp import celery
from config import environment, hosts

BASE_DIR = Path(__file__).resolve().parent.parent.parent

# bmat
# --------------------------------------------------------------------------------------------------
BMAT_HOME = environment.folder("BMAT_HOME", BASE_DIR / "var")
BMAT_UPLOADS_FOLDER = BMAT_HOME / "uploads"
BMAT_REPORTS_FOLDER = BMAT_HOME / "reports"
environment.make_folders([BMAT_UPLOADS_FOLDER, BMAT_REPORTS_FOLDER])

BMAT_MEMORY_BUDGET_BYTES = environment.size_bytes("BMAT_MEMORY_BUDGET", "1GiB")
# What is packed in an upload may become so large, and so many times as large as the upload.
BMAT_DECOMPRESSION_LIMIT_BYTES = environment.size_bytes("BMAT_DECOMPRESSION_LIMIT_BYTES", "256GiB")
BMAT_DECOMPRESSION_RATIO = environment.whole_number("BMAT_DECOMPRESSION_RATIO", 500)
# All files of an upload together, and how many inputs a report may have.
BMAT_MAX_UPLOAD_BYTES = environment.size_bytes("BMAT_MAX_UPLOAD_BYTES", "64GiB")
BMAT_MAX_INPUTS = environment.whole_number("BMAT_MAX_INPUTS", MOST_INPUTS, maximum=MOST_INPUTS)
# Uploads are refused while less than this would be left on the disk.
BMAT_MIN_FREE_BYTES = environment.size_bytes("BMAT_MIN_FREE_BYTES", "1GiB")
# Reports of this size and above go through a queue of their own, to workers of their own.
BMAT_LARGE_REPORT_BYTES = environment.size_bytes("BMAT_LARGE_REPORT_BYTES", "64MiB")

# A worker that has not renewed its lease for this long counts as dead. A kill costs a report at
# most this, and the time until the next tick of the reconciler.
BMAT_LEASE_SECONDS = environment.number("BMAT_LEASE_SECONDS", environment.LEASE_SECONDS)
# Also the time within which a running report notices that it was cancelled.
BMAT_HEARTBEAT_SECONDS = environment.number("BMAT_HEARTBEAT_SECONDS", 0.5)
BMAT_RECONCILE_SECONDS = environment.number("BMAT_RECONCILE_SECONDS", 5)
BMAT_MAX_ATTEMPTS = 5
# Where no message waits in the queue of a report that nobody has claimed, another one is sent after
# this long; the wait doubles with each message.
BMAT_ENQUEUE_AGAIN_SECONDS = environment.number("BMAT_ENQUEUE_AGAIN_SECONDS", 5)
BMAT_ENQUEUE_AGAIN_MAX_SECONDS = 60.0
# Where messages wait, the report's own is most likely among them, and another one is sent so much
# later.
BMAT_ENQUEUE_BEHIND_OTHERS_SECONDS = 600.0
# A report whose Dask cluster is away is tried again after 1 s, 2 s, 4 s and so on, up to this.
BMAT_CLUSTER_AGAIN_MAX_SECONDS = 10.0

# The files of a report are removed this long after its end.
BMAT_RETENTION_DAYS = environment.number("BMAT_RETENTION_DAYS", 30)
BMAT_SWEEP_SECONDS = environment.number("BMAT_SWEEP_SECONDS", 3600)
# What belongs to nothing is swept once it has not changed for this long: longer than any upload
# pauses, and than the time between an upload and its row.
BMAT_SWEEP_AGE_SECONDS = environment.number("BMAT_SWEEP_AGE_SECONDS", 86400, minimum=3600)
# What is swept lies here for a week before it is removed.
BMAT_TRASH_FOLDER = BMAT_HOME / "trash"
# An upload that comes in parts is removed this long after its last byte.
BMAT_UPLOAD_EXPIRY_SECONDS = environment.number("BMAT_UPLOAD_EXPIRY_SECONDS", 86400, minimum=60)
# A POST that is repeated with its Idempotency-Key within this time creates nothing.
BMAT_IDEMPOTENCY_SECONDS = environment.number("BMAT_IDEMPOTENCY_SECONDS", 86400)

# Who may do what, and how much of it. Production has other defaults.
BMAT_REQUIRE_AUTH = environment.switch("BMAT_REQUIRE_AUTH", False)
# Whether strangers reach this installation: then a missing login is worth a warning at each start.
BMAT_IS_PUBLIC = False
BMAT_TOKEN_DAYS = environment.number("BMAT_TOKEN_DAYS", 90, maximum=environment.MOST_DAYS)
BMAT_MAX_RUNNING_REPORTS = environment.limit("BMAT_MAX_RUNNING_REPORTS")
BMAT_MAX_STORED_BYTES = environment.limit_bytes("BMAT_MAX_STORED_BYTES")
BMAT_REQUEST_RATE = environment.rate("BMAT_REQUEST_RATE")
# So many wrong passwords for a name from an address lock that pair out, for so long.
BMAT_LOGIN_FAILURES = environment.limit("BMAT_LOGIN_FAILURES", 10)
BMAT_LOGIN_LOCKOUT_SECONDS = environment.number("BMAT_LOGIN_LOCKOUT_SECONDS", 300)
BMAT_COUNTERS_URL = environment.counters("BMAT_COUNTERS_URL", "memory://")

# The threads of each process of the web server: for what is answered at once, with a connection to
# the database each; and for uploads, which wait for their clients without one.
BMAT_WEB_THREADS = environment.whole_number("BMAT_WEB_THREADS", 16)
BMAT_WEB_UPLOADS = environment.whole_number("BMAT_WEB_UPLOADS", 16)
# So many uploads, and downloads that are made while they are sent, one user has under way in a
# process.
BMAT_MAX_TRANSFERS = environment.limit("BMAT_MAX_TRANSFERS", 4)
# For this long a client may send nothing of a body, in all; what it sends gives it more time.
BMAT_READ_SECONDS = environment.number("BMAT_READ_SECONDS", 20)

# A download in a format that has to be written first waits this long for it, and is then told to
# come again.
BMAT_FORMAT_WAIT_SECONDS = environment.number("BMAT_FORMAT_WAIT_SECONDS", 5)
# The proxy's internal path of BMAT_REPORTS_FOLDER: the proxy sends the files of downloads itself.
BMAT_ACCEL_PREFIX = environment.env.str("BMAT_ACCEL_PREFIX", default="").strip()

# Where people reach the service, for addresses that are told outside of a request.
BMAT_PUBLIC_URL = environment.web_address("BMAT_PUBLIC_URL")
# How long one attempt to deliver an event may take, from the question for the receiver's address to
# the end of its answer.
BMAT_WEBHOOK_SECONDS = environment.number("BMAT_WEBHOOK_SECONDS", 10)
# Whether events may be sent in plain text, and which addresses that are not public they may be sent
# to.
BMAT_WEBHOOK_HTTP = environment.switch("BMAT_WEBHOOK_HTTP", False)
BMAT_WEBHOOK_NETWORKS = environment.networks("BMAT_WEBHOOK_NETWORKS")
# A proxy that looks at addresses itself, and connects to them in the service's place.
BMAT_WEBHOOK_PROXY = environment.web_address("BMAT_WEBHOOK_PROXY")
# Secrets of callbacks for which their client gave none are derived from it; without it, from
# SECRET_KEY.
BMAT_WEBHOOK_KEY = environment.key("BMAT_WEBHOOK_KEY")

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
    "knox",
    "axes",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "bmat.api",
    "bmat.web",
]
MIDDLEWARE = [
    # In front of all others: what they say goes by the answer that is given in the end.
    "bmat.api.middleware.AnswerFields",
    # In front of whatever reads a body, sends a file or asks for the host's name.
    "bmat.api.middleware.HostAndOriginCheck",
    # What each of those behind it answers about a path of the API goes through it.
    "bmat.api.middleware.ApiErrorsMiddleware",
    "bmat.api.middleware.PlainBodiesMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "bmat.api.middleware.ConditionalGet",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    # Answers a login that is locked out, of the API and of the admin.
    "axes.middleware.AxesMiddleware",
]
CSRF_TRUSTED_ORIGINS = hosts.trusted_origins()
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
AUTHENTICATION_BACKENDS = [
    "axes.backends.AxesStandaloneBackend",
    "django.contrib.auth.backends.ModelBackend",
]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator"},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]

# Failed logins, to the API and to the admin.
# https://django-axes.readthedocs.io/en/latest/4_configuration.html
AXES_ENABLED = BMAT_LOGIN_FAILURES is not None
AXES_FAILURE_LIMIT = BMAT_LOGIN_FAILURES or 1
AXES_COOLOFF_TIME = timedelta(seconds=BMAT_LOGIN_LOCKOUT_SECONDS)
# Whoever guesses a name's password locks its owner out from that address alone.
AXES_LOCKOUT_PARAMETERS = [["username", "ip_address"]]
AXES_CLIENT_IP_CALLABLE = "bmat.api.access.address"
AXES_LOCKOUT_CALLABLE = "bmat.api.middleware.locked_out"
# Going on while locked out does not make it longer: what Retry-After says is true.
AXES_RESET_COOL_OFF_ON_FAILURE_DURING_LOCKOUT = False
AXES_RESET_ON_SUCCESS = True
# Who logs in is written down nowhere, and neither is what stands in a form: it may be a password.
AXES_DISABLE_ACCESS_LOG = True
AXES_SENSITIVE_PARAMETERS = ["username", "csrfmiddlewaretoken"]
AXES_VERBOSE = False

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
    "staticfiles": {"BACKEND": "bmat.web.modules.ModuleStorage"},
}
# The uploads' folder lies on the reports' filesystem: so saving an upload is a rename.
FILE_UPLOAD_TEMP_DIR = BMAT_UPLOADS_FOLDER
FILE_UPLOAD_PERMISSIONS = 0o640
DATA_UPLOAD_MAX_NUMBER_FILES = BMAT_MAX_INPUTS
# The options, and the id of each upload that came in parts.
DATA_UPLOAD_MAX_NUMBER_FIELDS = 50 + BMAT_MAX_INPUTS

# API
# --------------------------------------------------------------------------------------------------
REST_FRAMEWORK = {
    # The first one's scheme is what a 401 names in WWW-Authenticate.
    "DEFAULT_AUTHENTICATION_CLASSES": [
        "bmat.api.access.TokenAuthentication",
        "bmat.api.access.SessionAuthentication",
    ],
    "DEFAULT_PERMISSION_CLASSES": ["bmat.api.access.IsLetIn"],
    "DEFAULT_THROTTLE_CLASSES": ["bmat.api.access.RequestRate"],
    # How many proxies stand in front, and add to X-Forwarded-For.
    "NUM_PROXIES": 0,
    "DEFAULT_PARSER_CLASSES": ["bmat.api.uploads.UploadParser"],
    # Everything, errors too, is JSON.
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "EXCEPTION_HANDLER": "bmat.api.errors.answer",
    "DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema",
    "TEST_REQUEST_DEFAULT_FORMAT": "multipart",
}
# https://drf-spectacular.readthedocs.io/en/stable/settings.html
SPECTACULAR_SETTINGS = {
    "TITLE": "bmat",
    "DESCRIPTION": "Turns play logs of any size into exact daily totals per song: upload a CSV, "
    "poll its report, download the totals, or look songs up in them. Where the service asks who "
    "sends a request, a token says so: `Authorization: Token ...`, from a login.",
    "VERSION": __version__,
    "OAS_VERSION": "3.1.0",
    "SCHEMA_PATH_PREFIX": "/api/",
    # What is sent and what is answered differ.
    "COMPONENT_SPLIT_REQUEST": True,
    "SORT_OPERATION_PARAMETERS": False,
    "PREPROCESSING_HOOKS": ["bmat.api.schema.plain_paths"],
    "POSTPROCESSING_HOOKS": [
        "bmat.api.schema.plain_blanks",
        "bmat.api.schema.known_fields_alone",
        "bmat.api.schema.without_ids",
    ],
    # In this order on the page.
    "TAGS": [{"name": name} for name in ("reports", "uploads", "webhooks", "auth")],
}
# https://jazzband.github.io/django-rest-knox/settings/
REST_KNOX = {"TOKEN_TTL": timedelta(days=BMAT_TOKEN_DAYS)}

# Celery: https://docs.celeryq.dev/en/stable/userguide/configuration.html
# --------------------------------------------------------------------------------------------------
CELERY_TIMEZONE = TIME_ZONE
CELERY_ACCEPT_CONTENT = ["json"]
CELERY_TASK_SERIALIZER = "json"
# The report's row holds the result.
CELERY_RESULT_BACKEND = None
CELERY_TASK_IGNORE_RESULT = True
# A worker without --queues consumes all.
CELERY_TASK_QUEUES = [Queue(celery.SMALL), Queue(celery.LARGE), Queue(celery.WEBHOOKS)]
CELERY_TASK_DEFAULT_QUEUE = celery.SMALL
CELERY_TASK_ACKS_LATE = True
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
# A message that has killed a worker is not sent again: leases and attempts decide about the report.
CELERY_TASK_REJECT_ON_WORKER_LOST = False
# A report may take hours: no task has a time limit, and a lost worker shows in its lease.
CELERY_TASK_TIME_LIMIT = None
CELERY_TASK_SOFT_TIME_LIMIT = None
# A worker that loses its broker goes on with its reports: it needs no broker to finish them.
CELERY_WORKER_CANCEL_LONG_RUNNING_TASKS_ON_CONNECTION_LOSS = False
# SIGTERM lets running reports hand back their leases (see bmat/taskapp/shutdown.py). After SIGQUIT,
# which is for emergencies, they have this long to end by themselves.
CELERY_WORKER_SOFT_SHUTDOWN_TIMEOUT = 5.0
# For Flower. It hears of a task when a worker receives it: to tell it of the sending as well would
# take a quarter of a small POST.
CELERY_WORKER_SEND_TASK_EVENTS = True
# A process keeps its connection to the database for so many tasks; to open one takes as long as to
# claim a report.
CELERY_DB_REUSE_MAX = 100
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
# A worker waits for its broker for ever, instead of giving up after an hour or so.
CELERY_BROKER_CONNECTION_MAX_RETRIES = None
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
# An upload must not hang on a broker that is down: the reconciler sends its message later.
CELERY_BROKER_CONNECTION_TIMEOUT = 1
CELERY_TASK_PUBLISH_RETRY_POLICY = {"max_retries": 1, "interval_start": 0}
# Beat looks at its schedule this often at least, and writes its file every three minutes: the
# containers' health check looks how old the file is.
CELERY_BEAT_MAX_LOOP_INTERVAL = 20.0
CELERY_BEAT_SCHEDULE = {
    "sweep-files": {
        "task": celery.SWEEP_FILES,
        "schedule": BMAT_SWEEP_SECONDS,
        # While no worker is there, such messages do not pile up.
        "options": {"queue": celery.SMALL, "expires": BMAT_SWEEP_SECONDS},
    },
}

# Logs
# --------------------------------------------------------------------------------------------------
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"line": {"()": "config.logs.IndentingFormatter"}},
    "filters": {
        "error_id": {"()": "config.logs.ErrorIdFilter"},
        "refusals": {"()": "config.logs.RefusalsAsInformation"},
        # Flower asks the workers at its start, when none may be there. One that fails for another
        # reason names it.
        "no_worker_yet": {
            "()": "config.logs.AsInformation",
            "pattern": "Inspect method %s failed",
        },
    },
    "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "line"}},
    "root": {"handlers": ["console"], "level": "INFO"},
    "loggers": {
        "django": {"handlers": [], "level": "INFO", "propagate": True},
        # What it says about an unexpected error carries the id that the client was told.
        "django.request": {"filters": ["error_id", "refusals"]},
        "flower.inspector": {"filters": ["no_worker_yet"]},
        # Their lines about each task would drown those about reports.
        "celery.app.trace": {"level": "WARNING"},
        "celery.beat": {"level": "WARNING"},
        "celery.worker.strategy": {"level": "WARNING"},
        # It tells the URL of each request, which may hold a login or a token of the receiver's.
        "httpx": {"level": "WARNING"},
        # It tells each step of a login; failures are warnings.
        "axes": {"level": "WARNING"},
    },
}
