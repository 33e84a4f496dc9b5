"""The site itself: settings, addresses, the worker, the supervisor and the pages that show what the rooms plug in."""

from livingcity.celery import app as celery_app

__all__ = ["celery_app"]
