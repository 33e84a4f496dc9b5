"""Reads of where labs belong."""

import uuid
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from django.db.models import Q, QuerySet
from django.utils.translation import gettext as _

from commons.people.models import User
from labs import policies
from labs.errors.ties import UnknownDraft, UnknownTie
from labs.models import Lab, LabDraft, LabTie
from labs.sides import Side, sides

State = LabTie.State


def of_lab(lab: Lab) -> dict[str, dict[str, LabTie]]:
    """The ties of a lab that hold or are asked for, by kind and state; one query."""
    found: dict[str, dict[str, LabTie]] = {}
    for tie in lab.ties.filter(state__in=(State.HOLDS, State.ASKED)).select_related("asked_by"):
        found.setdefault(tie.kind, {})[tie.state] = tie
    return found


def holding(kind: str, target: str) -> QuerySet[LabTie]:
    """The ties that hold with one other side."""
    rows = LabTie.objects.filter(kind=kind, target=target, state=State.HOLDS)
    return rows.select_related("lab__place").order_by("lab__name")


def labs_of(kind: str, target: str) -> list[Lab]:
    """The labs that belong to one other side."""
    return [tie.lab for tie in holding(kind, target)]


def asked_of(kind: str, target: str) -> QuerySet[LabTie]:
    """What is asked of one other side."""
    return LabTie.objects.filter(kind=kind, target=target, state=State.ASKED).select_related("lab", "asked_by")


def last_said(labs: Iterable[Lab], kind: str) -> dict[int, LabTie]:
    """The last word of each lab and another side of a kind: what holds, else what was declined or ended last."""
    rows = LabTie.objects.filter(lab__in=list(labs), kind=kind).exclude(state=State.ASKED)
    found: dict[int, LabTie] = {}
    for tie in rows.order_by("lab_id", "-asked_at", "-pk"):
        held = found.get(tie.lab_id)
        if held is None or (tie.state == State.HOLDS and held.state != State.HOLDS):
            found[tie.lab_id] = tie
    return found


def find(pk: int, person: User | None) -> LabTie:
    """The tie of that number, for either side: what is only asked names what others may not know. Raises UnknownTie."""
    found = LabTie.objects.select_related("lab__organisation", "lab__place").filter(pk=pk).first()
    if found is None or not may_end(person, found):
        raise UnknownTie(_("There is no such tie."))
    return found


def may_answer(person: User | None, tie: LabTie) -> bool:
    """Whether the person answers for the other side."""
    side = sides.get(tie.kind)
    return side is not None and person is not None and side.may_answer(person, tie.target)


def may_end(person: User | None, tie: LabTie) -> bool:
    """Either side may end it."""
    return policies.may_manage(person, tie.lab) or may_answer(person, tie)


@dataclass(frozen=True, slots=True)
class Standpoint:
    """One kind of thing that a lab belongs to, as one reader sees it: what holds, what is asked, what they may do."""

    side: Side
    holds: LabTie | None
    asked: LabTie | None
    may_end: bool
    may_answer: bool


def standpoints(lab: Lab, person: User | None, *, manages: bool) -> Sequence[Standpoint]:
    """Each kind; a question that waits is shown to the two sides alone."""
    ties = of_lab(lab)
    found = []
    for side in sides:
        mine = ties.get(side.slug, {})
        holds, asked = mine.get(State.HOLDS), mine.get(State.ASKED)
        answers = asked is not None and may_answer(person, asked)
        ends = manages or (holds is not None and may_answer(person, holds))
        found.append(Standpoint(side, holds, asked if manages or answers else None, ends, answers))
    return found


# --- labs that are not open yet ----------------------------------------------------------------------------------


def drafts_of(person: User) -> QuerySet[LabDraft]:
    """The drafts that a person makes."""
    return LabDraft.objects.filter(Q(owner=person) | Q(makers=person)).distinct()


def find_draft(pk: uuid.UUID, person: User) -> LabDraft:
    """The draft of that id, if the person makes it. Raises UnknownDraft."""
    found = drafts_of(person).filter(pk=pk).select_related("owner").first()
    if found is None:
        raise UnknownDraft(_("There is no such draft, or it is not yours."))
    return found
