"""A plate of several files: which of them took which share of what was laid down (docs/provenance.md).

`Job.made_of` holds a part for each file: {"design", "path", "commit", "blob", "release", "share", "pieces", "method",
"provenance", "licence", "public"}. It is empty where one file speaks for all; what the shares leave out nobody knows.
Licence and publicity are written down once, as with any job's.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from labs.models import Job
from labs.services.jobs import origin as origins

if TYPE_CHECKING:
    from designs.models import Design
    from designs.queries.origins import Origin
    from labs.queries.shapes import OnPlate

#: A design speaks for the whole plate when this share of it is its own.
LEAST = 0.5


def part_it(*, job: Job, plate: "Sequence[OnPlate]", named: "Sequence[Origin]") -> None:
    """Write down what a plate was made of, by the shapes on it and the sources that its program names; does not save.

    A thing whose shape several designs have is nobody's, unless the program names one of them. Named sources whose
    shape was not found share what is left by their volume, unless shapes of others stand there: the notes lack some.
    """
    found: dict[str, dict[str, Any]] = {}
    by_name = {one.blob: one for one in named}
    for thing in plate:
        origin = next((by_name[one.blob] for one in thing.origins if one.blob in by_name), None)
        method = Job.Method.NOTE if origin is not None else Job.Method.GEOMETRY
        if origin is None and len({one.design.pk for one in thing.origins}) == 1:
            origin = thing.origins[0]
        if origin is not None:
            _add(found, job, origin, method, thing.share, thing.pieces)
    others = any(part["method"] == Job.Method.GEOMETRY for part in found.values())
    left = [one for one in named if one.blob not in found and not others]
    rest = 1.0 - sum(part["share"] for part in found.values())
    if left and rest > 1e-6:
        for one, weight in zip(left, _weights(left), strict=True):
            _add(found, job, one, Job.Method.NOTE, rest * weight, 1)
    job.made_of = list(found.values()) if len(found) > 1 else []


def _add(  # noqa: PLR0917 a part, field by field
    found: dict[str, dict[str, Any]], job: Job, origin: "Origin", method: Job.Method, share: float, pieces: int
) -> None:
    part = found.get(origin.blob)
    if part is not None:
        part["share"], part["pieces"] = part["share"] + share, part["pieces"] + pieces
        return
    before = next((one for one in job.made_of if _same(one, origin)), None)
    if before is None:
        licence, public = origins.of_version(job=job, design=origin.design, commit=origin.commit, path=origin.path)
    else:
        licence, public = str(before["licence"]), bool(before["public"])
    grade = Job.Provenance.PROVEN if method == Job.Method.NOTE else Job.Provenance.PROBABLE
    found[origin.blob] = {
        "design": origin.design.pk, "path": origin.path, "commit": origin.commit, "blob": origin.blob,
        "release": origin.release, "share": share, "pieces": pieces, "method": method.value,
        "provenance": grade.value, "licence": licence, "public": public,
    }  # fmt: skip


def _same(part: Mapping[str, Any], origin: "Origin") -> bool:
    return (part.get("design"), part.get("commit"), part.get("path")) == (origin.design.pk, origin.commit, origin.path)


def _weights(sources: "Sequence[Origin]") -> list[float]:
    """How much each is of all of them, by the volume of their meshes; evenly where one is not known."""
    from designs.models import Blob  # noqa: PLC0415 the room may be left out

    rows = Blob.objects.filter(oid__in=[one.blob for one in sources]).values_list("oid", "facts")
    told = {oid: (facts or {}).get("volume_mm3") for oid, facts in rows}
    volumes = [told.get(one.blob) for one in sources]
    known = [float(v) for v in volumes if isinstance(v, int | float) and v > 0]
    if len(known) < len(sources):
        return [1 / len(sources)] * len(sources)
    return [volume / sum(known) for volume in known]


def named_before(job: Job) -> "list[Origin]":
    """The sources that the program named when it was read, as the lab may still see them."""
    from designs.queries.origins import origins as origins_of  # noqa: PLC0415 the room may be left out

    person = job.booking.user if job.booking else None
    found = []
    for part in job.made_of:
        if part.get("method") == Job.Method.NOTE:
            held = origins_of(blob=part["blob"], visible_to=person, organisation=job.machine.lab.organisation)
            found += [next((one for one in held if _same(part, one)), held[0])] if held else []
    return found


@dataclass(frozen=True, slots=True)
class Speaker:
    """The file of a design whose parts are at least half of a plate, as a proof wants it."""

    design: "Design"
    path: str
    commit: str
    blob: str
    release: str


def speaker(job: Job, *, proven: bool) -> Speaker | None:
    """The design that speaks for the plate, with its largest part; of proven parts alone, or of all."""
    from designs.queries.origins import seen_at  # noqa: PLC0415 the room may be left out

    parts = [part for part in job.made_of if not proven or part["provenance"] == Job.Provenance.PROVEN]
    sums: dict[int, float] = {}
    for part in parts:
        sums[part["design"]] = sums.get(part["design"], 0.0) + part["share"]
    best = max(sums, key=lambda pk: sums[pk], default=None)
    if best is None or sums[best] < LEAST:
        return None
    person = job.booking.user if job.booking else None
    design = seen_at(person, job.machine.lab.organisation).filter(pk=best).first()
    if design is None:
        return None
    largest = max((part for part in parts if part["design"] == best), key=lambda part: part["share"])
    return Speaker(design, *(str(largest[name]) for name in ("path", "commit", "blob", "release")))


def designs_of(parts: Iterable[Mapping[str, Any]]) -> set[int]:
    """The keys of the designs that parts are of."""
    return {int(part["design"]) for part in parts if part.get("design")}
