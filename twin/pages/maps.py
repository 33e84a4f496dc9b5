"""The map of a district: what it can show, the legend, the table beside it, the sun, and what reports there."""

import datetime as dt
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from django.urls import reverse
from django.utils import timezone
from django.utils.dates import MONTHS
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as _lazy

from commons.web import numbers
from twin import layers, queries, sun_path
from twin.engine import floors
from twin.models import Access, District, DistrictVersion, Reckoning
from twin.pages.districts import EVERYDAY, picture_size, view
from twin.pages.map_source import map_source
from twin.pages.roofs import KNOWN as ROOF_KNOWN
from twin.pages.steps import solar_steps
from twin.queries import live
from twin.words import HEAT, HEIGHT_SOURCES, KINDS, USES, word

ENERGY_STEPS = (60, 120, 160, 200, 260, 320)
MINUTES = (0, 5, 10, 15)
NOON = 12.0


@dataclass(frozen=True, slots=True)
class Show:
    """A choice of what the map shows: its name, what the figure is, and where the figures come from."""

    slug: str
    title: str | Promise
    column: str | Promise
    how: str | Promise


SHOWS = (
    Show("use", _lazy("Use"), _lazy("Use"), _lazy("As the map’s source says.")),
    Show(
        "energy",
        _lazy("Energy"),
        _lazy("Power and heat, kWh a year on each m² of floor"),
        _lazy(
            "Estimated from published benchmarks of each use; a single building may well take half of it, or twice. "
            "No building’s own meter is in it."
        ),
    ),
    Show(
        "solar",
        _lazy("Sun on the roof"),
        _lazy("Light in a year, kWh/m²"),
        _lazy("Reckoned for each roof with the shade of its neighbours, under a typical year’s weather."),
    ),
    Show(
        "access",
        _lazy("On foot"),
        _lazy("Minutes"),
        _lazy("Along the paths at 1.33 m/s to the nearest one that the map knows; near its rim an upper bound."),
    ),
    Show(
        "heat",
        _lazy("Heat"),
        _lazy("How the surroundings hold heat"),
        _lazy("From how densely the 150 m around are built and how green they are; no temperature is measured."),
    ),
    Show("heights", _lazy("Heights"), _lazy("Height"), _lazy("As the source says, or as it was assumed.")),
)
_BY_SLUG = {show.slug: show for show in SHOWS}


@dataclass(frozen=True, slots=True)
class Chosen:
    """What the address asks the map to show. `month` and `hour` are those of the shadows, 0 without them."""

    show: str = "use"
    kind: str = "grocery"
    month: int = 0
    hour: float = NOON
    query: str = ""
    day: str = ""

    def address(self, **other: Any) -> str:
        """The same with something else chosen, as a query."""
        mine = {"show": self.show, "kind": self.kind if self.show == "access" else "", "q": self.query} | other
        return urlencode({name: value for name, value in mine.items() if value})


def chosen(asked: Mapping[str, str], kept: Access | None) -> Chosen:
    """The address' choice; what it cannot mean falls back."""
    kinds = kept.summary if kept else {}
    show, kind = asked.get("show", ""), asked.get("kind", "")
    month = asked.get("month", "")
    try:
        hour = float(asked.get("hour", ""))
    except ValueError:
        hour = NOON
    return Chosen(
        show=show if show in _BY_SLUG else "use",
        kind=kind if kind in kinds else "grocery" if "grocery" in kinds or not kinds else next(iter(kinds)),
        month=int(month) if month.isdecimal() and len(month) < 3 and 1 <= int(month) <= 12 else 0,
        hour=hour if 0 <= hour < 24 else NOON,
        query=asked.get("q", "").strip()[:80],
        day=asked.get("day", "")[:10],
    )


def map_page(found: District, of: DistrictVersion, asked: Mapping[str, str]) -> dict[str, Any]:
    """The whole page."""
    kept, roofs, risk = queries.access(of), queries.reckoning(of, "roofs"), queries.reckoning(of, "risk")
    mine = chosen(asked, kept)
    west, south, east, north = of.bounds
    here = live.things(found)
    today = timezone.now().astimezone(here.zone).date()
    there = {"use", "energy", "heights"} | {
        slug for slug, has in (("solar", roofs), ("access", kept and kept.summary), ("heat", risk)) if has
    }
    return {
        "chosen": mine,
        "show": _BY_SLUG[mine.show],
        "shows": [{"show": show, "there": show.slug in there, "here": show.slug == mine.show} for show in SHOWS],
        "kinds": [{"slug": k, "title": word(KINDS, k)} for k in _kinds(kept)],
        "map_layers": map_layers(kept, roofs, risk),
        "layer_key": f"access-{mine.kind}" if mine.show == "access" else mine.show,
        "map_source": map_source(of),
        "view": view(of),
        "size": picture_size(of),
        "pins": [],
        "known": queries.best_known(of),
        "months": [{"number": n, "name": name} for n, name in MONTHS.items()],
        "suns": sun_path.of_year((south + north) / 2, (west + east) / 2),
        "things": things_block(here),
        "now": live.now_of(here),
        "lines": live.lines_of(here),
        "today": today.isoformat(),
        "day": mine.day or (today - dt.timedelta(days=1)).isoformat(),
    }


def _kinds(kept: Access | None) -> list[str]:
    order = [*EVERYDAY, *(kind for kind in KINDS if kind not in EVERYDAY)]
    return [kind for kind in order if kept and kind in kept.summary]


# --- layers -----------------------------------------------------------------------------------------------------------
_USES = (
    (("apartments", "residential", "house", "detached", "terrace", "dormitory"), _lazy("homes"), "added", 0.72),
    (("public", "school", "university", "hospital", "church", "civic", "kindergarten", "museum", "library"),
     _lazy("public"), "removed", 0.72),
    (("office", "government", "bank"), _lazy("offices"), "ink-3", 0.55),
    (("commercial", "retail", "supermarket", "hotel", "shop", "kiosk"), _lazy("shops and trade"), "act", 0.95),
)  # fmt: skip


def map_layers(kept: Access | None, roofs: Reckoning | None, risk: Reckoning | None) -> list[dict[str, Any]]:
    """What the map can colour buildings by, as the island `lc-map` takes it; one for each kind of service."""
    unknown = _("not known")
    steps: dict[str, Any] = {"type": "steps", "missing": unknown}
    found: list[dict[str, Any]] = [
        {
            "key": "use",
            "label": _("Use"),
            "title": _("What buildings are used for"),
            "property": "use",
            "type": "category",
            "missing": _("other, or not stated"),
            "values": [
                {"value": use, "label": str(words), "color": colour, "share": share}
                for uses, words, colour, share in _USES
                for use in uses
            ],
        },
        {
            **steps,
            "key": "energy",
            "label": _("Energy"),
            "title": _("Power and heat a year, for each m² of floor, estimated"),
            "property": "energy",
            "steps": [0, *ENERGY_STEPS[1:]],
            "unit": "kWh/m²",
            "color": "load",
            "missing": _("use not stated, so not estimated"),
        },
        {
            "key": "heights",
            "label": _("Heights"),
            "title": _("How heights are known"),
            "property": "height_source",
            "type": "category",
            "missing": unknown,
            "values": [
                {"value": source, "label": str(word(HEIGHT_SOURCES, source)), "color": colour, "share": share}
                for source, colour, share in (
                    ("tag", "act", 0.95), ("measured", "act", 0.95), ("geometry", "act", 0.7), ("parts", "act", 0.7),
                    ("levels", "act", 0.45), ("citizen", "added", 0.72), ("default", "removed", 0.5),
                )
            ],
        },
    ]  # fmt: skip
    if roofs:
        lights = solar_steps(roofs.columns["light"])
        found.append(
            steps
            | {"key": "solar", "label": _("Sun on the roof"),
               "title": _("Light on a m² of roof in a year"), "property": "solar", "steps": [0, *lights],
               "unit": "kWh/m²", "color": "solar"}
        )  # fmt: skip
    if risk:
        classes = [(str(level), str(words), (0.06, 0.4, 0.85)[level]) for level, words in sorted(HEAT.items())]
        values = [{"value": v, "label": words, "color": "bad", "share": share} for v, words, share in classes]
        found.append(
            {"key": "heat", "label": _("Heat"),
             "title": _("How the surroundings hold heat"), "property": "heat", "type": "category", "values": values,
             "missing": unknown}
        )  # fmt: skip
    for kind in _kinds(kept):
        found.append(
            steps
            | {"key": f"access-{kind}", "label": str(word(KINDS, kind)),
               "title": _("On foot to the nearest: %(kind)s") % {"kind": word(KINDS, kind)}, "property": f"min_{kind}",
               "steps": list(MINUTES), "unit": _("min"), "color": "act", "invert": True}
        )  # fmt: skip
    return found


# --- the table --------------------------------------------------------------------------------------------------------
def table_page(found: District, of: DistrictVersion, mine: Chosen) -> dict[str, Any]:
    """Every building with the figure that the map shows, the strongest first: for who cannot see it. `order` holds
    keys; `rows_of` makes the rows of some of them.
    """
    figures = _figures(of, mine)
    rows = queries.listed("buildings", of, "", mine.query).values_list("key", flat=True)
    keys = list(rows)
    if figures.order is not None:
        rank = figures.order
        keys.sort(key=lambda key: (key not in rank, rank.get(key, 0.0)))
    return {
        "district": found,
        "version": of,
        "chosen": mine,
        "show": _BY_SLUG[mine.show],
        "column": word(KINDS, mine.kind) if mine.show == "access" else _BY_SLUG[mine.show].column,
        "order": keys,
        "summary": _summary(figures, mine),
    }


@dataclass(frozen=True, slots=True)
class _Figures:
    """What stands in the table: `order` (a rank for each key, the first lowest), None where rows stand by name; `words`
    of a key and its use; `known` the same.
    """

    order: Mapping[str, float] | None
    words: Callable[[str, Any], str]
    known: Callable[[str, Any], str]


def _figures(of: DistrictVersion, mine: Chosen) -> _Figures:
    def nothing(_key: str, _row: Any) -> str:
        return ""

    match mine.show:
        case "access":
            kept = queries.access(of)
            minutes = (
                dict(zip(kept.keys, kept.minutes[mine.kind], strict=True)) if kept and mine.kind in kept.minutes else {}
            )
            return _Figures(minutes, lambda key, _row: _amount(minutes.get(key), 1, _("min")), nothing)
        case "solar" | "heat":
            return _reckoned(of, mine.show)
        case "energy":
            return _Figures(
                {key: -energy for key, kind in queries.things("buildings", of).values_list("key", "kind")
                 if (energy := layers.energy_of(kind))},
                lambda _key, row: _amount(layers.energy_of(row.kind), 0, "kWh/m²"),
                lambda _key, row: floors.SOURCE if layers.energy_of(row.kind) else _("use not stated"),
            )  # fmt: skip
        case "heights":
            return _Figures(
                None,
                lambda _key, row: _amount(row.height_m, 1, "m"),
                lambda _key, row: str(word(HEIGHT_SOURCES, row.height_source)),
            )
        case _:
            return _Figures(None, lambda _key, row: str(word(USES, row.kind)), nothing)


def _reckoned(of: DistrictVersion, show: str) -> _Figures:
    kept = queries.reckoning(of, "roofs" if show == "solar" else "risk")
    if kept is None:
        return _Figures(None, lambda _key, _row: numbers.MISSING, lambda _key, _row: "")
    place = {key: n for n, key in enumerate(kept.keys)}
    column = kept.columns["light" if show == "solar" else "heat"]
    order = {key: -float(column[n]) for key, n in place.items() if column[n] is not None}
    if show == "heat":
        said = {level: str(words) for level, words in HEAT.items()}
        return _Figures(order, lambda key, _row: said[column[place[key]]] if key in place else numbers.MISSING, _none)
    known = kept.columns["known"]
    return _Figures(
        order,
        lambda key, _row: _amount(column[place[key]] if key in place else None, 0, "kWh/m²"),
        lambda key, _row: str(ROOF_KNOWN.get(known[place[key]], "")) if key in place else "",
    )


def _none(_key: str, _row: Any) -> str:
    return ""


def _amount(value: float | None, decimals: int, unit: str) -> str:
    return numbers.MISSING if value is None else numbers.with_unit(numbers.number(value, decimals), unit)


def _summary(figures: _Figures, mine: Chosen) -> str:
    """The finding in a sentence, for who reads the map."""
    if not figures.order:
        return ""
    values = sorted(abs(value) for value in figures.order.values())
    middle = values[len(values) // 2]
    match mine.show:
        case "access":
            return _("Half of the buildings are within %(m)s min, the farthest is %(far)s min away.") % {
                "m": numbers.number(middle, 1),
                "far": numbers.number(values[-1], 1),
            }
        case "solar":
            return _("The middle roof gets %(m)s kWh on each m² in a year, the sunniest %(most)s.") % {
                "m": numbers.number(middle),
                "most": numbers.number(values[-1]),
            }
        case "energy":
            return _("For half of the buildings with a stated use the estimate is %(m)s kWh/m² or more.") % {
                "m": numbers.number(middle)
            }
        case "heat":
            strong = sum(value == max(HEAT) for value in values)
            return _("%(n)s of %(all)s buildings stand where heat is held strongly.") % {
                "n": numbers.number(strong),
                "all": numbers.number(len(values)),
            }
    return ""


def rows_of(found: District, of: DistrictVersion, mine: Chosen, keys: Sequence[str]) -> list[dict[str, Any]]:
    """Rows of the table for some buildings, in their order."""
    figures = _figures(of, mine)
    there = {row.key: row for row in queries.things("buildings", of).filter(key__in=keys).defer("geometry")}
    return [
        {
            "key": key,
            "url": reverse("rooms:building", args=[found.slug, key]),
            "title": row.name or row.properties.get("address", "") or _("Building without a name"),
            "address": row.properties.get("address", "") if row.name else "",
            "use": word(USES, row.kind),
            "value": figures.words(key, row),
            "known": figures.known(key, row),
        }
        for key in keys
        if (row := there.get(key))
    ]


# --- what reports -----------------------------------------------------------------------------------------------------
def things_block(here: live.Things) -> list[dict[str, Any]]:
    """Labs, meters and sensors as the island takes them, and as the list shows them."""
    return [
        {
            "id": thing.id,
            "kind": thing.kind,
            "title": thing.title,
            "url": thing.url,
            "lon": thing.lon,
            "lat": thing.lat,
            "known": thing.known,
            "machines": [{"id": f"machine-{m.pk}", "title": m.name, "url": m.url} for m in thing.machines],
        }
        for thing in here.every
    ]
