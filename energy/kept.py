"""What energy communities keep of a person: the household, its meters and every reading, its bills."""

import math
import re
import zlib
from collections.abc import Iterator, Sequence
from typing import Any

from django.utils.translation import gettext_lazy as _

from commons.kept import BOOKS, DELETED, FOLLOWS, UNLINKED, About, Attached, Extra, Files, Kept
from energy import series

_BILLS = _("Statements are accounts: they are kept for as long as the law says, with what they were made of.")


def numbers(packed: Any) -> list[float | None]:
    """A packed series as a list; null where nothing was measured, nothing where there is none."""
    return [None if math.isnan(value) else value for value in series.unpack(packed)] if packed else []


def _device_readings(person: Any) -> Iterator[Sequence[Any]]:
    """What devices behind the person's own meters reported while the meters were theirs."""
    from commons.devices.services.forgetting import readings  # noqa: PLC0415 models must be ready
    from energy.models import MeterPoint  # noqa: PLC0415 as above

    meters = MeterPoint.objects.filter(participant__person=person, device__isnull=False).select_related("device")
    for meter in meters:
        if meter.device is not None:
            for at, channel, value in readings(meter.device, meter.valid_from, meter.valid_until):
                yield meter.number, at, channel, value


_CURVES = {"load": numbers, "pv": numbers, "heat": numbers}

ABOUT = About(
    _("Energy"),
    _(
        "Your curves, bills and meters: you and whom you allow; not staff, not other members. Stewards "
        "of your community see sums and missing days, and your curves only if you say so. Everybody sees "
        "sums over 15 households or more, published once."
    ),
    _("until you leave the community; what a statement was made of, as long as the law says"),
)

KEPT = (
    Kept("energy.Participant", _("Your households and what you belong to"), {"person": UNLINKED, "viewers": UNLINKED}),
    Kept("energy.Participant_viewers", _("Whose figures you may see, and who may see yours"),
         {"user": DELETED, "participant__person": FOLLOWS}),
    Kept("energy.Invitation", _("Invitations that you wrote or used"),
         {"invited_by": UNLINKED, "participant__person": FOLLOWS}, hidden=frozenset({"sha256", "email", "name"})),
    Kept("energy.Asset", _("What your household owns"), {"participant__person": DELETED}),
    Kept("energy.Dwelling", _("Your home as you described it"), {"participant__person": DELETED}),
    Kept("energy.ModelledYear", _("A year of your household that was worked out"), {"participant__person": DELETED},
         read=_CURVES),
    Kept("energy.MeterPoint", _("Your meters"), {"participant__person": DELETED, "proved_by": UNLINKED},
         hidden=frozenset({"letter_sha256"})),
    Kept("energy.MeterDay", _("Every day that your meters measured, kWh a step"),
         {"meter__participant__person": DELETED}, read={"packed": numbers}, why=_BILLS),
    Kept("energy.MeterFile", _("Files of readings that you brought"),
         {"by": UNLINKED, "participant__person": DELETED}, hidden=frozenset({"packed"})),
    Kept("energy.Member", _("Your household in versions of a community's data, kWh a step"), {"person": UNLINKED},
         read=_CURVES),
    Kept("energy.Statement", _("Your statements"), {"participant__person": BOOKS}, why=_BILLS),
    Kept("energy.StatementLine", _("Lines of your statements"), {"statement__participant__person": BOOKS},
         why=_BILLS),
    Kept("energy.Settlement", _("Periods that you settled, or that were settled for you alone"),
         {"by": UNLINKED, "only__person": BOOKS}, hidden=frozenset({"inputs", "sums"}), why=_BILLS),
    Kept("energy.TariffChoice", _("Tariffs that you chose"), {"participant__person": FOLLOWS}),
    Kept("energy.MarketView", _("What other tariffs would be worth to you"), {"participant__person": DELETED}),
    Kept("energy.TariffVersion", _("Tariffs that you set"), {"by": UNLINKED}),
    Kept("energy.SchemeVersion", _("Rules of sharing that you set"), {"by": UNLINKED}, hidden=frozenset({"shares"})),
)  # fmt: skip

EXTRA = (
    Extra(
        "energy.readings", _("Every reading of your own meters, as it came"),
        ("meter", "at", "channel", "value"), _device_readings, _("deleted"),
    ),
)  # fmt: skip



def _meter_files(person: Any) -> Iterator[Attached]:
    """Files of readings as they were brought, while they wait to be read in; then they are rows."""
    from energy.models import MeterFile  # noqa: PLC0415 models must be ready

    for file in MeterFile.objects.filter(participant__person=person).exclude(packed=b"").order_by("pk"):
        name = re.sub(r"[^\w.-]+", "-", file.name)[-80:]
        yield Attached(f"{file.pk}-{name}", zlib.decompress(bytes(file.packed)))


FILES = (
    Files("meter-files", _("Files of readings that you brought and that wait to be read in"),
          frozenset({"energy.MeterFile"}), _meter_files, _("deleted")),
)  # fmt: skip

OF_A_COMMUNITY = (
    "Community", "CommunityVersion", "VersionSeries", "Simulation", "SimulationSeries", "SimulationPart",
    "ForecastCard", "Forecast", "Grid", "GridVersion", "GridCheck", "UtilityMapping", "PlannedLoad", "Outlook",
    "Publication", "PublishedSpan", "WeatherFeed", "WeatherReport", "PriceList", "PriceDay", "Tariff", "SharingScheme",
    "Settlement_tariff_versions", "Settlement_scheme_versions",
)  # fmt: skip
NOT_PERSONAL = {f"energy.{name}": "of a community or a place, or sums over many" for name in OF_A_COMMUNITY} | {
    "energy.GridConnection": "which key of a version hangs on which node; keys are numbers",
}
