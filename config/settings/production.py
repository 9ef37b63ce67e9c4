"""The full stack behind a TLS proxy. Secrets and addresses come from the environment and have no
default.
"""

from config import brokers, environment
from config.settings.base import *

DEBUG = False
SECRET_KEY = environment.text("DJANGO_SECRET_KEY")
ALLOWED_HOSTS = environment.names("DJANGO_ALLOWED_HOSTS")

DATABASES = {"default": environment.database("DATABASE_URL")}
CELERY_BROKER_URL = environment.broker("CELERY_BROKER_URL")
CELERY_BROKER_TRANSPORT_OPTIONS = brokers.transport_options(CELERY_BROKER_URL, BMAT_HOME)

# The proxy ends TLS and must set this header itself, whatever a client sends.
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
SECURE_SSL_REDIRECT = True
# The container's own health check speaks plain HTTP.
SECURE_REDIRECT_EXEMPT = [r"^healthz/?$"]
SECURE_HSTS_SECONDS = 365 * 24 * 60 * 60
SECURE_HSTS_INCLUDE_SUBDOMAINS = True
SECURE_HSTS_PRELOAD = True
SECURE_REFERRER_POLICY = "same-origin"
SESSION_COOKIE_SECURE = True
CSRF_COOKIE_SECURE = True
X_FRAME_OPTIONS = "DENY"
