"""Opening a lab by oneself: a draft that its makers alone see, and the lab, first machine and roles that it becomes."""

import uuid
from collections.abc import Mapping
from typing import Any

from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import transaction
from django.utils import timezone
from django.utils.text import slugify
from django.utils.translation import gettext as _

from commons.people import policies as people_policies
from commons.people.models import Membership, Organisation, User
from commons.people.services import check_handle, create_organisation, set_role
from commons.places.models import Place
from labs.errors.ties import BadDraft, UnknownDraft
from labs.models import Lab, LabDraft, Machine
from labs.services import profile
from labs.services.catalogue import add_machine, open_lab

TEXTS = {"name": 120, "handle": 39, "organisation": 39, "about": 4000, "address": 200, "place": 60, "email": 254}
MACHINE_TEXTS = {"name": 120, "cls": 24, "model": 120}
FIELDS = frozenset({*TEXTS, "lat", "lon", "access", "opening_hours", "machine"})
MOST_DRAFTS, MOST_MAKERS, MOST_W = 20, 20, 1_000_000


# --- the draft ---------------------------------------------------------------------------------------------------


@transaction.atomic
def start(*, by: User, facts: Mapping[str, Any]) -> LabDraft:
    """A draft with a name; the rest may follow. Raises BadDraft, BadHours, HandleTaken, HandleNotAllowed."""
    User.objects.select_for_update(no_key=True).only("pk").get(pk=by.pk)
    if LabDraft.objects.filter(owner=by).count() >= MOST_DRAFTS:
        raise BadDraft(_("You have %(n)d drafts; open or discard one first.") % {"n": MOST_DRAFTS})
    return LabDraft.objects.create(owner=by, facts=checked({}, facts, by))


@transaction.atomic
def change(*, draft: LabDraft, by: User, facts: Mapping[str, Any]) -> LabDraft:
    """Say more, or something else. Raises as `start`, and UnknownDraft."""
    held = _held(draft.pk)
    held.facts, held.changed_at = checked(held.facts, facts, by), timezone.now()
    held.save(update_fields=["facts", "changed_at"])
    return held


@transaction.atomic
def share(*, draft: LabDraft, person: User) -> LabDraft:
    """Let somebody make it too: they see the draft, and manage the lab. Raises BadDraft, UnknownDraft."""
    held = _held(draft.pk)
    if held.makers.count() >= MOST_MAKERS:
        raise BadDraft(_("A draft has %(n)d makers at most.") % {"n": MOST_MAKERS})
    if person.pk != held.owner_id:
        held.makers.add(person)
    return held


@transaction.atomic
def discard(*, draft: LabDraft) -> None:
    """Throw it away. Raises UnknownDraft."""
    _held(draft.pk).delete()


def _held(pk: uuid.UUID) -> LabDraft:
    found = LabDraft.objects.select_for_update(of=("self",)).select_related("owner").filter(pk=pk).first()
    if found is None:
        raise UnknownDraft(_("This draft was opened or discarded meanwhile."))
    return found


# --- opening -----------------------------------------------------------------------------------------------------


@transaction.atomic
def publish(*, draft: LabDraft, by: User) -> Lab:
    """Open the lab: its organisation, its first machine, its makers as managers; the draft goes.

    Raises BadDraft with what is missing, HandleTaken, NotYourOrganisation, UnknownDraft; then nothing is changed.
    """
    held = _held(draft.pk)
    facts = held.facts
    if lacking := missing(facts):
        raise BadDraft(_("Before it opens, say: %(what)s.") % {"what": ", ".join(lacking)}, where="publish")
    lab = open_lab(
        organisation=_organisation(held, by),
        name=facts["name"],
        about=facts.get("about", ""),
        address=facts.get("address", ""),
        lat=facts.get("lat"),
        lon=facts.get("lon"),
        place=Place.objects.filter(slug=facts.get("place") or None).first(),
        opening_hours=facts.get("opening_hours") or {},
    )
    profile.change_lab(lab=lab, access=facts.get("access", Lab.Access.PUBLIC), email=facts.get("email", ""))
    machine = facts["machine"]
    facts_ = {"model": machine.get("model", ""), "rated_w": machine.get("rated_w")}
    add_machine(lab=lab, name=machine["name"], cls=machine["cls"], **facts_)
    _let_in(lab.organisation, held)
    held.delete()
    return lab


def _organisation(draft: LabDraft, by: User) -> Organisation:
    """The organisation that is named, if the person runs it and it has no lab; else a new one of the draft's owner."""
    facts = draft.facts
    if not facts.get("organisation"):
        return create_organisation(
            handle=facts["handle"], name=facts["name"], kind=Organisation.Kind.LAB, founder=draft.owner
        )
    found = Organisation.objects.filter(handle__name=facts["organisation"]).first()
    if found is None or Lab.objects.filter(organisation=found).exists():
        words = {"name": facts["organisation"]}
        raise BadDraft(_("“%(name)s” has a lab already, or is gone.") % words, where="organisation")
    people_policies.check_may_manage(by, found)
    return found


def _let_in(organisation: Organisation, draft: LabDraft) -> None:
    """Makers manage the lab; who has a role in the organisation already keeps it."""
    for person in [draft.owner, *draft.makers.all()]:
        if not Membership.objects.filter(organisation=organisation, user=person).exists():
            set_role(organisation=organisation, user=person, role=Membership.Role.MANAGER)


def missing(facts: Mapping[str, Any]) -> list[str]:
    """What a lab cannot open without, in words."""
    found = []
    if not facts.get("name"):
        found.append(_("its name"))
    if not facts.get("handle") and not facts.get("organisation"):
        found.append(_("its address here"))
    if not facts.get("place") and not facts.get("address"):
        found.append(_("where it is"))
    if "opening_hours" not in facts:
        found.append(_("when it is open"))
    if not facts.get("machine"):
        found.append(_("its first machine"))
    return found


# --- what may be said --------------------------------------------------------------------------------------------


def checked(old: Mapping[str, Any], new: Mapping[str, Any], by: User) -> dict[str, Any]:
    """The facts with what is new, each looked at. Raises BadDraft, BadHours, HandleTaken, HandleNotAllowed."""
    if unknown := set(new) - FIELDS:
        raise BadDraft(_("A lab has no “%(name)s”.") % {"name": min(unknown)[:40]}, where=min(unknown)[:40])
    facts = {**old, **{name: _text(new, name, most) for name, most in TEXTS.items() if name in new}}
    if not facts.get("name"):
        raise BadDraft(_("A lab has a name."), where="name")
    if not facts.get("organisation") and not facts.get("handle"):
        facts["handle"] = slugify(facts["name"])[:39].strip("-")
    if "handle" in new and facts["handle"] != old.get("handle"):
        check_handle(facts["handle"].lower())
        facts["handle"] = facts["handle"].lower()
    _check_place(facts, new)
    _check_mail(facts)
    facts |= _position(facts, new) | _access(new) | _week(new) | _machine(new)
    return facts


def _text(new: Mapping[str, Any], name: str, most: int) -> str:
    text = new[name]
    if not isinstance(text, str) or len(text) > most:
        words = {"name": name, "most": most}
        raise BadDraft(_("“%(name)s” is a text of %(most)d letters at most.") % words, where=name)
    return text.strip()


def _check_place(facts: Mapping[str, Any], new: Mapping[str, Any]) -> None:
    if new.get("place") and not Place.objects.filter(slug=facts["place"]).exists():
        raise BadDraft(_("There is no place “%(slug)s”.") % {"slug": facts["place"]}, where="place")


def _check_mail(facts: Mapping[str, Any]) -> None:
    try:
        if facts.get("email"):
            validate_email(facts["email"])
    except ValidationError:
        raise BadDraft(_("“%(email)s” is no e-mail address.") % {"email": facts["email"][:80]}, where="email") from None


def _position(facts: Mapping[str, Any], new: Mapping[str, Any]) -> dict[str, Any]:
    if "lat" not in new and "lon" not in new:
        return {}
    lat, lon = new.get("lat", facts.get("lat")), new.get("lon", facts.get("lon"))
    if lat is None and lon is None:
        return {"lat": None, "lon": None}
    known = all(isinstance(one, int | float) and not isinstance(one, bool) for one in (lat, lon))
    if not known or not (-90 <= lat <= 90 and -180 <= lon <= 180):
        sentence = _("A latitude is from −90 to 90, a longitude from −180 to 180; give both or neither.")
        raise BadDraft(sentence, where="lat")
    return {"lat": float(lat), "lon": float(lon)}


def _access(new: Mapping[str, Any]) -> dict[str, Any]:
    if "access" in new and new["access"] not in Lab.Access.values:
        known = ", ".join(Lab.Access.values)
        raise BadDraft(_("Who may use it is one of: %(known)s.") % {"known": known}, where="access")
    return {"access": new["access"]} if "access" in new else {}


def _week(new: Mapping[str, Any]) -> dict[str, Any]:
    if "opening_hours" not in new:
        return {}
    week = new["opening_hours"]
    if not isinstance(week, Mapping):
        raise BadDraft(_("Opening hours are days with their hours; an empty object is open at any hour."),
                       where="opening_hours")  # fmt: skip
    profile.check_week(week)
    return {"opening_hours": dict(week)}


def _machine(new: Mapping[str, Any]) -> dict[str, Any]:
    if "machine" not in new:
        return {}
    told = new["machine"]
    if not told:
        return {"machine": None}
    if not isinstance(told, Mapping) or set(told) - {*MACHINE_TEXTS, "rated_w"}:
        raise BadDraft(_("A machine has a name, a class, and maybe a model and its highest power."), where="machine")
    found: dict[str, Any] = {name: _text(told, name, most) for name, most in MACHINE_TEXTS.items() if name in told}
    if not found.get("name") or found.get("cls") not in Machine.Kind.values:
        known = ", ".join(Machine.Kind.values)
        raise BadDraft(_("A machine has a name and one of the classes %(known)s.") % {"known": known}, where="machine")
    watts = told.get("rated_w")
    if watts is not None:
        if not isinstance(watts, int) or isinstance(watts, bool) or not 0 < watts <= MOST_W:
            raise BadDraft(_("Its highest power is from 1 to %(most)d W.") % {"most": MOST_W}, where="machine")
        found["rated_w"] = watts
    return {"machine": found}
