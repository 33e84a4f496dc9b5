"""Reads of places, and the headline figures: one function that the pages, the API and the command share."""

import datetime as dt
import logging
import zoneinfo
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.db.models import QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _

from commons import sockets
from commons.errors import CityError
from commons.places.errors import UnknownPlace
from commons.places.models import Place

log = logging.getLogger(__name__)

Figures = list[tuple[sockets.HeadlineFigure, sockets.Figure]]


def place(slug: str) -> Place:
    """The place of that slug; raises UnknownPlace."""
    found = Place.objects.select_related("parent").filter(slug=slug).first()
    if found is None:
        raise UnknownPlace(_("There is no place called “%(slug)s” here.") % {"slug": slug})
    return found


def all_places() -> QuerySet[Place]:
    """Cities and neighbourhoods by name, cities first."""
    return Place.objects.select_related("parent").order_by("kind", "name")


def neighbourhoods() -> QuerySet[Place]:
    """All neighbourhoods, by name."""
    return Place.objects.filter(kind=Place.Kind.NEIGHBOURHOOD).select_related("parent").order_by("name")


def home_of(slug: str | None, user: object) -> Place | None:
    """The place a visitor means: the one asked for, then their home, then the first neighbourhood, then any."""
    if slug and (asked := Place.objects.select_related("parent").filter(slug=slug).first()):
        return asked
    home_id: int | None = getattr(user, "home_id", None)
    if home_id and (home := Place.objects.select_related("parent").filter(pk=home_id).first()):
        return home
    return neighbourhoods().first() or all_places().first()


def switch(here: Place) -> list[Place]:
    """The neighbourhoods around a place and their city: what the place switch offers."""
    city = here if here.kind == Place.Kind.CITY else here.parent
    if city is None:
        return [here]
    return [*city.parts.order_by("name"), city]


def zone_of(here: Place) -> dt.tzinfo:
    """The time zone there; UTC if the name is not known to this machine."""
    try:
        return zoneinfo.ZoneInfo(here.timezone)
    except (zoneinfo.ZoneInfoNotFoundError, ValueError):
        return dt.UTC


def local_now(here: Place) -> dt.datetime:
    """The clock on the wall there."""
    return timezone.now().astimezone(zone_of(here))


def figure_of(headline: sockets.HeadlineFigure, here: Place) -> sockets.Figure:
    """One figure of a place. A room that fails costs its own figure, never the page."""
    try:
        return headline.compute(here)
    except CityError as refusal:
        return unknown(str(refusal.sentence))
    except Exception:
        log.exception("the figure %s of %s failed", headline.slug, here.slug)
        return unknown(_("This figure could not be worked out just now; it is our fault and was written down."))


def unknown(sentence: str) -> sockets.Figure:
    """A figure that is not known, and why."""
    return sockets.Figure(None, None, None, "", None, None, None, sentence)


def figures_of(here: Place) -> Figures:
    """The headline figures of a place in their order; a city's come from its neighbourhoods (the rooms do that)."""
    return [(headline, figure_of(headline, here)) for headline in sockets.figures]


def figure_document(headline: sockets.HeadlineFigure, figure: sockets.Figure) -> dict[str, Any]:
    """A figure with all that it is made of, ready for JSON."""
    return {
        "slug": headline.slug,
        "title": str(headline.title),
        "style": headline.style,
        "value": figure.value,
        "upper": figure.upper,
        "unit": str(figure.unit),
        "numerator": figure.numerator,
        "denominator": figure.denominator,
        "period": {"start": figure.start, "end": figure.end},
        "completeness": figure.completeness,
        "estimated": figure.estimated,
        "demo": figure.demo,
        "goal": headline.goal,
        "sentence": str(figure.sentence),
        "definition": str(headline.definition),
        "version": headline.version,
        "notes": [str(note) for note in figure.notes],
        "url": f"{settings.PUBLIC_URL}/measure/{headline.slug}/",
    }


def metrics_document(here: Place) -> dict[str, Any]:
    """The three figures of a place as the API and the command give them."""
    return {
        "place": here.slug,
        "name": here.name,
        "kind": here.kind,
        "at": timezone.now(),
        "demo": here.demo,
        "figures": {h.slug: figure_document(h, figure) for h, figure in figures_of(here)},
    }


@dataclass(frozen=True, slots=True)
class EvidenceHeading:
    """A column's name in words, with its unit, and whether its values are numbers."""

    words: str
    number: bool


@dataclass(frozen=True, slots=True)
class EvidenceCell:
    """A value under its heading; `kind` (number, flag, date, hash or text) says how a page writes it."""

    heading: str
    value: Any
    kind: str


@dataclass(frozen=True, slots=True)
class EvidenceTable:
    """The evidence of a figure as a page shows it: headings, and rows of cells with the address that proves them."""

    headings: Sequence[EvidenceHeading]
    rows: Sequence[tuple[Sequence[EvidenceCell], str]]


def evidence_columns(figure: sockets.Figure) -> list[str]:
    """The names of all that the rows say, in the order in which they first occur."""
    return list(dict.fromkeys(name for row in figure.evidence for name in row))


def evidence_table(figure: sockets.Figure) -> EvidenceTable:
    """Columns that say the same as another (a slug beside its title) or nothing at all stay in the file."""
    columns = [name for name in evidence_columns(figure) if name != "url" and not _is_doubled(name, figure)]
    words = {name: _heading(name) for name in columns}
    rows = [([_cell(row, name, words[name]) for name in columns], str(row.get("url") or "")) for row in figure.evidence]
    kinds = {name: {cells[at].kind for cells, _url in rows} for at, name in enumerate(columns)}
    return EvidenceTable([EvidenceHeading(words[name], kinds[name] == {"number"}) for name in columns], rows)


UNITS = {"kwh": "kWh", "kw": "kW", "m": "m", "mm": "mm", "hours": "h", "minutes": "min", "g": "g"}
HASH_LENGTHS = (40, 64)


def _heading(name: str) -> str:
    """The name of a column in words: `made_kwh` is "Made, kWh"."""
    if name == "sha256":
        return _("Fingerprint")
    stem, _gap, last = name.rpartition("_")
    words = f"{stem}, {UNITS[last]}" if stem and last in UNITS else name
    words = words.replace("_", " ")
    return words[:1].upper() + words[1:]


def _is_doubled(name: str, figure: sockets.Figure) -> bool:
    beside = {"slug": "title", "system": "title"}.get(name)
    return beside is not None and all(row.get(beside) for row in figure.evidence)


def _cell(row: Mapping[str, Any], name: str, heading: str) -> EvidenceCell:
    value = row.get(name)
    return EvidenceCell(heading, "–" if value is None else value, _kind(value))


def _kind(value: object) -> str:
    if isinstance(value, bool):
        return "flag"
    if isinstance(value, int | float):
        return "number"
    if isinstance(value, dt.date):
        return "date"
    if isinstance(value, str) and len(value) in HASH_LENGTHS and all(c in "0123456789abcdef" for c in value):
        return "hash"
    return "text"
