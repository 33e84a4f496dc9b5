"""Reads of passports: what one says to everybody, who may add to it, whose they are."""

import hashlib
import uuid
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from django.apps import apps
from django.conf import settings
from django.db.models import Exists, OuterRef, QuerySet
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import override

from commons.people.models import User
from commons.runs.services import canonical_json
from designs import licences
from labs import policies
from labs.engine import openness
from labs.errors.passports import UnknownPassport
from labs.models import EnergyFigure, HiddenEntry, Job, Lab, MakeOrder, Passport, PassportCredential, PassportEntry
from labs.passports import subject


def url_of(passport: Passport) -> str:
    """The address of the passport's page, as others write it."""
    with override(settings.LANGUAGE_CODE):
        return f"{settings.PUBLIC_URL}{reverse('rooms:passport', args=[passport.pk])}"


def label_url(passport: Passport) -> str:
    """What the label says: who reads it holds the thing."""
    return f"{url_of(passport)}?held={passport.code}"


def rows() -> QuerySet[Passport]:
    """Passports with what a page needs."""
    return Passport.objects.select_related("lab__place", "job__machine", "job__design__owner", "job__booking__user")


def find(number: uuid.UUID | str) -> Passport:
    """The passport of that number. Raises UnknownPassport."""
    try:
        key = uuid.UUID(str(number))
    except ValueError:
        key = None
    found = rows().filter(pk=key).first() if key else None
    if found is None:
        raise UnknownPassport(_("There is no passport of that number."))
    return found


def entries_of(passport: Passport) -> list[PassportEntry]:
    """Its entries in order, each with whether it is hidden."""
    hidden = HiddenEntry.objects.filter(entry=OuterRef("pk"))
    found = passport.entries.annotate(is_hidden=Exists(hidden)).order_by("number")
    return list(found)


def design_shown(passport: Passport) -> bool:
    """Whether what is written down of its design may still be told."""
    job = passport.job
    return job is not None and job.design is not None and job.design.is_shown


def told(passport: Passport, entries: Iterable[PassportEntry] | None = None) -> dict[str, Any]:
    """What the passport says to everybody now (`labs.passports.subject`)."""
    listed = entries_of(passport) if entries is None else list(entries)
    plain = [
        {
            "number": e.number, "kind": e.kind, "at": e.at.isoformat(timespec="seconds"), "facts": e.facts,
            "hidden": getattr(e, "is_hidden", False),
        }
        for e in listed
    ]  # fmt: skip
    return subject.of(url_of(passport), plain, design_shown=design_shown(passport))


def digest(document: Mapping[str, Any]) -> str:
    """Names what a passport says."""
    return hashlib.sha256(canonical_json(document)).hexdigest()


def signed(passport: Passport) -> PassportCredential | None:
    """The newest signed document, if it still says what the passport says."""
    newest = passport.credentials.order_by("-signed_at", "-pk").first()
    return newest if newest is not None and newest.told == digest(told(passport)) else None


@dataclass(frozen=True, slots=True)
class Standing:
    """What a person may do with a passport: add what happened to the thing, correct it, see its label."""

    adds: bool = False
    corrects: bool = False
    labels: bool = False


def holder(passport: Passport) -> User | None:
    """Whose thing it is: of an order its person, else who had booked the machine."""
    job = passport.job
    if job is None or job.booking is None:
        return None
    order = MakeOrder.objects.filter(order_bookings__booking=job.booking_id).select_related("person").first()
    return order.person if order else job.booking.user


def is_ordered(passport: Passport) -> bool:
    """Whether the thing was made for an order: then no list of the lab names it."""
    job = passport.job
    return bool(job and job.booking_id and MakeOrder.objects.filter(order_bookings__booking=job.booking_id).exists())


def standing(passport: Passport, person: User | None, code: str = "") -> Standing:
    """The lab's own people, whose thing it is, and any signed-in person who has read the label."""
    if person is None or not person.is_authenticated:
        return Standing()
    fellow = policies.is_fellow(person, passport.lab)
    own = holder(passport) == person
    held = bool(code) and code == passport.code
    return Standing(
        adds=fellow or own or held,
        corrects=policies.may_train(person, passport.lab),
        labels=own or policies.may_train(person, passport.lab),
    )


def of_person(person: User) -> QuerySet[Passport]:
    """The passports of a person's things: what they ordered, and what they made themselves; newest first."""
    return rows().filter(job__in=_jobs_of(person)).order_by("-job__finished_at")


def _jobs_of(person: User) -> QuerySet[Job]:
    ordered = Job.objects.filter(booking__order_booking__order__person=person)
    own = Job.objects.filter(booking__user=person, booking__order_booking=None)
    return (ordered | own).distinct()


def of_lab(lab: Lab) -> QuerySet[Passport]:
    """What a lab shows of what it made: not what people had ordered for themselves."""
    found = rows().filter(lab=lab, job__isnull=False, job__booking__order_booking=None)
    return found.order_by("-job__finished_at", "pk")


# --- what an entry writes down -----------------------------------------------------------------------------------


def core_of(job: Job) -> dict[str, Any]:
    """What a passport writes down of a job besides its energy: without a person, a file's name or a machine's name."""
    machine, lab = job.machine, job.machine.lab
    with override(settings.LANGUAGE_CODE):
        lab_url = f"{settings.PUBLIC_URL}{reverse('rooms:lab', args=[lab.slug])}"
        kind, process = str(machine.get_cls_display()), str(machine.get_process_display())
    facts: dict[str, Any] = {
        "name": "", "summary": "",
        "lab": {"name": lab.name, "url": lab_url, "address": lab.address},
        "make": {
            "machineKind": machine.cls, "machine": kind, "process": process, "maker": machine.maker,
            "model": machine.model, "startedAt": job.started_at.isoformat(timespec="seconds"),
            "finishedAt": job.finished_at.isoformat(timespec="seconds") if job.finished_at else "",
        },
        "material": {"mass_g": job.material_g, "name": _material(job)},
        "design": {}, "attribution": [],
    }  # fmt: skip
    return facts | _design(job)


def _material(job: Job) -> str:
    """What the order named, or the only material that the machine takes."""
    if job.booking_id:
        order = MakeOrder.objects.filter(order_bookings__booking=job.booking_id).only("material").first()
        if order is not None and order.material:
            return order.material
    return job.machine.materials[0] if len(job.machine.materials) == 1 else ""


def _design(job: Job) -> dict[str, Any]:
    """What may be told of the design: a private one looks like a file that nobody knows."""
    design = job.design
    if design is None or not job.public_made or not design.is_shown or not apps.is_installed("designs"):
        return {"make_known": Job.Provenance.UNKNOWN.value}
    from designs.queries import lineage  # noqa: PLC0415 the room may be left out

    licence = job.licence_made or design.licence
    is_open, reasons = licences.reasons(licence)
    chain = lineage.chain(design)
    with override(settings.LANGUAGE_CODE):
        attribution = [
            {
                "hops": link.hops, "relation": link.relation, "title": str(link.title), "authors": link.authors,
                "licence": link.licence, "url": link.url,
            }
            for link in chain
        ]  # fmt: skip
    return {
        "name": design.name,
        "summary": design.summary,
        "design": {
            "url": lineage.url_of(design), "path": job.design_path, "commit": job.design_commit,
            "blob": job.design_blob, "release": job.design_release, "licence": licence, "open": is_open,
            "reasons": [f"{one.licence}: {one.reason}" for one in reasons], "provenance": job.provenance,
        },
        "attribution": attribution,
        "make_known": job.provenance,
    }  # fmt: skip


def energy_of(figure: EnergyFigure | None) -> dict[str, Any]:
    """What a passport writes down of a figure of energy."""
    if figure is None:
        return {"quality": "none"}
    return {
        "figure": figure.number, "kwh": figure.kwh, "plusMinus_kwh": figure.pm_kwh, "quality": figure.quality,
        "coverage": figure.coverage, "warmUp_kwh": figure.warm_kwh, "making_kwh": figure.making_kwh,
        "idle_kwh": figure.idle_kwh, "splitBy": figure.split_by, "why": figure.why, "co2_g": figure.co2_g,
        "solarShare": figure.solar_share, "cost": figure.cost, "currency": figure.currency,
        "inputs": {name: value for name, value in figure.inputs.items() if name != "meters"}, "sha256": figure.sha256,
    }  # fmt: skip


def is_open_made(facts: Mapping[str, Any]) -> str:
    """The class of the figure in which the thing counts, for the page."""
    design = facts.get("design") or {}
    return openness.Part(str(design.get("provenance", "unknown")), bool(design.get("open"))).cls
