"""What the twin's own tables show to be modelled. Data without a licence are no evidence: nobody could check
or reuse them.
"""

from collections.abc import Iterator

from django.db.models import Count, Q
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from commons.places.models import Place
from commons.sockets import Evidence
from commons.web import numbers
from twin import queries
from twin.models import District, DistrictVersion

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


def collect(place: Place) -> Iterator[Evidence]:
    """Inventories (level 1) of the districts that model the place."""
    for district in queries.of_place(place):
        version = queries.current(district)
        if version.licence:
            yield from _inventories(district, version)


def _inventories(district: District, version: DistrictVersion) -> Iterator[Evidence]:
    source = ", ".join(s["name"] for s in version.sources) + f" · {version.licence}"
    page = reverse("rooms:district", args=[district.slug])

    def inventory(system: str, count: int, what: str, anchor: str) -> Evidence:
        return Evidence(system, 1, what, count, source, version.dated_at, f"{page}{anchor}")

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
    if (kept := queries.access(version)) and kept.walk_edges:
        words = {"n": len(kept.keys), "kinds": len(kept.summary)}
        what = _("Minutes on foot from %(n)d buildings to %(kinds)d kinds of services") % words
        yield inventory("walking", len(kept.keys), what, "#access")


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
