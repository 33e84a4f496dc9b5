"""The outlook of the sun to spare: worked out anew after the forecasts of each hour."""

from celery import shared_task
from celery.schedules import crontab
from django.utils import timezone

BEAT = {
    "energy.outlooks": {
        "task": "energy.outlooks",
        "schedule": crontab(hour="*", minute="12"),
        "options": {"queue": "simulations", "expires": 1800},
    },
}


@shared_task(name="energy.outlooks")
def outlooks() -> int:
    """Work out what will be spare in every community; how many changed."""
    from energy.services import outlooks as services  # noqa: PLC0415 numpy is loaded by workers alone

    return services.make_all(now=timezone.now())


@shared_task(name="energy.outlook")
def outlook(community: int) -> bool:
    """The same for one, after its forecast."""
    from energy.models import Community  # noqa: PLC0415 models must be loaded first
    from energy.services import outlooks as services  # noqa: PLC0415 numpy is loaded by workers alone

    found = Community.objects.filter(pk=community, public=True).first()
    return services.make(community=found, now=timezone.now()) if found else False
