"""Writes of the twin: start an import, store a version, take a district away. Each is one transaction."""

import datetime as dt
import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
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
from twin.engine.corrections import Corrected
from twin.engine.model import LAYERS, CityModel, Layer, bounds
from twin.errors import BadDistrictName
from twin.files import Kept, forget
from twin.models import Access, District, DistrictVersion
from twin.services.conflicts import contest

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
    names: Mapping[str, str] | None = None,
    keep: bool = False,
) -> Run:
    """Queue the import of kept files as a new version of the district `slug`. Raises BadDistrictName.

    `names`: ours by theirs (engine.model.Asked). With `keep`, layers that the files do not hold stay as they stand.
    """
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
        "names": dict(names or {}),
        "keep": keep,
        "country": place.country if place else "",
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


@dataclass(frozen=True, slots=True)
class Prepared:
    """What an import made of its files over the version `basis` of the district, 0 where it is new."""

    laid: Corrected
    layers: Mapping[Layer, Sequence[rows.Row]]
    access: "DistrictAccess"
    basis: int


@transaction.atomic
def store_version(
    *,
    inputs: Mapping[str, Any],
    prepared: Prepared,
    again: Callable[[], Prepared],
) -> DistrictVersion:
    """Write a version of a district and make it the current one; the district is made if it is new. Locks
    its row. `again` prepares afresh where the district got a version since it was `prepared`.
    """
    district = _locked(inputs)
    if (district.current.number if district.current else 0) != prepared.basis:
        prepared = again()
    model, layers = prepared.laid.model, prepared.layers
    carried = district.current if model.carried else None
    number = (district.versions.order_by("-number").values_list("number", flat=True).first() or 0) + 1
    changes = {layer: rows.write(district, layer, layers[layer], number) for layer in LAYERS}
    stated = parse_datetime(model.date) if model.date else None
    if stated and timezone.is_naive(stated):
        stated = stated.replace(tzinfo=dt.UTC)
    version = DistrictVersion.objects.create(
        district=district,
        number=number,
        author=User.objects.filter(username=inputs["author"]).first() if inputs["author"] else None,
        sources=_once([*(carried.sources if carried else ()), *inputs["files"]]),
        sources_sha256=hashlib.sha256("".join(f["sha256"] for f in inputs["files"]).encode()).hexdigest(),
        licence=_both(carried.licence if carried else "", inputs["licence"] or model.licence)[:200],
        attribution=_both(carried.attribution if carried else "", inputs["attribution"] or model.attribution)[:400],
        dated_at=stated or timezone.now(),
        date_stated=stated is not None,
        epsg=model.epsg or 0,
        bounds=list(bounds(model.buildings)),
        counts={layer: len(layers[layer]) for layer in LAYERS} | _totals(model),
        skipped=[{"what": what, "why": why, "count": n} for (what, why), n in sorted(model.skipped.items())],
        remarks=[{"code": code, "where": where, "detail": detail} for code, where, detail in model.remarks],
        changes={layer: asdict(change) for layer, change in changes.items()},
        engine_version=ENGINE_VERSION,
    )
    store_access(version=version, access=prepared.access)
    district.current = version
    district.save(update_fields=["current"])
    contest(district=district, version=version, laid=prepared.laid)
    return version


def _locked(inputs: Mapping[str, Any]) -> District:
    """The district's row, made if need be, held until the transaction ends; a name or place that is given is
    kept.
    """
    place = Place.objects.filter(slug=inputs["place"]).first() if inputs["place"] else None
    defaults = {"name": inputs["name"] or inputs["slug"], "place": place, "demo": inputs["demo"]}
    District.objects.get_or_create(slug=inputs["slug"], defaults=defaults)
    district = locked(inputs["slug"])
    district.name = inputs["name"] or district.name
    district.place = place or district.place
    district.save(update_fields=["name", "place"])
    return district


def _both(first: str, second: str) -> str:
    """Two licences or names as one line, each once."""
    words = [word for line in (first, second) for word in line.split(" · ") if word]
    return " · ".join(dict.fromkeys(words))


def _once(kept: Sequence[Kept]) -> list[Kept]:
    """Files by their content, each once."""
    return list({file["sha256"]: file for file in kept}.values())


def locked(slug: str) -> District:
    """The row of a district that stands, held until the transaction ends."""
    return District.objects.select_for_update(of=("self",)).select_related("current").get(slug=slug)


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
