"""Long work as a row with a lease; Celery only rings the bell."""
