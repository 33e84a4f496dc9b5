"""Which files of designs have the shape of what was printed. For workers alone: it loads numpy."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from django.db.models import Exists, F, OuterRef, QuerySet
from django.db.models.functions import Abs

from labs.engine import extrusion
from labs.engine.extrusion import comparing
from labs.models import Job, ShapeProfile

if TYPE_CHECKING:
    from designs.models import Design
    from designs.queries.origins import Origin

#: Shapes of about the right size that are compared one by one.
MOST_COMPARED = 600
#: A print's height is rounded to layers, its girth to beads.
SLACK_MM, SLACK_GIRTH_MM, SLACK = 0.6, 3.0, 0.02
MOST_FOUND = 6


@dataclass(frozen=True, slots=True)
class Found:
    """A file whose shape it is, how far they are apart, and how many pieces of it lie on the plate."""

    origin: "Origin"
    distance_mm: float
    pieces: int


def near(profile: extrusion.Profile, seen: "QuerySet[Design]") -> list[tuple[str, comparing.Match]]:
    """Contents of these designs by the nearness of their shape: git's id of each, with how far it is."""
    from designs.models import FileVersion  # noqa: PLC0415 the room may be left out

    girth, hull = profile.girth_mm, profile.hull_mm2
    room = SLACK_MM + profile.height_mm * 0.004
    wide = SLACK_GIRTH_MM + girth * SLACK
    held = FileVersion.objects.filter(blob=OuterRef("blob"), design__in=seen.values("pk"))
    rows = (
        ShapeProfile.objects.filter(
            version=extrusion.PROFILE_VERSION,
            height_mm__range=(profile.height_mm - room, profile.height_mm + room),
            girth_mm__range=(girth - wide, girth + wide),
            hull_mm2__range=(hull * 0.94 - 5 * girth * 0.1, hull * 1.06 + 5 * girth * 0.1),
        )
        .exclude(up="")
        .filter(Exists(held))
        .order_by(Abs(F("girth_mm") - girth) + Abs(F("height_mm") - profile.height_mm))
        .values_list("blob__oid", "packed")[:MOST_COMPARED]
    )
    listed = list(rows)
    others = [extrusion.unpack(bytes(packed)) for _oid, packed in listed]
    best: dict[str, comparing.Match] = {}
    for (oid, _packed), match in zip(listed, extrusion.distances(profile, others), strict=True):
        if oid not in best or match.mm < best[oid].mm:
            best[oid] = match
    return sorted(best.items(), key=lambda pair: pair[1].mm)


def of_print(job: Job, printed: Sequence[extrusion.Printed]) -> list[Found]:
    """The files that the job may be of, nearest first: one, or several that cannot be told apart; none when nothing is
    near enough. All that stands on the plate is looked for first, then its largest object."""
    from designs.queries.origins import origins, seen_at  # noqa: PLC0415 the room may be left out

    person = job.booking.user if job.booking else None
    organisation = job.machine.lab.organisation
    seen = seen_at(person, organisation)
    hits, pieces = _hits(printed, seen)
    found = []
    booked = job.booking.design_id if job.booking else None
    for oid, match in hits[:MOST_FOUND]:
        held = origins(blob=oid, visible_to=person, organisation=organisation)
        best = next((one for one in held if one.design.pk == booked), held[0] if held else None)
        if best is not None:
            found.append(Found(best, round(match.mm, 4), pieces))
    return found


@dataclass(frozen=True, slots=True)
class OnPlate:
    """A kind of thing on a plate: its share of the filament, how many, and the files of that shape, nearest first."""

    share: float
    pieces: int
    origins: tuple["Origin", ...]


def plate(job: Job, printed: Sequence[extrusion.Printed]) -> list[OnPlate]:
    """What the things on a plate may be of, one by one; nothing where a file has the shape of the whole plate."""
    from designs.queries.origins import origins, seen_at  # noqa: PLC0415 the room may be left out

    person, organisation = job.booking.user if job.booking else None, job.machine.lab.organisation
    seen, things = seen_at(person, organisation), [one for one in printed if not one.whole]
    if len(things) < 2 or any(one.whole and _close(one, seen) for one in printed):
        return []
    found = []
    for one in things:
        held: list[Origin] = []
        for oid, _match in _close(one, seen)[:MOST_FOUND]:
            held += origins(blob=oid, visible_to=person, organisation=organisation)
        found.append(OnPlate(one.share, one.count, tuple(held)))
    return found


def _close(one: extrusion.Printed, seen: "QuerySet[Design]") -> list[tuple[str, comparing.Match]]:
    return comparing.close(near(one.profile, seen), one.profile)


def _hits(
    printed: Sequence[extrusion.Printed], seen: "QuerySet[Design]"
) -> tuple[list[tuple[str, comparing.Match]], int]:
    for one in printed:
        if not one.whole and one.share < comparing.LEAST_SHARE:
            continue
        hits = _close(one, seen)
        if hits:
            return hits, one.count
    return [], 0
