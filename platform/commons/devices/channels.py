"""The channels of the contract with their numbers in the readings; `x_…` channels are rows of `Channel`."""

from collections.abc import Iterable, Mapping

from commons.devices.models import Channel

POWER_W, ENERGY_WH_TOTAL, STATE, PROGRESS, TEMPERATURE_C, VOLTAGE_V = 1, 2, 3, 4, 5, 6
FIXED: Mapping[str, int] = {
    "power_w": POWER_W,
    "energy_wh_total": ENERGY_WH_TOTAL,
    "state": STATE,
    "progress": PROGRESS,
    "temperature_c": TEMPERATURE_C,
    "voltage_v": VOLTAGE_V,
}
UNITS: Mapping[int, str] = {POWER_W: "W", ENERGY_WH_TOTAL: "Wh", TEMPERATURE_C: "°C", VOLTAGE_V: "V"}
STATES: Mapping[str, float] = {
    "off": 0.0,
    "idle": 1.0,
    "warming": 2.0,
    "making": 3.0,
    "paused": 4.0,
    "error": 5.0,
}
"""Words that `state` may have as its value; they are kept as these numbers."""


def number_of(slug: str) -> int | None:
    """The channel's number, or None when no device has used it."""
    if slug in FIXED:
        return FIXED[slug]
    return Channel.objects.filter(slug=slug).values_list("pk", flat=True).first()


def slug_of(number: int) -> str:
    """The channel's name."""
    return _SLUGS.get(number) or Channel.objects.get(pk=number).slug


def numbers_of(slugs: Iterable[str]) -> dict[str, int]:
    """The numbers of many channels; an `x_…` that is new is written down, safely under concurrency."""
    wanted = set(slugs)
    found = {slug: FIXED[slug] for slug in wanted if slug in FIXED}
    own = sorted(wanted - found.keys())
    if own:
        found |= dict(Channel.objects.filter(slug__in=own).values_list("slug", "pk"))
        if new := [slug for slug in own if slug not in found]:
            Channel.objects.bulk_create([Channel(slug=slug) for slug in new], ignore_conflicts=True)
            found |= dict(Channel.objects.filter(slug__in=new).values_list("slug", "pk"))
    return found


def slugs_of(numbers: Iterable[int]) -> dict[int, str]:
    """The names of many channels."""
    wanted = set(numbers)
    found = {number: _SLUGS[number] for number in wanted if number in _SLUGS}
    own = wanted - found.keys()
    return found | dict(Channel.objects.filter(pk__in=own).values_list("pk", "slug")) if own else found


_SLUGS = {number: slug for slug, number in FIXED.items()}
