"""What the twin's own tables show to be modelled. Data without a licence are no evidence: nobody could check
or reuse them.
"""

from collections.abc import Iterator
from typing import Any

from django.db.models import Count, Q
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from commons.places.models import Place
from commons.sockets import Evidence
from commons.web import numbers
from twin import queries
from twin.coverage import scenario_evidence, streams
from twin.models import District, DistrictVersion, Traffic

PUBLIC_SERVICES = (
    "school",
    "kindergarten",
    "library",
    "health",
    "pharmacy",
    "community",
    "safety",
    "post",
    "university",
)
OF_SOURCE = {"buildings": "building", "population": "people"}
"""Systems whose inventory is held against what its own source has: what an import calls them when it leaves one out."""
DOUBLES = frozenset({"repeated"})
SERIES = {"load": "electricity", "solar": "solar", "machines": "production"}
PERSISTENCE = "yesterday"


def collect(place: Place) -> Iterator[Evidence]:
    """Inventories (level 1) of the districts that model the place, their forecasts (3) and their traffic (4)."""
    for district in queries.of_place(place):
        version = queries.current(district)
        if version.licence:
            yield from _inventories(district, version)
            yield from _traffic(district, version)
        yield from _forecasts(district)
        yield from scenario_evidence.collect(district)
    yield from streams.collect(place)


def _inventories(district: District, version: DistrictVersion) -> Iterator[Evidence]:
    source = ", ".join(s["name"] for s in version.sources) + f" · {version.licence}"
    page = reverse("rooms:district", args=[district.slug])

    def inventory(system: str, count: int, what: str, anchor: str) -> Evidence:
        proof = _held(version, OF_SOURCE[system], count) if system in OF_SOURCE else {}
        return Evidence(system, 1, what, count, source, version.dated_at, f"{page}{anchor}", proof)

    counts = _counted(version)
    known = counts["buildings"] - version.counts.get("height_sources", {}).get("default", 0)
    n = counts["buildings"]
    words = {"n": n, "known": known}
    yield inventory(
        "buildings",
        n,
        _("%(n)d buildings with outline and use, the height of %(known)d known") % words,
        "list/?layer=buildings",
    )
    km = version.counts.get("car_km", 0.0)
    yield inventory(
        "streets",
        counts["car"],
        _("%(km)s km of streets with class, lanes, speed and capacity") % {"km": numbers.number(km, 1)},
        "list/?layer=streets",
    )
    yield inventory("transit", counts["transit"], _plural_stops(counts["transit"]), "list/?layer=services&kind=transit")
    yield inventory(
        "green",
        counts["green"],
        _("%(n)d parks and green areas") % {"n": counts["green"]},
        "list/?layer=areas&kind=green",
    )
    n = counts["public"]
    yield inventory(
        "services",
        n,
        ngettext("%(n)d public service", "%(n)d public services", n) % {"n": n},
        "list/?layer=services",
    )
    n = version.counts.get("people", 0)
    if n:
        yield inventory(
            "population",
            n,
            ngettext("People in %(n)d cell of a grid", "People in %(n)d cells of a grid", n) % {"n": n},
            "list/?layer=people",
        )
    if rain := queries.reckoning_in_short(version, "rain"):
        what = _("A terrain model with where heavy rain gathers")
        yield Evidence(
            "flood",
            1,
            what,
            1,
            rain.engine_version,
            rain.created_at,
            reverse("rooms:district-risk", args=[district.slug]),
        )
    if (kept := queries.access_in_short(version)) and kept.walk_edges:
        n = kept.buildings  # type: ignore[attr-defined]  # annotated
        words = {"n": n, "kinds": len(kept.summary)}
        what = _("Minutes on foot from %(n)d buildings to %(kinds)d kinds of services") % words
        yield inventory("walking", n, what, "#access")


def _held(version: DistrictVersion, what: str, count: int) -> dict[str, Any]:
    """Which share of what its source holds an import kept; what stood there twice was not lost."""
    lost = sum(row["count"] for row in version.skipped if row["what"] == what and row["why"] not in DOUBLES)
    share = count / (count + lost) if count else 0.0
    return {"completeness": round(share, 4), "reference": _("what its source holds")}


def _traffic(district: District, version: DistrictVersion) -> Iterator[Evidence]:
    """An hour by several seeds of SUMO beside an equilibrium: an engine, its oracles, and how far chance moves it."""
    rows = version.traffic.filter(method=Traffic.Method.SEEDS).defer("streets", "zones", "picture", "assumptions")
    for kept in rows.order_by("-created_at")[:1]:
        seeds = len(kept.summary.get("seeds", []))
        yield Evidence(
            "streets",
            4,
            _("An hour of traffic in %(n)d runs of chance") % {"n": seeds},
            seeds,
            kept.engine_version,
            kept.created_at,
            reverse("rooms:district-traffic", args=[district.slug]),
            {
                "oracle": _("the best known equilibria of Sioux Falls, Anaheim, Winnipeg and Barcelona"),
                "uncertainty": _("95 % intervals over seeds") if seeds > 1 else "",
            },
        )


def _forecasts(district: District) -> Iterator[Evidence]:
    """The newest 48 hours of each series, with what its back-test says beside the same hour of the last known day."""
    every = district.ahead.only("district", "series", "backtest", "engine_version", "issued_at", "day")
    known = {one.series: one for one in every.order_by("series", "-day").distinct("series")}
    counts = dict(district.ahead.order_by().values_list("series").annotate(n=Count("pk")))
    for series, system in SERIES.items():
        newest = known.get(series)
        if newest is None:
            continue
        judged = newest.backtest
        persistence = float(judged["naive_mae"].get(PERSISTENCE) or 0.0)
        skill = 1 - judged["mae"] / persistence if persistence > 0 else 0.0
        words = {"days": judged["days"], "series": newest.get_series_display()}
        yield Evidence(
            system,
            3,
            _("%(series)s of the next 48 hours, judged over %(days)d days") % words,
            counts[series],
            newest.engine_version,
            newest.issued_at,
            reverse("rooms:district-ahead", args=[district.slug]),
            {"skill": round(skill, 4), "days": judged["days"]},
        )


def _counted(version: DistrictVersion) -> dict[str, int]:
    """Rows that stand in the version, by what they are evidence for."""
    services = (
        queries.things("services", version)
        .order_by()
        .aggregate(
            transit=Count("pk", filter=Q(kind="transit")),
            public=Count("pk", filter=Q(kind__in=PUBLIC_SERVICES)),
        )
    )
    return {
        **services,
        "buildings": queries.things("buildings", version).count(),
        "car": queries.things("streets", version).filter(car=True).count(),
        "green": queries.things("areas", version).filter(kind="green").count(),
    }


def _plural_stops(n: int) -> str:
    return ngettext("%(n)d stop", "%(n)d stops and stations", n) % {"n": n}
