"""What beat rings for: votes open, close and take effect by the clock; what they mean and did is reckoned."""

from celery import shared_task

from commons.decisions import measuring, services

BEAT = {
    "decisions.advance": {"task": "decisions.advance", "schedule": 30.0, "options": {"expires": 30}},
    "decisions.reckon": {
        "task": "decisions.reckon",
        "schedule": 120.0,
        "options": {"queue": "simulations", "expires": 110},
    },
    "decisions.measure": {
        "task": "decisions.measure",
        "schedule": 3600.0,
        "options": {"queue": "simulations", "expires": 3000},
    },
}


@shared_task(name="decisions.advance")
def advance() -> None:
    """Every half minute, by beat."""
    services.advance_all()


@shared_task(name="decisions.reckon")
def reckon() -> int:
    """What the options of motions to come would mean."""
    return measuring.reckon_all()


@shared_task(name="decisions.measure")
def measure() -> int:
    """What the decisions that hold did since."""
    return measuring.measure_all()
