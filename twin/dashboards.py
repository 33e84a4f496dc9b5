"""What the twin brings to dashboards: the sectors that it models. What is modelled is partial, never live."""

from collections.abc import Iterator

from django.urls import reverse
from django.utils import timezone
from django.utils.translation import ngettext

from commons.dashboards import sockets
from commons.dashboards.sockets import CellState, SectorCells
from commons.places.models import Place
from commons.sockets import Evidence
from twin import queries
from twin.coverage import cells as coverage

#: Which systems of the ladder of coverage tell of which sector, in which respect.
SYSTEMS = {
    "buildings": ("buildings", "made"),
    "population": ("buildings", "used"),
    "heat": ("buildings", "used"),
    "streets": ("mobility", "used"),
    "transit": ("mobility", "made"),
    "water": ("water", "used"),
    "waste": ("waste", "used"),
    "green": ("nature", "made"),
    "air": ("nature", "used"),
    "services": ("care", "made"),
}
LIVE = 2
FOOD = "grocery"


def cells(place: Place) -> Iterator[CellState]:
    """One cell for each system that anything is known of: live on level 2 with fresh evidence, else partial."""
    now = timezone.now()
    best: dict[str, tuple[int, Evidence]] = {}
    for piece in coverage.collected(place):
        level = coverage.level_now(piece, now)
        if piece.system in SYSTEMS and level and level > best.get(piece.system, (0, piece))[0]:
            best[piece.system] = (level, piece)
    for system, (level, piece) in best.items():
        sector, respect = SYSTEMS[system]
        status = "live" if level == LIVE else "partial"
        yield CellState(sector, respect, status, str(piece.what), piece.count, "", piece.as_of, piece.url)  # type: ignore[arg-type]
    yield from food(place)


def food(place: Place) -> Iterator[CellState]:
    """Where food is sold, from the map; what is grown nobody tells."""
    district = queries.of_place(place).first() or queries.districts().filter(place__parent=place).first()
    if district is None:
        return
    version = queries.current(district)
    count = queries.things("services", version).filter(kind=FOOD).count()
    if count:
        url = f"{reverse('rooms:district-list', args=[district.slug])}?layer=services"
        words = ngettext("%(n)d grocery on the map", "%(n)d groceries on the map", count) % {"n": count}
        yield CellState("food", "used", "partial", words, count, "", version.dated_at, url)


def register() -> None:
    """Fill the sockets of dashboards."""
    sockets.cells.register(SectorCells("twin", cells))
