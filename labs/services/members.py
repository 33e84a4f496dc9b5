"""People of a lab: ask to join, invite, answer, change a role, leave."""

from django.db import IntegrityError, transaction
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _

from commons.notices.services import tell
from commons.people.models import Membership, User
from commons.people.services import remove_member, set_role
from labs.errors.catalogue import AlreadyMember, AnsweredAlready, BadProfile
from labs.models import Joining, Lab
from labs.policies import MANAGING

#: What a manager may make of a person; owners are made on the organisation itself.
ROLES = (Membership.Role.MEMBER, Membership.Role.TRAINER, Membership.Role.MANAGER)


@transaction.atomic
def ask_to_join(*, lab: Lab, user: User, note: str = "") -> Joining:
    """Ask the lab's managers. An open invitation is accepted by asking.

    Raises AlreadyMember, AnsweredAlready, BadProfile.
    """
    _refuse_member(lab, user)
    if lab.access == Lab.Access.RESTRICTED:
        raise BadProfile(_("%(lab)s is for its own people alone; they invite whom they know.") % {"lab": lab.name})
    invited = Joining.objects.filter(lab=lab, user=user, state=Joining.State.OPEN, kind=Joining.Kind.INVITED).first()
    if invited is not None:
        return answer(joining=invited, by=user, accept=True)
    made = _open(lab, user, Joining.Kind.ASKED, Membership.Role.MEMBER, user, note)
    managers = User.objects.filter(memberships__organisation=lab.organisation_id, memberships__role__in=MANAGING)
    words = _("%(name)s asks to join %(lab)s.") % {"name": user, "lab": lab.name}
    tell(people=managers.distinct(), kind="labs.join", text=words, url=reverse("rooms:lab_people", args=[lab.slug]),
         actor=user)  # fmt: skip
    return made


@transaction.atomic
def invite(*, lab: Lab, user: User, by: User, role: str = "member", note: str = "") -> Joining:
    """Invite a person; an open request of theirs is accepted by it.

    Raises AlreadyMember, AnsweredAlready, BadProfile.
    """
    _check_role(role)
    _refuse_member(lab, user)
    asked = Joining.objects.filter(lab=lab, user=user, state=Joining.State.OPEN, kind=Joining.Kind.ASKED).first()
    if asked is not None:
        Joining.objects.filter(pk=asked.pk).update(role=role)
        asked.role = role
        return answer(joining=asked, by=by, accept=True)
    made = _open(lab, user, Joining.Kind.INVITED, role, by, note)
    words = _("%(lab)s invites you.") % {"lab": lab.name}
    tell(people=[user], kind="labs.invited", text=words, url=reverse("rooms:lab_about", args=[lab.slug]), actor=by)
    return made


@transaction.atomic
def answer(*, joining: Joining, by: User, accept: bool) -> Joining:
    """Accept or decline. The caller sees to it that `by` is the other side. Raises AnsweredAlready."""
    rows = Joining.objects.select_for_update(of=("self",)).select_related("lab__organisation", "user")
    held = rows.get(pk=joining.pk)
    if held.state != Joining.State.OPEN:
        raise AnsweredAlready(_("That was answered already."))
    held.state = Joining.State.ACCEPTED if accept else Joining.State.DECLINED
    held.answered_at, held.answered_by = timezone.now(), by
    held.save(update_fields=["state", "answered_at", "answered_by"])
    if accept:
        set_role(organisation=held.lab.organisation, user=held.user, role=held.role)
    words = (
        _("%(name)s belongs to %(lab)s now.") if accept else _("The wish that %(name)s joins %(lab)s was declined.")
    ) % {"name": held.user, "lab": held.lab.name}
    told = held.by if held.kind == Joining.Kind.INVITED else held.user
    if told is not None:
        tell(people=[told], kind="labs.joined", text=words, url=reverse("rooms:lab_about", args=[held.lab.slug]),
             actor=by)  # fmt: skip
    return held


@transaction.atomic
def withdraw(*, joining: Joining) -> Joining:
    """Take a request or an invitation back. Raises AnsweredAlready."""
    held = Joining.objects.select_for_update().get(pk=joining.pk)
    if held.state != Joining.State.OPEN:
        raise AnsweredAlready(_("That was answered already."))
    held.state, held.answered_at = Joining.State.WITHDRAWN, timezone.now()
    held.save(update_fields=["state", "answered_at"])
    return held


def change_role(*, lab: Lab, user: User, role: str) -> Membership:
    """Another role for one of the lab's people. Raises BadProfile, LastOwner."""
    _check_role(role)
    if not Membership.objects.filter(organisation=lab.organisation_id, user=user).exists():
        raise BadProfile(_("%(name)s does not belong to the lab; invite them first.") % {"name": user})
    return set_role(organisation=lab.organisation, user=user, role=role)


def leave(*, lab: Lab, user: User) -> None:
    """End a membership, by oneself or by a manager. Raises LastOwner."""
    remove_member(organisation=lab.organisation, user=user)


def _open(  # noqa: PLR0917 the columns of one row
    lab: Lab, user: User, kind: str, role: str, by: User, note: str
) -> Joining:
    try:
        with transaction.atomic():
            return Joining.objects.create(lab=lab, user=user, kind=kind, role=role, by=by, note=note.strip()[:400])
    except IntegrityError:
        raise AnsweredAlready(_("There is an open request or invitation already; it waits for an answer.")) from None


def _check_role(role: str) -> None:
    if role not in ROLES:
        raise BadProfile(_("A person is a member, a trainer or a manager of a lab."))


def _refuse_member(lab: Lab, user: User) -> None:
    if Membership.objects.filter(organisation=lab.organisation_id, user=user).exists():
        raise AlreadyMember(_("%(name)s belongs to %(lab)s already.") % {"name": user, "lab": lab.name})
