"""Whether the city's own client is on the broker, as the process that holds it says every few seconds in Valkey."""

import time

import orjson
from django.conf import settings
from django.utils.translation import gettext as _
from redis import RedisError

from commons.devices.news import valkey
from commons.sockets import Health

KEY = "devices:mqtt"
EVERY_S, OLD_S = 5.0, 30


def tell(*, connected: bool, why: str = "", since: float = 0.0) -> None:
    """Say how it stands; without Valkey nobody hears it."""
    try:
        valkey().set(KEY, orjson.dumps({"connected": connected, "why": why, "since": since}), ex=OLD_S)
    except RedisError:
        return


def check() -> Health:
    """The broker is reached by the ingest process; a city without a broker has nothing to reach."""
    if not settings.MQTT_URL:
        return Health(True, _("Machines report over HTTP; there is no broker."), {"broker": False})
    said = valkey().get(KEY)
    if said is None:
        return Health(False, _("The ingest process has not said for half a minute whether it reaches the broker."))
    told = orjson.loads(said)
    if not told["connected"]:
        return Health(False, _("The broker is not reached: %(why)s") % {"why": told["why"]})
    return Health(True, _("The broker is reached."), {"for_s": round(time.time() - told["since"])})
