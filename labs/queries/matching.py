"""Which machines can make a design, in words."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from django.utils.translation import gettext as _

from labs.engine import matching as engine
from labs.models import Machine
from labs.queries import catalogue

if TYPE_CHECKING:
    from designs.models import Design
    from designs.queries.files import File


@dataclass(frozen=True, slots=True)
class Match:
    """A machine for a design: whether it fits, the files it can make, and reasons as sentences."""

    machine: Machine
    fits: bool
    makes: tuple[str, ...]
    reasons_for: tuple[str, ...]
    reasons_against: tuple[str, ...]


def parts_of(design: "Design") -> list[engine.Part]:
    """The files of the design's present version, with what is known of their shape."""
    from designs.models import FileVersion  # noqa: PLC0415 the room may be left out

    current = FileVersion.objects.filter(design=design, current=True).select_related("blob").order_by("path")
    found = []
    for version in current:
        facts = version.blob.facts or {}
        extents = facts.get("extents_mm")
        found.append(
            engine.Part(
                path=version.path,
                format=version.blob.format,
                extents_mm=tuple(map(float, extents)) if extents else None,
                watertight=facts.get("watertight"),
                sound=version.blob.can_be_made,
            )
        )
    return [part for part in found if any(part.format in formats for formats in engine.FORMATS.values())]


def machines_for(file: "File") -> list[Machine] | None:
    """The machines of all labs, in order, that can make this one file as large as it is; None where its format or its
    size is for no machine to judge."""
    if file.blob is None or not file.blob.can_be_made:
        return None
    facts = file.blob.facts or {}
    extents = facts.get("extents_mm")
    if not extents or not any(file.format in formats for formats in engine.FORMATS.values()):
        return None
    part = engine.Part(file.path, file.format, tuple(map(float, extents)), facts.get("watertight"))
    return [
        machine
        for machine in catalogue.machines().order_by("lab__name", "name")
        if _match(machine, [part]).fits and machine.volume_mm is not None
    ]


def matches(design: "Design", *, machines: Sequence[Machine] | None = None) -> list[Match]:
    """Every machine with reasons for and against, those that fit first; three queries in all."""
    parts = parts_of(design)
    asked = list(catalogue.machines()) if machines is None else machines
    found = [_match(machine, parts) for machine in asked]
    return sorted(found, key=lambda m: (not m.fits, len(m.reasons_against), m.machine.pk))


def _match(machine: Machine, parts: Sequence[engine.Part]) -> Match:
    verdict = engine.match(
        parts,
        process=machine.process,
        volume_mm=machine.volume_mm,
        in_order=machine.state == Machine.State.OK,
    )
    return Match(
        machine,
        verdict.fits,
        verdict.makes,
        tuple(_say(machine, reason) for reason in verdict.reasons_for),
        tuple(_say(machine, reason) for reason in verdict.reasons_against),
    )


def _say(machine: Machine, reason: engine.Reason) -> str:
    volume = " × ".join(f"{v:g}" for v in machine.volume_mm or () if v is not None)
    sentences = {
        "format-fits": _("%(path)s is a file for %(process)s."),
        "format-not": _("No file of this design is one for %(process)s."),
        "size-fits": _("%(path)s fits into %(volume)s mm."),
        "size-not": _("%(path)s is larger than %(volume)s mm."),
        "size-unknown": _("The size of %(path)s, or of the machine, is not known."),
        "broken": _("%(path)s could not be read, so nobody knows what it would make."),
        "open-mesh": _("%(path)s is not closed; a printer may leave a hole."),
        "in-repair": _("%(machine)s is in repair."),
    }
    words = {
        "path": reason.path,
        "process": machine.get_process_display(),
        "volume": volume,
        "machine": machine.name,
    }
    return sentences[reason.word] % words
