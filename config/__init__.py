"""How bmat runs: settings, URLs, WSGI. Importing it makes the Celery app the current one of every
Django process.
"""

from bmat.taskapp.celery import app as celery_app

__all__ = ["celery_app"]
