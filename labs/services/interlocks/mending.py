"""Let somebody switch a machine on to mend it, while nobody may use it."""

import datetime as dt

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as lazy

from commons.errors import NotAllowed
from commons.notices.services import tell
from commons.people.models import User
from commons.said import said
from labs import policies
from labs.errors.interlocks import BadInterlock, NoPower
from labs.models import Interlock, InterlockCommand, Machine, Mending
from labs.queries import interlocks
from labs.queries.addresses import path_of
from labs.services.interlocks.asking import look_again

What = InterlockCommand.What
SHORTEST_MIN, LONGEST_MIN = 5, 480


@transaction.atomic
def let_mend(
    *, machine: Machine, person: User, by: User, minutes: int, reason: str, now: dt.datetime | None = None
) -> Mending:
    """Let this person of the lab switch the machine on to mend it, for so long at most. Switches nothing on.

    Raises NoPower while the machine can be used, BadInterlock, NotAllowed.
    """
    now, reason = now or timezone.now(), " ".join(reason.split())
    held = Interlock.objects.select_for_update().filter(machine=machine, in_use=True).first()
    if held is None:
        raise NoPower(_("This machine has no interlock; switch it on yourself."), why="not-in-use")
    if not policies.is_fellow(person, machine.lab):
        raise NotAllowed(_("Only somebody of %(lab)s can be let to mend it.") % {"lab": machine.lab.name})
    if not SHORTEST_MIN <= minutes <= LONGEST_MIN:
        words = {"low": SHORTEST_MIN, "high": LONGEST_MIN}
        raise BadInterlock(_("Power to mend is lent for %(low)s to %(high)s minutes.") % words)
    if len(reason) < 3:
        raise BadInterlock(_("Say what is to be mended; it stands in the log."))
    if not interlocks.is_down(Machine.objects.get(pk=machine.pk), now):
        why = _("Take the machine out of use first: report the fault, or close it.")
        raise NoPower(why, why="not-mending")
    made = Mending.objects.create(
        machine=machine, person=person, by=by, reason=reason[:200], at=now, until=now + dt.timedelta(minutes=minutes)
    )
    _note(held, What.LENT, by, made, f"{person.username}: {reason}")
    sentence = said(lazy("You may switch %(machine)s on to mend it: %(why)s"), machine=machine.name, why=reason[:160])
    tell(people=[person], kind="labs.mending", text=sentence, url=path_of("rooms:mending", made.pk), actor=by)
    return made


@transaction.atomic
def power_to_mend(*, mending: Mending, by: User) -> Interlock:
    """Power for who was let to mend, by their own act; again whenever it was lost. Raises NoPower, NotAllowed."""
    if by.pk != mending.person_id:
        raise NotAllowed(_("Only the one who mends it switches it on."))
    held = Interlock.objects.select_for_update().filter(machine=mending.machine_id, in_use=True).first()
    if held is None:
        raise NoPower(_("This machine has no interlock; switch it on yourself."), why="not-in-use")
    now = timezone.now()
    held.asked = mending.pk
    wished = interlocks.wish(held, now)
    if not wished.on:
        raise NoPower(interlocks.words(wished.why), why=wished.why)
    held.asked_at, held.trouble = now, ""
    held.save(update_fields=["asked", "asked_at", "trouble", "updated_at"])
    _note(held, What.WANTED, by, mending, mending.reason)
    look_again([held.pk])
    return held


@transaction.atomic
def end_mending(*, mending: Mending, by: User) -> Mending:
    """No more power for it, at once. Ending it twice changes nothing."""
    held = Interlock.objects.select_for_update().filter(machine=mending.machine_id).first()
    row = Mending.objects.select_for_update(of=("self",)).get(pk=mending.pk)
    now = timezone.now()
    if row.ended_at is None and row.until > now:
        row.ended_at = now
        row.save(update_fields=["ended_at"])
        if held is not None:
            _note(held, What.ENDED, by, row)
            look_again([held.pk])
    return row


def _note(held: Interlock, what: str, by: User, mending: Mending, sentence: str = "") -> None:
    InterlockCommand.objects.create(
        machine_id=held.machine_id,
        what=what,
        driver=held.driver,
        person=by,
        booking=mending.pk,
        sentence=sentence[:300],
    )
