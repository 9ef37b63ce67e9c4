"""With these settings, tests run faster. Every file they make lies in a folder that ends with the
test run.
"""

import atexit
import os
import shutil
import tempfile

# Set before the base settings read it: whatever BMAT_HOME says outside, tests keep away from it.
os.environ["BMAT_HOME"] = tempfile.mkdtemp(prefix="bmat-test-")
atexit.register(shutil.rmtree, os.environ["BMAT_HOME"], ignore_errors=True)

from config import environment  # noqa: E402
from config.settings.base import *  # noqa: E402

DEBUG = False
SECRET_KEY = "test-only-not-a-secret"
# The test runner adds the name that Django's test client asks for.
ALLOWED_HOSTS: list[str] = []

DATABASES = {"default": environment.database("DATABASE_URL", f"sqlite:///{BMAT_HOME}/db.sqlite3")}
if DATABASES["default"]["ENGINE"].endswith("sqlite3"):
    # A file, because the heartbeat's thread opens a second connection. It need not survive a power
    # cut.
    DATABASES["default"]["TEST"] = {"NAME": str(BMAT_HOME / "test.sqlite3")}
    DATABASES["default"]["OPTIONS"]["init_command"] = (
        "PRAGMA journal_mode=WAL; PRAGMA synchronous=OFF;"
    )
CELERY_BROKER_URL = "memory://"

PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
STORAGES["staticfiles"] = {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}
MIDDLEWARE = [name for name in MIDDLEWARE if "whitenoise" not in name]
