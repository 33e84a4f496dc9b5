"""The site itself: settings, addresses, the worker, the supervisor and the pages that show what the rooms plug in.

Importing it costs nothing: the Celery app is loaded with Django's apps (`livingcity.apps`).
"""
