"""Writes of the map: have the files made that a browser reads instead of GeoJSON, or besides it."""

from django.db import transaction
from django.utils.translation import gettext_lazy

from commons.people.models import User
from commons.runs import services as runs
from commons.runs.models import Run
from commons.said import said
from twin import map_files, queries
from twin.models import DistrictVersion

SOLIDS = (".city.json", ".city.jsonl")


def has_solids(of: DistrictVersion) -> bool:
    """Whether a file of the version is a 3D model."""
    return any(kept["name"].lower().endswith(SOLIDS) for kept in of.sources)


@transaction.atomic
def prepare_map(*, of: DistrictVersion, demo: bool = False, tiles_alone: bool = False) -> Run | None:
    """Have the map of a version made ready where it needs it: tiles for a large district, roofs from a 3D model.
    `tiles_alone`: only what stands in tiles has changed, such as the sun on the roofs.
    """
    if not map_files.is_large(of) and (tiles_alone or not has_solids(of)):
        return None
    return start_map(of=of, demo=demo)


@transaction.atomic
def start_map(*, of: DistrictVersion, owner: User | None = None, demo: bool = False) -> Run:
    """Queue the making of a version's tiles and roofs, or answer the run that waits for it already."""
    waiting = queries.reckoning_run(of, "map")
    if waiting and waiting.status == Run.Status.QUEUED:
        return waiting
    return runs.start(
        kind="twin.map",
        inputs={"district": of.district.slug, "version": of.number},
        title=said(gettext_lazy("Map of %(name)s"), name=of.district.name),
        subject=f"twin.district:{of.district.slug}",
        owner=owner,
        public=True,
        demo=demo or of.district.demo,
    )
