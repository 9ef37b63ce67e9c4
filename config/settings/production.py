"""The full stack behind a TLS proxy. Secrets and addresses come from the environment and have no
default.
"""

from config import environment
from config.settings.base import *

DEBUG = False
SECRET_KEY = environment.text("DJANGO_SECRET_KEY")
ALLOWED_HOSTS = environment.names("DJANGO_ALLOWED_HOSTS")

DATABASES = {"default": environment.database("DATABASE_URL")}
CELERY_BROKER_URL = environment.broker("CELERY_BROKER_URL")
CELERY_BROKER_TRANSPORT_OPTIONS = environment.broker_options(CELERY_BROKER_URL, BMAT_HOME)

# Strangers reach it: they need a token, and cannot take all there is.
BMAT_IS_PUBLIC = True
BMAT_REQUIRE_AUTH = environment.switch("BMAT_REQUIRE_AUTH", True)
BMAT_MAX_RUNNING_REPORTS = environment.limit("BMAT_MAX_RUNNING_REPORTS", 100)
BMAT_MAX_STORED_BYTES = environment.limit_bytes("BMAT_MAX_STORED_BYTES", "256GiB")
BMAT_REQUEST_RATE = environment.rate("BMAT_REQUEST_RATE", "600/min")
# All web processes count together, beside the broker's messages.
BMAT_COUNTERS_URL = environment.counters(
    "BMAT_COUNTERS_URL", environment.counters_beside(CELERY_BROKER_URL)
)
REST_FRAMEWORK["NUM_PROXIES"] = 1

# The proxy ends TLS and must set this header itself, whatever a client sends.
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
SECURE_SSL_REDIRECT = True
# The container's own health check speaks plain HTTP.
SECURE_REDIRECT_EXEMPT = [r"^healthz/?$"]
SECURE_HSTS_SECONDS = 365 * 24 * 60 * 60
SECURE_HSTS_INCLUDE_SUBDOMAINS = True
# Browsers then know it before the first visit, and it takes months to take that back.
# https://hstspreload.org/
SECURE_HSTS_PRELOAD = environment.switch("BMAT_HSTS_PRELOAD", False)
if not SECURE_HSTS_PRELOAD:
    SILENCED_SYSTEM_CHECKS = ["security.W021"]
SECURE_REFERRER_POLICY = "same-origin"
SESSION_COOKIE_SECURE = True
CSRF_COOKIE_SECURE = True
X_FRAME_OPTIONS = "DENY"
