"""What the twin plugs into the sockets of the house."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from django.apps import apps
from django.http import HttpRequest
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from commons import sockets
from commons.places.models import Place
from twin import activity, dashboards, deciding, demo, demo_loop, map_files, open_data, pages, personal, queries
from twin.coverage import figure, twin_evidence
from twin.models import Building, District, Service, Street, Thing
from twin.queries import live
from twin.words import KINDS, word

if TYPE_CHECKING:
    from commons.people.models import User


def plug_in() -> None:
    """Fill the sockets."""
    sockets.nav.register(sockets.NavEntry("twin", gettext_lazy("Twin"), "rooms:twin", "twin", order=50))
    sockets.search_sources.register(sockets.SearchSource("twin", gettext_lazy("In the city"), search, order=60))
    sockets.live_boards.register(sockets.LiveBoard("district", live.board))
    sockets.evidence.register(sockets.SystemEvidence("twin", twin_evidence.collect, order=50))
    sockets.figures.register(
        sockets.HeadlineFigure(
            slug="coverage",
            title=gettext_lazy("Twin’s coverage"),
            style="percent",
            goal=1.0,
            compute=figure.coverage,
            definition=gettext_lazy(
                "City systems at level 1 or more, of 16. A level counts only by evidence found in the "
                "database, and decays when the data grow old. Depth is the sum of all levels over 16 × 5."
            ),
            version=figure.VERSION,
            order=20,
        )
    )
    dashboards.register()
    activity.register()
    personal.register()
    sockets.page_slots.register(sockets.PageSlot("twin.map", "dashboards.place", "twin/home_map.html", home_map))
    sockets.home_cards.register(sockets.HomeCard("map", "twin/home_map.html", home_map, order=20, wide=True))
    sockets.map_grounds.register(sockets.MapGround("twin", map_ground))
    deciding.register()
    if apps.is_installed("labs"):
        from twin import lab_side  # noqa: PLC0415 only where the labs' room is there

        lab_side.register()
    sockets.demo_parts.register(sockets.DemoPart("twin", demo.seed, demo.remove, order=30))
    sockets.demo_parts.register(sockets.DemoPart("twin-life", demo.seed_life, demo.remove_life, order=70))
    sockets.demo_parts.register(sockets.DemoPart("twin-loop", demo_loop.seed, demo_loop.remove, order=80))
    sockets.open_shelves.register(sockets.OpenShelf("twin", open_data.datasets))
    sockets.open_datasets.register(
        sockets.OpenDataset("twin-services", gettext_lazy("Services of the districts"), "ODbL-1.0", open_services)
    )


def search(query: str, user: "User | None", limit: int) -> Sequence[sockets.Hit]:
    """Districts, streets, services and buildings by name; exact names and beginnings first."""
    words = query.strip().lower()
    if len(words) < 2:
        return []
    hits = [_district_hit(words, district) for district in queries.districts().filter(name__icontains=words)[:limit]]
    hits += [_hit(words, district, row) for district, row in queries.named(words, limit)]
    return sorted(hits, key=lambda hit: -hit.rank)[:limit]


def _district_hit(words: str, district: District) -> sockets.Hit:
    rank = 1.0 if district.name.lower().startswith(words) else 0.6
    return sockets.Hit(district.name, reverse("rooms:district", args=[district.slug]), _("district in the twin"), rank)


def _hit(words: str, district: District, row: Thing) -> sockets.Hit:
    name = row.name.lower()
    rank = 1.0 if name == words else 0.7 if name.startswith(words) else 0.4
    what = {Street: _("street"), Building: _("building"), Service: word(KINDS, row.kind)}[type(row)]
    query = urlencode({"layer": row.layer, "q": row.name})
    url = f"{reverse('rooms:district-list', args=[district.slug])}?{query}"
    return sockets.Hit(row.name, url, f"{what} · {district.name}", rank)


def home_map(request: HttpRequest, place: Place) -> Mapping[str, Any] | None:
    """The district of a place with its labs as pins; stays away where there is none."""
    found = queries.of_place(place).first() or queries.districts().filter(place__parent=place).first()
    if found is None:
        return None
    return pages.map_card(found)


def map_ground(place: Place) -> Mapping[str, str] | None:
    """Streets and areas of the place's district, for maps of other rooms."""
    found = queries.of_place(place).first() or queries.districts().filter(place__parent=place).first()
    if found is None:
        return None
    version = queries.current(found)
    if map_files.is_large(version):
        return None  # too much for a ground beneath other things
    asked = {
        layer: f"{reverse('api:district-layer', args=[found.slug, layer])}?version={version.number}"
        for layer in ("streets", "areas")
    }
    return {**asked, "attribution": version.attribution}


def open_services() -> list[dict[str, Any]]:
    """Every service of the districts that come from OpenStreetMap: the public dataset."""
    rows = []
    for district in queries.districts():
        version = queries.current(district)
        if "ODbL-1.0" in version.licence:
            rows += [
                {
                    "district": district.slug,
                    "id": row.key,
                    "kind": row.kind,
                    "name": row.name,
                    "lon": row.geometry["coordinates"][0],
                    "lat": row.geometry["coordinates"][1],
                    "licence": "ODbL-1.0",
                }
                for row in queries.things("services", version)
                if row.properties.get("licence", version.licence) == "ODbL-1.0"
            ]
    return rows
