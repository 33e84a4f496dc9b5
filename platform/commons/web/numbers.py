"""Numbers in words of the guide (docs: charts, maps, numbers): unit, digits and signs by one rule on every page.

Thousands are parted by a narrow no-break space, a number and its unit by a no-break space, the minus is a real one, the
decimal sign follows the language. A missing value is an en dash, never 0. All functions are pure but for the language.
"""

import datetime as dt
import math
from collections.abc import Sequence
from decimal import ROUND_HALF_UP, Decimal

from django.utils import timezone
from django.utils.formats import date_format, get_format
from django.utils.translation import gettext as _
from django.utils.translation import ngettext, pgettext

MISSING = "–"
THIN = "\u202f"
GAP = "\u00a0"
MINUS = "\u2212"

Number = float | int | Decimal

CURRENCIES = {"EUR": "€", "GBP": "£", "USD": "$", "SEK": "kr", "NOK": "kr", "DKK": "kr", "CHF": "CHF"}


def as_number(value: object) -> float | None:
    """The value as a finite float, or None for what is missing, is no number, or is not finite."""
    if value is None or value == "" or isinstance(value, bool):
        return None
    try:
        number = float(value)  # type: ignore[arg-type]
    except (TypeError, ValueError):
        return None
    return number if math.isfinite(number) else None


def number(value: object, decimals: int = 0, *, signed: bool = False) -> str:
    """`-1234.5` as "−1 234.5"; with `signed` a plus too. Half rounds away from zero."""
    known = as_number(value)
    if known is None:
        return MISSING
    rounded = Decimal(repr(known)).quantize(Decimal(1).scaleb(-decimals), rounding=ROUND_HALF_UP)
    whole, _dot, part = f"{abs(rounded):,f}".partition(".")
    text = whole.replace(",", THIN) + (str(get_format("DECIMAL_SEPARATOR")) + part if part else "")
    if rounded == 0:
        return text
    return (MINUS if rounded < 0 else "+" if signed else "") + text


def with_unit(text: str, unit: str) -> str:
    """Number and unit, which never part at the end of a line; a missing number has no unit."""
    return text if text == MISSING or not unit else f"{text}{GAP}{unit}"


def digits(value: float, figures: int = 3, most: int = 2) -> int:
    """Decimals that show `figures` significant figures, `most` at most: 1.78, 38.7, 387."""
    size = abs(value)
    if size == 0:
        return 0
    decimals = min(max(figures - 1 - math.floor(math.log10(size)), 0), most)
    rounded = round(size, decimals)
    # 9.996 rounds to 10.00, which is a figure too many
    grown = rounded >= 10 ** (math.floor(math.log10(size)) + 1)
    return digits(rounded, figures, most) if grown else decimals


def kw(value: object) -> str:
    """kW in three figures at most: "1.78 kW"; MW from 10 000 kW."""
    known = as_number(value)
    if known is None:
        return MISSING
    if abs(known) >= 10_000:
        return with_unit(number(known / 1000, digits(known / 1000)), "MW")
    return with_unit(number(known, digits(known)), "kW")


def watts(value: object) -> str:
    """Power of one machine, given in W: "342 W" below a kilowatt, "1.78 kW" above."""
    known = as_number(value)
    if known is None:
        return MISSING
    return with_unit(number(known), "W") if abs(round(known)) < 1000 else kw(known / 1000)


def kwh(value: object) -> str:
    """Energy: two decimals below 1 kWh, one below 100, none above; MWh from 10 000 kWh, GWh from 10 000 MWh."""
    known = as_number(value)
    if known is None:
        return MISSING
    size = abs(known)
    if size >= 10_000_000:
        return with_unit(number(known / 1_000_000, 1), "GWh")
    if size >= 10_000:
        return with_unit(number(known / 1000, 1 if size < 1_000_000 else 0), "MWh")
    return with_unit(number(known, 2 if size < 0.995 else 1 if size < 99.95 else 0), "kWh")


def ratio(value: object) -> str:
    """A ratio of two energies: "0.61"."""
    return number(value, 2)


def percent(share: object) -> str:
    """A share 0..1 as whole per cent: "68 %"; what is not quite nothing is "< 1 %", what is not quite all "> 99 %"."""
    known = as_number(share)
    if known is None:
        return MISSING
    if 0 < known < 0.005:
        return f"<{GAP}1{GAP}%"
    if 0.995 <= known < 1:
        return f">{GAP}99{GAP}%"
    return with_unit(number(known * 100), "%")


def change(share: object) -> str:
    """A change as a share of the old value: "−18 %", "+7 %"."""
    known = as_number(share)
    return MISSING if known is None else with_unit(number(known * 100, signed=True), "%")


def points(difference: object) -> str:
    """A difference of two shares: "up 6 points"."""
    known = as_number(difference)
    if known is None:
        return MISSING
    whole = round(abs(known) * 100)
    if whole == 0:
        return _("no change")
    words = ngettext("%(n)s point", "%(n)s points", whole) % {"n": number(whole)}
    return (_("up %(points)s") if known > 0 else _("down %(points)s")) % {"points": words}


def mm(value: object) -> str:
    """A length, or several as a size: "84 × 40 × 66 mm"; a decimal only where it is not zero, two below 1 mm."""
    parts = value if isinstance(value, Sequence) and not isinstance(value, str) else [value]
    known = [as_number(part) for part in parts]
    if not known or any(part is None for part in known):
        return MISSING
    return with_unit(f"{GAP}×{GAP}".join(_length(part) for part in known if part is not None), "mm")


def _length(value: float) -> str:
    decimals = 2 if abs(value) < 1 else 1 if abs(value) < 100 else 0
    while decimals and round(value, decimals) == round(value, decimals - 1):
        decimals -= 1
    return number(value, decimals)


def cm3(volume_mm3: object) -> str:
    """A volume given in mm³: "21.4 cm³"; mm³ below 100 mm³."""
    known = as_number(volume_mm3)
    if known is None:
        return MISSING
    if abs(known) < 100:
        return with_unit(number(known, digits(known, 2, 2)), "mm³")
    return with_unit(number(known / 1000, digits(known / 1000)), "cm³")


def cm2(area_mm2: object) -> str:
    """A surface given in mm²: "238 cm²"; mm² below 100 mm²."""
    known = as_number(area_mm2)
    if known is None:
        return MISSING
    if abs(known) < 100:
        return with_unit(number(known, digits(known, 2, 2)), "mm²")
    return with_unit(number(known / 100, digits(known / 100)), "cm²")


def co2(mass_kg: object) -> str:
    """Carbon dioxide given in kg: g below 1 kg, t from 10 000 kg."""
    known = as_number(mass_kg)
    if known is None:
        return MISSING
    if 0 < abs(known) < 0.9995:
        return with_unit(number(known * 1000), "g CO₂".replace(" ", GAP))
    if abs(known) >= 10_000:
        return with_unit(number(known / 1000, digits(known / 1000)), "t CO₂".replace(" ", GAP))
    return with_unit(number(known, digits(known)), "kg CO₂".replace(" ", GAP))


def grams(mass_g: object) -> str:
    """A mass given in g: "84 g", "1.2 kg"."""
    known = as_number(mass_g)
    if known is None:
        return MISSING
    if abs(known) < 1000:
        return with_unit(number(known, 1 if abs(known) < 10 else 0), "g")
    return with_unit(number(known / 1000, digits(known / 1000)), "kg")


def money(value: object, currency: str = "EUR") -> str:
    """An amount: cents below 100, whole units above: "0.35 €", "34 381 €"."""
    known = as_number(value)
    if known is None:
        return MISSING
    unit = CURRENCIES.get(str(currency).upper(), str(currency))
    return with_unit(number(known, 2 if abs(known) < 99.995 else 0), unit)


def span(low: str, high: str) -> str:
    """Two amounts in one unit as a range: "2.7–3.4 kWh"."""
    low_number, _gap, low_unit = low.partition(GAP)
    _high, _gap, high_unit = high.partition(GAP)
    return f"{low_number}–{high}" if low_unit == high_unit else f"{low} – {high}"


def duration(value: object) -> str:
    """A time in seconds, or a timedelta: "40 s", "12 min", "3 h 20", "4 days"."""
    known = value.total_seconds() if isinstance(value, dt.timedelta) else as_number(value)
    if known is None:
        return MISSING
    seconds = abs(known)
    sign = MINUS if known < 0 else ""
    if seconds < 10 and seconds != round(seconds):
        return sign + with_unit(number(seconds, 1), "s")
    if round(seconds) < 60:
        return sign + with_unit(number(seconds), "s")
    minutes = round(seconds / 60)
    if minutes < 60:
        return sign + with_unit(number(minutes), "min")
    if minutes < 48 * 60:
        hours, rest = divmod(minutes, 60)
        return sign + f"{hours}{GAP}h" + (f"{GAP}{rest:02d}" if rest else "")
    days = round(minutes / 1440)
    return sign + ngettext("%(n)s day", "%(n)s days", days) % {"n": number(days)}


def ago(moment: dt.datetime | None, now: dt.datetime | None = None) -> str:
    """How long since, or how long until: "2 s ago", "in 3 h 20"; a date beyond six days."""
    if moment is None:
        return MISSING
    now = now or timezone.now()
    gone = (now - moment).total_seconds()
    if abs(gone) >= 6.5 * 86_400:
        return when(moment, now)
    if abs(gone) < 1:
        return _("just now")
    words = duration(round(abs(gone)))
    return (_("%(time)s ago") if gone > 0 else _("in %(time)s")) % {"time": words}


def when(moment: dt.datetime | None, now: dt.datetime | None = None) -> str:
    """A moment as people say it, in the active zone: "13:02" today, "Friday 10:30" within a week, "30 June" beyond."""
    if moment is None:
        return MISSING
    local, today = timezone.localtime(moment), timezone.localtime(now or timezone.now())
    clock = f"{local:%H:%M}"
    days = (local.date() - today.date()).days
    if days == 0:
        return clock
    if abs(days) < 7:
        return f"{date_format(local, 'l')} {clock}"
    return day(local.date(), today.date())


def day(date: dt.date, today: dt.date | None = None) -> str:
    """A date: "30 June", with the year when it is another."""
    pattern = pgettext("date in this year, Django date format", "j F")
    if today is not None and date.year == today.year:
        return date_format(date, pattern)
    return date_format(date, pgettext("date in another year, Django date format", "j F Y"))


def split_unit(text: str) -> tuple[str, str]:
    """("1.78", "kW") of "1.78 kW", to set the unit smaller."""
    amount, _gap, unit = text.partition(GAP)
    return amount, unit
