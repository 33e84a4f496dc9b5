"""What the people of a design decide: whether a change is merged, and by which rule changes are (docs/deciding.md).

The body is those who may merge: the owner, an organisation's managers, the maintainers. The key of a design is its
number, so that a vote survives a new name.
"""

import datetime as dt
from collections.abc import Collection, Mapping, Sequence
from typing import Any

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from commons import sockets
from commons.people.models import Membership, User
from designs import policies
from designs.errors import BadRevision, ChangeMoved, ChangeOver, DesignNotFound, NotYours
from designs.models import Collaborator, Design, Proposal
from designs.services import proposals

KIND = "designs.design"
CHARTER = {
    "methods": ["consent", "majority"],
    "quorum": "1/3",
    "notice_h": 24,
    "window_h": 72,
    "objection_h": 0,
    "member_days": 0,
    "ballots": "open",
}


def design_of(key: str) -> Design:
    """The design of that number. Raises DesignNotFound."""
    found = (
        Design.objects.select_related("owner").filter(pk=int(key), deleted_at=None).first() if key.isdecimal() else None
    )
    if found is None:
        raise DesignNotFound(_("There is no such design."))
    return found


def find(key: str, person: User | None) -> sockets.Decider | None:
    """The design, if the person may see it."""
    if not key.isdecimal() or len(key) > 18:
        return None
    found = Design.objects.filter(policies.seen_by(person), pk=int(key)).select_related("owner").first()
    return sockets.Decider(found.name, found.get_absolute_url(), None, found.demo) if found else None


def members(key: str) -> Mapping[int, dt.datetime]:
    """Who may merge, since when."""
    design = design_of(key) if find_any(key) else None
    if design is None:
        return {}
    found: dict[int, dt.datetime] = {}
    if design.owner.user_id is not None:
        found[design.owner.user_id] = design.created_at
    else:
        rows = Membership.objects.filter(organisation=design.owner.organisation_id, role__in=policies.WRITERS)
        found |= {user: max(since, design.created_at) for user, since in rows.values_list("user_id", "since")}
    kept = design.collaborators.filter(role=Collaborator.Role.MAINTAINER)
    for user, since in kept.values_list("user_id", "since"):
        found.setdefault(user, since)
    return found


def find_any(key: str) -> bool:
    """Whether there is a design of that number at all."""
    return key.isdecimal() and len(key) <= 18 and Design.objects.filter(pk=int(key), deleted_at=None).exists()


def stewards(key: str) -> Collection[int]:
    """Its owner, or who manages the organisation that owns it."""
    if not find_any(key):
        return ()
    owner = design_of(key).owner
    if owner.user_id is not None:
        return {owner.user_id}
    rows = Membership.objects.filter(organisation=owner.organisation_id, role__in=policies.WRITERS)
    return set(rows.values_list("user_id", flat=True))


def keys_of(person: User) -> Collection[str]:
    """The designs that a person keeps together with others."""
    kept = Collaborator.objects.filter(role=Collaborator.Role.MAINTAINER, design__deleted_at=None)
    mine = set(kept.filter(user=person).values_list("design_id", flat=True))
    mine |= set(kept.filter(design__owner__user=person).values_list("design_id", flat=True))
    of_mine = Membership.objects.filter(user=person, role__in=policies.WRITERS).values("organisation")
    mine |= set(
        Design.objects.filter(owner__organisation__in=of_mine, deleted_at=None).values_list("pk", flat=True)[:50]
    )
    return [str(pk) for pk in sorted(mine)]


# --- a change is merged --------------------------------------------------------------------------------------------


def _change(key: str, value: Mapping[str, Any]) -> Proposal:
    """The open change that a value names. Raises BadRevision, ChangeOver."""
    try:
        number = int(value.get("change", ""))
    except (TypeError, ValueError):
        raise BadRevision(_("Say which change, by its number.")) from None
    found = Proposal.objects.filter(design=design_of(key), number=number).first()
    if found is None:
        raise BadRevision(_("This design has no change %(n)d.") % {"n": number})
    if not found.is_open:
        raise ChangeOver(_("Change %(n)d is over.") % {"n": number})
    return found


def fields(key: str) -> Sequence[sockets.EffectField]:
    """The changes that are open."""
    rows = design_of(key).proposals.filter(state=Proposal.State.OPEN).order_by("-number")[:100]
    choices = [(str(row.number), f"{row.number}: {row.title}") for row in rows]
    return [sockets.EffectField("change", gettext_lazy("Change"), choices or [("", _("none is open"))])]


def now(key: str) -> Mapping[str, Any]:
    """What was merged last."""
    last = design_of(key).proposals.filter(state=Proposal.State.MERGED).order_by("-ended_at").first()
    return {"change": last.number, "head": last.head, "state": "merged"} if last else {}


def check(key: str, value: Mapping[str, Any]) -> dict[str, Any]:
    """The change and the version of it that is voted on. Raises BadRevision, ChangeOver, ChangeMoved."""
    found = _change(key, value)
    head = str(value.get("head", ""))
    if head and head != found.head:
        raise ChangeMoved(_("Change %(n)d has a newer version than the one that was voted on.") % {"n": found.number})
    return {"change": found.number, "head": found.head}


def say(_key: str, value: Mapping[str, Any]) -> str | Promise:
    """In words."""
    if not value:
        return _("nothing was merged yet")
    words = {"n": value["change"], "head": str(value.get("head", ""))[:8]}
    if value.get("state") == "merged":
        return _("change %(n)d was merged last") % words
    return _("change %(n)d, as it is at %(head)s, is merged") % words


def apply(key: str, value: Mapping[str, Any], _at: dt.datetime, url: str) -> None:
    """Merge it, in the name of the owner, as of the version that was voted on. Raises what `proposals.merge` does."""
    change = _change(key, value)
    proposals.merge(
        proposal=change, by=_hand(change.design), head=value["head"], decided=url,
        message=_("%(title)s (change %(n)d)") % {"title": change.title, "n": change.number}
        + "\n\n" + _("Decided by vote: %(url)s") % {"url": url},
    )  # fmt: skip


def _hand(design: Design) -> User:
    """In whose name a vote merges: the owner's, or that of who manages the organisation longest."""
    if design.owner.user is not None:
        return design.owner.user
    rows = Membership.objects.filter(organisation=design.owner.organisation_id, role__in=policies.WRITERS)
    first = rows.select_related("user").order_by("since").first()
    if first is None:
        raise NotYours(_("Nobody manages the organisation that owns this design."))
    return first.user


# --- by which rule -------------------------------------------------------------------------------------------------


def rule_fields(_key: str) -> Sequence[sockets.EffectField]:
    """Whether somebody must agree first."""
    choices = [("yes", gettext_lazy("yes")), ("no", gettext_lazy("no"))]
    return [sockets.EffectField("needs_approval", gettext_lazy("Somebody who may merge agrees first"), choices)]


def rule_now(key: str) -> Mapping[str, Any]:
    """What is asked for today."""
    return {"needs_approval": "yes" if design_of(key).merge_needs_approval else "no"}


def rule_check(_key: str, value: Mapping[str, Any]) -> dict[str, Any]:
    """Yes or no. Raises BadRevision."""
    asked = value.get("needs_approval")
    if asked not in ("yes", "no"):
        raise BadRevision(_("Say yes or no."))
    return {"needs_approval": asked}


def rule_say(_key: str, value: Mapping[str, Any]) -> str | Promise:
    """In words."""
    if value.get("needs_approval") == "yes":
        return _("somebody who may merge agrees to the newest version first")
    return _("who may push merges")


def rule_apply(key: str, value: Mapping[str, Any], _at: dt.datetime, _url: str) -> None:
    """Set it."""
    proposals.set_rules(design=design_of(key), by=None, merge_needs_approval=value["needs_approval"] == "yes")


def at_once(_key: str, at: dt.datetime) -> dt.datetime:
    """A design has no periods."""
    return at


def register() -> None:
    """Plug the body and what it can set into the sockets."""
    sockets.deciding_bodies.register(
        sockets.DecidingBody(KIND, gettext_lazy("Design"), find, members, stewards, keys_of, CHARTER, order=30)
    )
    sockets.effects.register(
        sockets.Effect(
            slug="designs.merge",
            body=KIND,
            title=gettext_lazy("A change is merged"),
            fields=fields,
            now=now,
            check=check,
            say=say,
            border=at_once,
            apply=apply,
            order=30,
        )
    )
    sockets.effects.register(
        sockets.Effect(
            slug="designs.merge_rule",
            body=KIND,
            title=gettext_lazy("By which rule changes are merged"),
            fields=rule_fields,
            now=rule_now,
            check=rule_check,
            say=rule_say,
            border=at_once,
            apply=rule_apply,
            order=32,
        )
    )
