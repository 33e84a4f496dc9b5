"""What beat rings for: the figures of the day."""

from celery import shared_task

from commons.dashboards import services
from commons.places.queries import all_places

BEAT = {"dashboards.keep": {"task": "dashboards.keep", "schedule": 6 * 3600.0, "options": {"expires": 3600}}}


@shared_task(name="dashboards.keep")
def keep() -> int:
    """Four times a day: the headline figures of every place as they are now; the last word of a day stays."""
    return sum(services.keep_figures(place=place) for place in all_places())
