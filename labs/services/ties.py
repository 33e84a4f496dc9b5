"""A lab and where it belongs: asked for by its manager, confirmed by the other side, ended by either."""

from typing import Any

from django.db import transaction
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from commons.notices.services import tell
from commons.people.models import User
from commons.said import said
from labs import policies
from labs.errors.ties import NotYourTie, TieClash, UnknownTie
from labs.models import Lab, LabTie
from labs.queries import ties as reads
from labs.services import planning
from labs.services.bookings.telling import managers
from labs.sides import Side, sides

State = LabTie.State


@transaction.atomic
def ask(*, lab: Lab, kind: str, target: str, by: User, demo: bool = False) -> LabTie:
    """Ask the other side; its stewards are told. Raises NotYourTie, UnknownTie, TieClash."""
    if not policies.may_manage(by, lab):
        raise NotYourTie(_("Only who manages %(lab)s asks for it.") % {"lab": lab.name})
    side = _side(kind)
    other = side.find(target.strip(), by)
    if other is None:
        words = {"target": target[:80]}
        raise UnknownTie(_("There is nothing called “%(target)s” here; choose from the list.") % words)
    _lock(lab)
    open_ = reads.of_lab(lab).get(kind, {})
    if State.ASKED in open_:
        words = {"title": open_[State.ASKED].title}
        raise TieClash(_("“%(title)s” is asked already; take that back first.") % words)
    if State.HOLDS in open_ and open_[State.HOLDS].target == other.target:
        raise TieClash(_("%(lab)s belongs to “%(title)s” already.") % {"lab": lab.name, "title": other.title})
    tie = LabTie.objects.create(
        lab=lab, kind=kind, target=other.target, title=other.title[:200], url=other.url, asked_by=by, demo=demo
    )
    text = said(gettext_lazy("%(lab)s asks to belong to %(title)s."), lab=lab.name, title=other.title)
    tell(people=side.stewards(other.target), kind="labs.tie", text=text, url=_page(lab), actor=by)
    return tie


@transaction.atomic
def answer(*, tie: LabTie, by: User, accept: bool) -> LabTie:
    """Confirm or decline for the other side. What held before ends by the new one. Raises NotYourTie, TieClash."""
    if not reads.may_answer(by, tie):
        raise NotYourTie(_("The stewards of “%(title)s” answer that.") % {"title": tie.title})
    held = _held(tie, State.ASKED)
    now = timezone.now()
    if accept:
        LabTie.objects.filter(lab=held.lab_id, kind=held.kind, state=State.HOLDS).update(
            state=State.ENDED, ended_at=now
        )
    held.state = State.HOLDS if accept else State.DECLINED
    held.answered_by, held.answered_at = by, now
    held.save(update_fields=["state", "answered_by", "answered_at"])
    pattern = (
        gettext_lazy("%(lab)s belongs to %(title)s now.")
        if accept
        else gettext_lazy("%(title)s has declined that %(lab)s belongs to it.")
    )
    _tell_lab(held, said(pattern, lab=held.lab.name, title=held.title), by)
    _replan(held)
    return held


@transaction.atomic
def end(*, tie: LabTie, by: User) -> LabTie:
    """End what holds or take back what is asked, by either side. Raises NotYourTie, TieClash."""
    if not reads.may_end(by, tie):
        raise NotYourTie(_("That is for the lab and for “%(title)s” to say.") % {"title": tie.title})
    held = _held(tie, State.ASKED, State.HOLDS)
    held.state, held.ended_at = State.ENDED, timezone.now()
    held.save(update_fields=["state", "ended_at"])
    text = said(gettext_lazy("%(lab)s no longer belongs to %(title)s."), lab=held.lab.name, title=held.title)
    side = sides.get(held.kind)
    if side is not None:
        tell(people=side.stewards(held.target), kind="labs.tie", text=text, url=_page(held.lab), actor=by)
    _tell_lab(held, text, by)
    _replan(held)
    return held


def _side(kind: str) -> Side:
    found = sides.get(kind)
    if found is None:
        known = ", ".join(side.slug for side in sides)
        raise UnknownTie(_("A lab belongs to one of: %(known)s.") % {"known": known})
    return found


def _lock(lab: Lab) -> None:
    """One word about a lab at a time."""
    Lab.objects.select_for_update(no_key=True, of=("self",)).only("pk").get(pk=lab.pk)


def _held(tie: LabTie, *states: str) -> LabTie:
    """The tie with its lab locked, in one of these states. Raises TieClash."""
    _lock(tie.lab)
    held = LabTie.objects.select_related("lab__organisation", "lab__place").get(pk=tie.pk)
    if held.state not in states:
        raise TieClash(_("That was answered or ended meanwhile."))
    return held


def _tell_lab(tie: LabTie, text: str, by: User) -> None:
    tell(people=managers(tie.lab), kind="labs.tie", text=text, url=_page(tie.lab), actor=by)


def _page(lab: Lab) -> str:
    return reverse("rooms:lab_standing", args=[lab.slug])


def _replan(tie: LabTie) -> None:
    """What the lab has booked goes to the community to which it belongs from now on."""
    if tie.kind == LabTie.Kind.COMMUNITY:
        planning.publish(tie.lab, timezone.now())


def document(tie: LabTie) -> dict[str, Any]:
    """A tie for the API."""
    names = ("id", "kind", "target", "title", "url", "state", "asked_at", "answered_at", "ended_at")
    return {name: getattr(tie, name) for name in names} | {"lab": tie.lab.slug}
