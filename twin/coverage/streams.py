"""Public sensors of a place as evidence that a system is live: air, noise, water, heat, flood."""

from collections.abc import Iterator
from typing import Any

from django.utils import timezone
from django.utils.translation import gettext as _

from commons.devices import channels
from commons.devices.models import Device, LastValue
from commons.devices.queries import PERIOD, Heard, heard
from commons.places.models import Place
from commons.sockets import Evidence
from twin.coverage.levels import UPTIME

WORDS = {
    "air": {"pm1", "pm25", "pm10", "no2", "o3", "so2", "co", "co2", "voc", "aqi"},
    "noise": {"db", "dba", "laeq", "noise", "sound"},
    "water": {"water", "flow"},
    "heat": {"heat", "heating"},
    "flood": {"level", "rain", "gauge"},
}
"""Parts of a channel's name (`x_pm25_ug_m3`) that say what it measures."""


def system_of(slug: str) -> str | None:
    """The system that a channel belongs to, by the words of its name; None for power, state and what is not known."""
    parts = set(slug.lower().removeprefix("x_").split("_"))
    return next((system for system, words in WORDS.items() if parts & words), None) if slug.startswith("x_") else None


def collect(place: Place) -> Iterator[Evidence]:
    """Level 2, for each system, by the sensors whose readings everybody may check; the steadiest alone where none is
    steady enough.
    """
    devices = list(Device.objects.filter(place=place, public=True, revoked_at=None))
    if not devices:
        return
    rows = LastValue.objects.filter(device__in=devices).values_list("device__number", "channel")
    names = channels.slugs_of({channel for _device, channel in rows})
    of: dict[str, set[int]] = {}
    for number, channel in rows:
        system = system_of(names.get(channel, ""))
        if system:
            of.setdefault(system, set()).add(number)
    now = timezone.now()
    known = heard(devices, now)
    for system, numbers in sorted(of.items()):
        streams = [one for one in known if one.device.number in numbers]
        if streams:
            yield _evidence(system, streams, now)


def _evidence(system: str, streams: list[Heard], now: Any) -> Evidence:
    steady = [one for one in streams if one.uptime >= UPTIME and now - one.last <= PERIOD]
    best = steady or [max(streams, key=lambda one: one.uptime)]
    proof = {"period_s": PERIOD.total_seconds(), "uptime": round(min(one.uptime for one in best), 4)}
    last = max(one.last for one in best)
    return Evidence(
        system, 2, _("sensors that everybody may read"), len(best), _("devices of the city"), last, "", proof
    )
