"""Getting in and out: invitations, joining, who may see, leaving, being forgotten."""

import datetime as dt
import logging
from collections.abc import Callable, Iterable
from smtplib import SMTPException

from django.conf import settings
from django.core.mail import EmailMessage
from django.db import IntegrityError, transaction
from django.urls import reverse
from django.utils import timezone, translation
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from commons.notices import services as notices
from commons.people.models import Organisation, User
from commons.said import said
from energy import policies, secrets
from energy.errors import AlreadyIn, BadInvitation, BadParticipant, NotSteward
from energy.models import Community, Invitation, Member, MeterDay, MeterPoint, Participant
from energy.queries.participants import today
from energy.services.founding import stewards

log = logging.getLogger(__name__)

LIFETIME = dt.timedelta(days=60)
OPEN_AT_MOST = 500
VIEWERS_AT_MOST = 20
FURTHEST = dt.timedelta(days=800)

#: Called inside the transaction in which a participant leaves, after its days are set: `hook(participant)`. The final
#: statement is made here; a refusal (CityError) keeps the participant in.
on_leaving: list[Callable[[Participant], None]] = []
#: Whose measured days must stay when a participant is forgotten, and which: spans of (first day, day after the last),
#: because a statement was made of them.
days_to_keep: list[Callable[[Participant], Iterable[tuple[dt.date, dt.date]]]] = []


def check_steward(viewer: policies.Viewer, community: Community) -> None:
    """Raises NotSteward."""
    if not policies.is_steward(viewer, community):
        raise NotSteward(_("Only the stewards of %(name)s do this.") % {"name": community.name})


def check_own(viewer: policies.Viewer, participant: Participant) -> None:
    """Raises NotSteward."""
    if not policies.may_change_participant(viewer, participant):
        raise NotSteward(_("Only %(name)s changes this; ask them.") % {"name": participant.name})


@transaction.atomic
def invite(
    *, community: Community, by: User, name: str = "", email: str = "", kind: str = Member.Kind.HOME
) -> tuple[Invitation, str]:
    """An invitation and its code, which is shown once; with an address a letter goes out after the commit.
    Raises NotSteward, BadParticipant."""
    check_steward(by, community)
    if kind not in Member.Kind.values:
        raise BadParticipant(_("“%(kind)s” is not a kind of member.") % {"kind": kind[:20]})
    now = timezone.now()
    if community.invitations.filter(used_at=None, revoked_at=None, expires_at__gt=now).count() >= OPEN_AT_MOST:
        raise BadParticipant(_("So many invitations are open that no more can be sent; take some back first."))
    code = secrets.new_code(4)
    made = Invitation.objects.create(
        community=community,
        name=name.strip()[:120],
        email=email.strip().lower(),
        kind=kind,
        sha256=secrets.fingerprint(code),
        invited_by=by,
        expires_at=now + LIFETIME,
    )
    if made.email:
        transaction.on_commit(lambda: _write(made, code))
    return made, code


@transaction.atomic
def renew_invitation(*, invitation: Invitation, by: User) -> str:
    """A new code for an open invitation, to be printed again; the old one holds no longer. Raises NotSteward,
    BadInvitation."""
    check_steward(by, invitation.community)
    held = Invitation.objects.select_for_update().get(pk=invitation.pk)
    if held.used_at is not None or held.revoked_at is not None:
        raise BadInvitation(_("This invitation was used or taken back; make a new one."))
    code = secrets.new_code(4)
    held.sha256, held.expires_at = secrets.fingerprint(code), timezone.now() + LIFETIME
    held.save(update_fields=["sha256", "expires_at"])
    return code


@transaction.atomic
def take_back(*, invitation: Invitation, by: User) -> None:
    """End an invitation, and forget whom it was for. Raises NotSteward."""
    check_steward(by, invitation.community)
    Invitation.objects.filter(pk=invitation.pk, used_at=None).update(revoked_at=timezone.now(), name="", email="")


def join_address(code: str) -> str:
    """The page behind the QR code."""
    with translation.override(settings.LANGUAGE_CODE):
        return f"{settings.PUBLIC_URL}{reverse('rooms:energy_join')}?code={code}"


def _write(invitation: Invitation, code: str) -> None:
    community = invitation.community
    words = {"community": community.name, "person": str(invitation.invited_by or community.name)}
    subject = _("Join %(community)s") % words
    lines = [
        _("%(person)s invites you to share power in %(community)s.") % words,
        _("Look at what it means, and join if you like, here:"),
        join_address(code),
        _("The invitation holds for 60 days. If you do nothing, nothing happens, and your address is deleted then."),
    ]
    try:
        EmailMessage(" ".join(subject.split()), "\n\n".join(lines), to=[invitation.email]).send()
    except (OSError, SMTPException):
        log.warning("an invitation could not be sent by mail; print it instead", exc_info=True)


@transaction.atomic
def join(
    *,
    code: str,
    by: User,
    name: str,
    joined_on: dt.date | None = None,
    address: str = "",
    organisation: Organisation | None = None,
) -> Participant:
    """Use an invitation. Raises BadInvitation, AlreadyIn, BadParticipant."""
    held = (
        Invitation.objects.select_for_update(of=("self",))
        .select_related("community")
        .filter(sha256=secrets.fingerprint(code))
        .first()
    )
    if held is None or not held.is_open():
        raise BadInvitation(_("This code lets nobody in: it was used, taken back or has run out. Ask for a new one."))
    made = _create(held.community, name, held.kind, joined_on, address, by, organisation)
    held.used_at, held.participant, held.email = timezone.now(), made, ""
    held.save(update_fields=["used_at", "participant", "email"])
    words = said(gettext_lazy("%(name)s has joined %(community)s."), name=made.name, community=held.community.name)
    url = reverse("rooms:community_participants", args=[held.community.slug])
    notices.tell(people=stewards(held.community), kind="energy.joined", text=words, url=url, actor=by)
    return made


@transaction.atomic
def try_out(
    *, community: Community, by: User, name: str, joined_on: dt.date | None = None, address: str = ""
) -> Participant:
    """Join a demonstration: its members are made up, so nobody there could invite. Raises BadInvitation, AlreadyIn,
    BadParticipant."""
    if not community.demo:
        raise BadInvitation(_("%(name)s is no demonstration; its stewards invite.") % {"name": community.name})
    return _create(community, name, Member.Kind.HOME, joined_on, address, by, None)


@transaction.atomic
def enter(
    *,
    community: Community,
    by: User,
    name: str,
    kind: str,
    joined_on: dt.date | None = None,
    address: str = "",
    organisation: Organisation | None = None,
    demo: bool = False,
) -> Participant:
    """A steward enters a participant for whom nobody speaks here yet, such as a school. Raises NotSteward, AlreadyIn,
    BadParticipant."""
    check_steward(by, community)
    made = _create(community, name, kind, joined_on, address, None, organisation)
    if demo:
        Participant.objects.filter(pk=made.pk).update(demo=True)
    return made


def _create(  # noqa: PLR0917 what a participant is made of
    community: Community,
    name: str,
    kind: str,
    joined_on: dt.date | None,
    address: str,
    person: User | None,
    organisation: Organisation | None,
) -> Participant:
    now = today(community)
    on = joined_on or now
    if not " ".join(name.split()):
        raise BadParticipant(_("Give a name, such as “Mäkinen, 3rd floor” or “Library”."))
    if abs(on - now) > FURTHEST:
        raise BadParticipant(_("Choose a first day within two years of today."))
    if kind not in Member.Kind.values:
        raise BadParticipant(_("“%(kind)s” is not a kind of member.") % {"kind": kind[:20]})
    try:
        with transaction.atomic():
            return Participant.objects.create(
                community=community,
                name=" ".join(name.split())[:120],
                kind=kind,
                person=person,
                organisation=organisation,
                address=address.strip()[:400],
                joined_on=on,
            )
    except IntegrityError:
        raise AlreadyIn(_("You belong to %(name)s already.") % {"name": community.name}) from None


@transaction.atomic
def allow(*, participant: Participant, by: User, username: str) -> User:
    """Let somebody see the 15-minute data. Raises NotSteward, BadParticipant."""
    check_own(by, participant)
    person = User.objects.filter(username=username.strip().lower(), is_active=True).first()
    if person is None:
        raise BadParticipant(_("There is nobody called “%(name)s” here.") % {"name": username[:40]})
    if participant.viewers.count() >= VIEWERS_AT_MOST:
        raise BadParticipant(_("At most %(n)d people; take somebody off the list first.") % {"n": VIEWERS_AT_MOST})
    participant.viewers.add(person)
    return person


@transaction.atomic
def disallow(*, participant: Participant, by: User, username: str) -> None:
    """Take that back; whoever was allowed may also take themselves off. Raises NotSteward."""
    if by.username != username:
        check_own(by, participant)
    participant.viewers.remove(*participant.viewers.filter(username=username))


@transaction.atomic
def let_stewards_see(*, participant: Participant, by: User, see: bool) -> None:
    """Whether stewards may see the curves. Raises NotSteward."""
    if not policies.speaks_for(by, participant):
        raise NotSteward(_("Only %(name)s changes this; ask them.") % {"name": participant.name})
    Participant.objects.filter(pk=participant.pk).update(stewards_see=see)


@transaction.atomic
def leave(*, participant: Participant, on: dt.date, by: User | None) -> Participant:
    """End a membership: `on` is the first day without. Meters end with it, so that who moves in can name them; nobody
    else sees the curves any more; the hooks make the final statement. `by` None: the city itself, for somebody who
    leaves it. Raises NotSteward, BadParticipant, and what hooks raise (then nothing has changed)."""
    held = (
        Participant.objects.select_for_update(of=("self",))
        .select_related("community", "community__place")
        .get(pk=participant.pk)
    )
    if by is not None and not (policies.speaks_for(by, held) or policies.is_steward(by, held.community)):
        raise NotSteward(_("Only %(name)s or a steward ends this.") % {"name": held.name})
    if held.left_on is not None:
        raise BadParticipant(_("%(name)s has left already, on %(day)s.") % {"name": held.name, "day": held.left_on})
    if on < held.joined_on or on > today(held.community) + FURTHEST:
        raise BadParticipant(_("Choose a day from %(day)s on.") % {"day": held.joined_on})
    held.left_on = on
    held.save(update_fields=["left_on"])
    for meter in held.meters.select_for_update():
        if meter.valid_until is None or meter.valid_until > on:
            meter.valid_until = max(on, meter.valid_from)
            meter.save(update_fields=["valid_until"])
    held.viewers.clear()
    Participant.objects.filter(pk=held.pk).update(stewards_see=False)
    held.stewards_see = False
    held.meter_files.filter(state="waiting").delete()
    for hook in on_leaving:
        hook(held)
    words = said(gettext_lazy("%(name)s leaves %(community)s."), name=held.name, community=held.community.name)
    url = reverse("rooms:community_participants", args=[held.community.slug])
    notices.tell(people=stewards(held.community), kind="energy.left", text=words, url=url, actor=by)
    return held


@transaction.atomic
def forget(*, participant: Participant, by: User | None) -> int:
    """Delete what the law lets delete of one who has left: name, person, address, assets, letters, files, and every
    measured day of which no statement was made; how many days. What a statement was made of stays, so that it can be
    worked out again, under “Former participant 17”. Raises NotSteward, BadParticipant."""
    held = (
        Participant.objects.select_for_update(of=("self",))
        .select_related("community", "community__place")
        .get(pk=participant.pk)
    )
    if by is not None and not (policies.speaks_for(by, held) or policies.is_steward(by, held.community)):
        raise NotSteward(_("Only %(name)s or a steward ends this.") % {"name": held.name})
    if held.left_on is None or held.left_on > today(held.community):
        raise BadParticipant(_("%(name)s still belongs; they leave first.") % {"name": held.name})
    kept = [span for hook in days_to_keep for span in hook(held)]
    days = MeterDay.objects.filter(meter__participant=held)
    for first, end in kept:
        days = days.exclude(day__gte=first, day__lt=end)
    gone = days.delete()[1].get("energy.MeterDay", 0)
    held.assets.all().delete()
    held.meter_files.all().delete()
    MeterPoint.objects.filter(participant=held, days=None).delete()
    Invitation.objects.filter(participant=held).delete()
    held.viewers.clear()
    held.name = _("Former participant %(n)d") % {"n": held.pk}
    held.person = held.organisation = None
    held.address, held.stewards_see = "", False
    held.save()
    return gone


def forget_invitations() -> int:
    """Delete whom open invitations were for once they have run out; how many. Called by beat."""
    late = Invitation.objects.filter(expires_at__lt=timezone.now(), used_at=None).exclude(name="", email="")
    return late.update(name="", email="")
