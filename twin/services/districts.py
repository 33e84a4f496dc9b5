"""Writes of the twin: start an import, store a version, take a district away. Each is one transaction."""

import datetime as dt
import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from django.core.validators import validate_slug
from django.db import transaction
from django.forms import ValidationError
from django.utils import timezone
from django.utils.dateparse import parse_datetime
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from commons.people.models import User
from commons.places.models import Place
from commons.runs import services as runs
from commons.runs.models import Run
from commons.runs.work import do
from commons.said import said
from twin import rows
from twin.engine import ENGINE_VERSION
from twin.engine.model import LAYERS, CityModel, Layer, bounds
from twin.errors import BadDistrictName
from twin.files import Kept, forget
from twin.models import Access, District, DistrictVersion

if TYPE_CHECKING:
    from twin.engine.district import DistrictAccess

RESERVED = frozenset({"new", "coverage"})


def start_import(
    *,
    slug: str,
    files: Sequence[Kept],
    name: str = "",
    place: Place | None = None,
    licence: str = "",
    attribution: str = "",
    owner: User | None = None,
    demo: bool = False,
) -> Run:
    """Queue the import of kept files as a new version of the district `slug`. Raises BadDistrictName."""
    check_slug(slug)
    inputs = {
        "slug": slug,
        "name": name,
        "files": [dict(kept) for kept in files],
        "place": place.slug if place else "",
        "licence": licence,
        "attribution": attribution,
        "author": owner.username if owner else "",
        "demo": demo,
    }
    title = said(gettext_lazy("Import of %(name)s"), name=name or slug)
    return runs.start(
        kind="twin.import",
        inputs=inputs,
        title=title,
        subject=f"twin.district:{slug}",
        owner=owner,
        public=True,
        demo=demo,
    )


def finished(run: Run) -> Run:
    """Work on the run in this process unless a worker was quicker, and wait for that one."""
    if not do(run.pk):
        return runs.wait(run=run)
    run.refresh_from_db()
    return run


def check_slug(slug: str) -> None:
    """Refuse a slug that cannot be an address."""
    try:
        validate_slug(slug)
    except ValidationError:
        wrong = True
    else:
        wrong = slug != slug.lower() or len(slug) > 60 or slug in RESERVED
    if wrong:
        raise BadDistrictName(
            _("“%(slug)s” cannot be an address: use small letters, digits and hyphens, at most 60, and not “new”.")
            % {"slug": slug}
        )


@transaction.atomic
def store_version(
    *,
    inputs: Mapping[str, Any],
    model: CityModel,
    layers: Mapping[Layer, Sequence[rows.Row]],
    access: "DistrictAccess",
) -> DistrictVersion:
    """Write a version of a district and make it the current one; the district is made if it is new. Locks
    its row.
    """
    district = _locked(inputs)
    number = (district.versions.order_by("-number").values_list("number", flat=True).first() or 0) + 1
    changes = {layer: rows.write(district, layer, layers[layer], number) for layer in LAYERS}
    stated = parse_datetime(model.date) if model.date else None
    if stated and timezone.is_naive(stated):
        stated = stated.replace(tzinfo=dt.UTC)
    version = DistrictVersion.objects.create(
        district=district,
        number=number,
        author=User.objects.filter(username=inputs["author"]).first() if inputs["author"] else None,
        sources=inputs["files"],
        sources_sha256=hashlib.sha256("".join(f["sha256"] for f in inputs["files"]).encode()).hexdigest(),
        licence=inputs["licence"] or model.licence,
        attribution=inputs["attribution"] or model.attribution,
        dated_at=stated or timezone.now(),
        date_stated=stated is not None,
        epsg=model.epsg or 0,
        bounds=list(bounds(model.buildings)),
        counts={layer: len(layers[layer]) for layer in LAYERS} | _totals(model),
        skipped=[{"what": what, "why": why, "count": n} for (what, why), n in sorted(model.skipped.items())],
        changes={layer: asdict(change) for layer, change in changes.items()},
        engine_version=ENGINE_VERSION,
    )
    store_access(version=version, access=access)
    district.current = version
    district.save(update_fields=["current"])
    return version


def _locked(inputs: Mapping[str, Any]) -> District:
    """The district's row, made if need be, held until the transaction ends; a name or place that is given is
    kept.
    """
    place = Place.objects.filter(slug=inputs["place"]).first() if inputs["place"] else None
    defaults = {"name": inputs["name"] or inputs["slug"], "place": place, "demo": inputs["demo"]}
    District.objects.get_or_create(slug=inputs["slug"], defaults=defaults)
    district = District.objects.select_for_update(of=("self",)).get(slug=inputs["slug"])
    district.name = inputs["name"] or district.name
    district.place = place or district.place
    district.save(update_fields=["name", "place"])
    return district


def _totals(model: CityModel) -> dict[str, Any]:
    """Sums that pages show: kilometres of streets and how heights are known."""
    sources: dict[str, int] = {}
    for building in model.buildings:
        source = building.properties["height_source"]
        sources[source] = sources.get(source, 0) + 1
    metres = {way: sum(s.properties["length_m"] for s in model.streets if s.properties[way]) for way in ("foot", "car")}
    return {
        "height_sources": sources,
        "foot_km": round(metres["foot"] / 1000, 3),
        "car_km": round(metres["car"] / 1000, 3),
    }


@transaction.atomic
def store_access(*, version: DistrictVersion, access: "DistrictAccess") -> Access:
    """Keep the access of a version; replaces what an older engine found."""
    kept, _created = Access.objects.update_or_create(
        version=version,
        defaults={
            "engine_version": ENGINE_VERSION,
            "summary": {kind: asdict(found) for kind, found in access.summary.items()},
            "all_within_15": access.all_within_15,
            "keys": access.keys,
            "minutes": {kind: [round(m, 2) for m in found.tolist()] for kind, found in access.minutes.items()},
            "walk_nodes": access.nodes,
            "walk_edges": access.edges,
            "walk_kept_share": access.kept_share,
        },
    )
    return kept


@transaction.atomic
def remove_demo() -> int:
    """Take the demo districts away with all their versions; how many."""
    demo = District.objects.filter(demo=True)
    number = demo.count()
    read = [kept for version in DistrictVersion.objects.filter(district__in=demo) for kept in version.sources]
    Run.objects.filter(demo=True, kind__startswith="twin.").delete()
    demo.update(current=None)
    demo.delete()
    transaction.on_commit(lambda: _forget_unused(read))
    return number


def _forget_unused(read: Sequence[Kept]) -> None:
    """Remove kept files that no version and no import names any more."""
    lists = [*DistrictVersion.objects.values_list("sources", flat=True)]
    lists += Run.objects.filter(kind="twin.import").values_list("inputs__files", flat=True)
    named = {kept["sha256"] for kepts in lists for kept in kepts or ()}
    for kept in read:
        if kept["sha256"] not in named:
            forget(kept)
