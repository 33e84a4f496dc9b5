"""What `/readyz` asks of the devices: whether readings arrive."""

from django.utils.translation import gettext as _

from commons.devices import queries
from commons.devices.mqtt import link
from commons.sockets import Health, HealthCheck, health_checks

OLD_S = 120.0
"""A heartbeat comes every 30 s; four missed are a fault."""


def check_ingest() -> Health:
    """The newest heartbeat reading that went through the whole ingest."""
    try:
        age = queries.heartbeat_age()
    except Exception as error:
        return Health(False, _("The readings cannot be read: %(why)s") % {"why": type(error).__name__})
    if age is None:
        return Health(False, _("No heartbeat reading has been stored yet."))
    age_s = round(age, 1)
    sentence = _("The newest heartbeat reading is %(s)s s old.") % {"s": age_s}
    return Health(age_s <= OLD_S, sentence, {"age_s": age_s})


def plug_in() -> None:
    """Register the checks."""
    health_checks.register(HealthCheck("ingest", check_ingest, order=40))
    health_checks.register(HealthCheck("mqtt", link.check, order=45))
