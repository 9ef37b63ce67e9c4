#!/bin/sh
# Every check that reads the code without running it. Each one is a gate.
set -eu

bin=.venv/bin

echo "flake8"
"$bin/flake8" bmat bench config scripts manage.py

echo "mypy --strict bmat"
"$bin/mypy" --strict bmat

echo "makemigrations --check"
DJANGO_SETTINGS_MODULE=config.settings.local "$bin/python" manage.py makemigrations --check --dry-run

echo "check --deploy, with the settings of production"
# Names that no server has: the checks look at the settings, and connect to nothing.
DJANGO_SETTINGS_MODULE=config.settings.production \
    DJANGO_SECRET_KEY="$("$bin/python" -c 'import secrets; print(secrets.token_urlsafe(64))')" \
    DJANGO_ALLOWED_HOSTS=bmat.example \
    DATABASE_URL=postgres://bmat:unused@postgres.invalid:5432/bmat \
    CELERY_BROKER_URL=redis://redis.invalid:6379/0 \
    "$bin/python" manage.py check --deploy --fail-level WARNING
