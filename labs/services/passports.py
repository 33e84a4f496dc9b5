"""Passports: issued when a job's figure is settled, added to and never rewritten, signed with the lab's key.

Signing brings a JSON-LD processor, so it is the work of a run; here is written down what is due.
"""

import datetime as dt
import logging
import re
import uuid
from collections.abc import Mapping
from typing import Any

from django.db import transaction
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext as _

from commons.errors import CityError
from commons.people.models import User
from commons.runs import services as runs
from commons.runs.models import Run
from labs import policies
from labs.errors.passports import BadEntry, BadPassport, NotHolder
from labs.models import HiddenEntry, IssuerKey, Job, Lab, Passport, PassportCredential, PassportEntry
from labs.passports import fields
from labs.passports.subject import merged
from labs.queries import passports as reads
from labs.services import credentials
from labs.services.jobs import energy, origin

log = logging.getLogger(__name__)
Kind = PassportEntry.Kind
#: What people may add, and the fields that each has (INTERFACER's names).
HAPPENED: Mapping[str, tuple[str, ...]] = {
    Kind.REPAIRED: ("reasonForRepair", "performedAction", "materialsUsed", "dateOfRepair"),
    Kind.REFURBISHED: ("performedAction", "materialsUsed", "dateOfRefurbishment"),
    Kind.RECYCLED: ("performedAction", "dateOfRecycling"),
}
MOST_WORDS, MOST_ENTRIES = 600, 200
LATER = dt.timedelta(minutes=10)
SIGNING = "labs.sign_passports"


# --- issuing -----------------------------------------------------------------------------------------------------


def settle_due(now: dt.datetime) -> dict[str, int]:
    """Settle the jobs whose figures are due, issue or add to their passports, have them signed; how many of each.

    A job that cannot be settled costs itself alone: it waits ten minutes more.
    """
    settled = 0
    for job in energy.due(now):
        try:
            settle(job=job)
            settled += 1
        except (CityError, ArithmeticError, LookupError, ValueError):
            log.exception("the figure of job %s failed", job.pk)
            Job.objects.filter(pk=job.pk).update(settle_at=now + LATER)
    withdrawn = sum(_withdraw(passport) for passport in _to_withdraw())
    issued = Passport.objects.filter(stale=True).count()
    waiting = Run.objects.filter(kind=SIGNING, status__in=[Run.Status.QUEUED, Run.Status.RUNNING])
    if issued and not waiting.exists():
        start_signing()
    return {"settled": settled, "withdrawn": withdrawn, "to_sign": issued}


def settle(*, job: Job) -> Passport | None:
    """The job's figure, and its passport when it has finished well."""
    fresh = Job.objects.select_related("design__owner", "machine__lab__place", "booking__user").get(pk=job.pk)
    if origin.read_commit(job=fresh):
        from labs.services import production  # noqa: PLC0415 it reads what is written here

        production.changed(job=fresh)
    energy.settle(job=fresh)
    return issue(job=fresh) if fresh.outcome == Job.Outcome.FINISHED else None


@transaction.atomic
def issue(*, job: Job) -> Passport:
    """The passport of a finished job: made on first use, then added to where what is known has changed."""
    Job.objects.select_for_update(of=("self",)).only("pk").get(pk=job.pk)
    job = Job.objects.select_related("design__owner", "machine__lab", "booking__user").get(pk=job.pk)
    core, told = reads.core_of(job), reads.energy_of(job.energy_figures.order_by("-number").first())
    passport = Passport.objects.filter(job=job).first()
    if passport is None:
        passport = Passport.objects.create(job=job, lab=job.machine.lab, demo=job.demo)
        _add(passport, Kind.MADE, {**core, "energy": told})
    else:
        before = merged([{"kind": e.kind, "facts": e.facts} for e in passport.entries.order_by("number")])
        if told != before.get("energy"):
            _add(passport, Kind.ENERGY, {"energy": told})
        changed = {name: value for name, value in core.items() if _differs(before, name, value)}
        if "design" in changed:
            changed |= {name: core[name] for name in ("name", "summary", "attribution")}
        if changed:
            _add(passport, Kind.CORRECTED, changed)
    _tells(passport, bool(core["design"]))
    return passport


def _differs(before: Mapping[str, Any], name: str, value: Any) -> bool:
    """Whether a fact is another one. A design that is not everybody's any more is an entry of its own kind; what a
    person corrected stands against what the machine said."""
    if name in {"design", "name", "summary", "attribution", "make_known"}:
        return bool(value) and name in {"design", "make_known"} and value != before.get(name)
    if name == "material":
        said = before.get("material") or {}
        return not said.get("corrected") and value != said
    return name not in {"lab"} and value != before.get(name)


def _add(passport: Passport, kind: str, facts: Mapping[str, Any], *, by: User | None = None) -> PassportEntry:
    """Append an entry; the passport's row is locked, so numbers have no gaps."""
    Passport.objects.select_for_update(of=("self",)).only("pk").get(pk=passport.pk)
    last = passport.entries.order_by("-number").values_list("number", flat=True).first() or 0
    if last >= MOST_ENTRIES:
        raise BadEntry(_("This passport is full."))
    Passport.objects.filter(pk=passport.pk).update(stale=True)
    return PassportEntry.objects.create(passport=passport, number=last + 1, kind=kind, facts=dict(facts), by=by)


def _tells(passport: Passport, tells: bool) -> None:
    if passport.tells_design != tells:
        passport.tells_design = tells
        Passport.objects.filter(pk=passport.pk).update(tells_design=tells)


def _to_withdraw() -> list[Passport]:
    """Passports that tell of a design which is not everybody's any more."""
    hidden = (
        Q(job=None) | Q(job__design=None) | ~Q(job__design__visibility="public")
        | Q(job__design__deleted_at__isnull=False) | Q(job__design__hidden_at__isnull=False)
    )  # fmt: skip
    return list(Passport.objects.filter(hidden, tells_design=True)[:200])


@transaction.atomic
def _withdraw(passport: Passport) -> bool:
    """From now on only the licence of its design is told; pages do so from the moment on which it changed."""
    _add(passport, Kind.DESIGN, {"withdrawn": True})
    _tells(passport, False)
    return True


# --- what people add ---------------------------------------------------------------------------------------------


@transaction.atomic
def happened(
    *, passport: Passport, kind: str, facts: Mapping[str, str], by: User, code: str = "", today: dt.date | None = None
) -> PassportEntry:
    """Write down a repair, a refurbishment or the end of a thing. Raises NotHolder, BadEntry."""
    if not reads.standing(passport, by, code).adds:
        raise NotHolder(_("Read the code on the thing's label: who holds it may add to its passport."))
    if kind not in HAPPENED:
        raise BadEntry(_("Choose what happened: repaired, refurbished or recycled."))
    names = HAPPENED[kind]
    told = {name: " ".join(str(facts.get(name, "")).split())[:MOST_WORDS] for name in names}
    if not told["performedAction"]:
        raise BadEntry(_("Say what was done."))
    date = next(name for name in names if name.startswith("dateOf"))
    told[date] = _day(told[date], today or timezone.now().date())
    for words in told.values():
        _names_nobody(words, passport, by)
    return _add(passport, kind, told, by=by)


def _day(text: str, today: dt.date) -> str:
    try:
        day = dt.date.fromisoformat(text) if text else today
    except ValueError:
        raise BadEntry(_("Write the day as 2026-06-18.")) from None
    if not dt.date(1990, 1, 1) <= day <= today:
        raise BadEntry(_("The day is one that has been."))
    return day.isoformat()


def _names_nobody(words: str, passport: Passport, by: User) -> None:
    """Refuse addresses, and the names of those whom we know to be near: a passport is everybody's to read."""
    digits = re.sub(r"\d{4}-\d\d-\d\d", "", words)
    if re.search(r"\S@\S+\.\S", words) or re.search(r"\+?\d[\d ()/-]{7,}\d", digits):
        raise BadEntry(_("Leave out e-mail addresses and telephone numbers: everybody can read a passport."))
    near = [by, reads.holder(passport)]
    names = {name.casefold() for person in near if person for name in (person.username, str(person)) if len(name) > 2}
    said = set(re.findall(r"[\w'-]+", words.casefold()))
    if any(name in words.casefold() if " " in name else name in said for name in names):
        raise BadEntry(_("Leave out names of people: everybody can read a passport."))


@transaction.atomic
def correct(*, passport: Passport, material: str, mass_g: float | None, by: User) -> PassportEntry:
    """Correct the material of a thing; what stood before stays in its history. Raises NotHolder, BadEntry."""
    if not policies.may_train(by, passport.lab):
        raise NotHolder(_("Those who work in the lab correct what it made."))
    if mass_g is not None and not 0 < mass_g < 1e7:
        raise BadEntry(_("A mass is in g, above 0."))
    words = " ".join(material.split())[:120]
    _names_nobody(words, passport, by)
    if not words and mass_g is None:
        raise BadEntry(_("Say the material or the mass."))
    return _add(passport, Kind.CORRECTED, {"material": {"name": words, "mass_g": mass_g, "corrected": True}}, by=by)


@transaction.atomic
def bring(*, lab: Lab, document: Any, by: User | None, source: str = "", demo: bool = False) -> Passport:
    """Keep a passport from elsewhere, written in INTERFACER's fields. Raises BadPassport when nothing can be taken.

    What it says is its writer's word: no figure of ours counts it.
    """
    read = fields.read(document)
    if not read.fields:
        left = [{"path": one.path, "why": one.why} for one in read.left]
        raise BadPassport(_("Nothing of this document could be taken."), left=left)
    passport = Passport.objects.create(lab=lab, demo=demo)
    _add(passport, Kind.IMPORTED, {"fields": read.fields, "source": source[:200]}, by=by)
    return passport


# --- reports -----------------------------------------------------------------------------------------------------


def hide_entry(key: str, reason: str) -> None:
    """Nobody reads the entry any more; that there was one stays."""
    entry = PassportEntry.objects.get(pk=int(key))
    HiddenEntry.objects.get_or_create(entry=entry, defaults={"reason": reason[:400]})
    Passport.objects.filter(pk=entry.passport_id).update(stale=True)


def show_entry(key: str) -> None:
    """Everybody reads it again."""
    entry = PassportEntry.objects.get(pk=int(key))
    HiddenEntry.objects.filter(entry=entry).delete()
    Passport.objects.filter(pk=entry.passport_id).update(stale=True)


# --- signing -----------------------------------------------------------------------------------------------------


def start_signing() -> Run:
    """Have the passports signed that say something new."""
    return runs.start(kind=SIGNING, inputs={}, title="Signing passports")


def sign_some(*, most: int) -> int:
    """Sign up to so many passports; how many were looked at. For a worker."""
    from labs.passports import signing  # noqa: PLC0415 it brings a JSON-LD processor

    keys: dict[int, tuple[IssuerKey, bytes]] = {}
    rows = list(reads.rows().filter(stale=True).order_by("created_at")[:most])
    for passport in rows:
        entries = reads.entries_of(passport)
        told = reads.told(passport, entries)
        digest = reads.digest(told)
        newest = passport.credentials.order_by("-signed_at", "-pk").first()
        if newest is None or newest.told != digest:
            if passport.lab_id not in keys:
                key = credentials.issuer_key(lab=passport.lab)
                keys[passport.lab_id] = key, credentials.pem_of(key)
            key, pem = keys[passport.lab_id]
            number = f"urn:uuid:{uuid.uuid4()}"
            bare = signing.credential(
                told, multikey=key.multikey, lab=passport.lab.name, number=number, at=timezone.now()
            )
            document = signing.sign(bare, pem=pem, multikey=key.multikey)
            PassportCredential.objects.create(
                passport=passport, upto=entries[-1].number if entries else 0, told=digest, document=document
            )
        _signed(passport, digest)
    return len(rows)


@transaction.atomic
def _signed(passport: Passport, digest: str) -> None:
    """Not stale any more, unless an entry came while it was signed."""
    Passport.objects.select_for_update(of=("self",)).only("pk").get(pk=passport.pk)
    held = reads.find(passport.pk)
    if reads.digest(reads.told(held)) == digest:
        Passport.objects.filter(pk=passport.pk).update(stale=False)
