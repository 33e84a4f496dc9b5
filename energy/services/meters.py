"""Meters: naming them, proving whose they are, tying a device to them, and keeping what they measured."""

import datetime as dt
import math
import re
from array import array
from collections.abc import Mapping
from dataclasses import dataclass

from django.db import IntegrityError, transaction
from django.db.models import Max
from django.utils import timezone
from django.utils.translation import gettext as _

from commons.devices import policies as device_policies
from commons.people.models import User
from energy import policies, secrets, series
from energy.errors import AlreadyIn, BadParticipant, NotSteward, UnknownParticipant, WrongCode
from energy.models import MeterDay, MeterFile, MeterPoint, Participant
from energy.services.participants import check_own, check_steward

TRIES = 10
LETTER_HOLDS = dt.timedelta(days=60)
NUMBER = re.compile(r"[A-Z0-9]{4,40}")


@transaction.atomic
def add_meter(
    *,
    participant: Participant,
    by: User,
    number: str,
    direction: str = MeterPoint.Direction.USE,
    valid_from: dt.date | None = None,
) -> MeterPoint:
    """Name a meter; it counts once it is proved. Raises NotSteward, BadParticipant, AlreadyIn."""
    check_own(by, participant)
    plain = "".join(c for c in number.upper() if c.isalnum())
    if not NUMBER.fullmatch(plain):
        raise BadParticipant(_("A meter number has 4 to 40 letters and digits, as on the meter or the bill."))
    if direction not in MeterPoint.Direction.values:
        raise BadParticipant(_("“%(word)s” is not a direction of a meter.") % {"word": direction[:20]})
    start = valid_from or participant.joined_on
    if not participant.belongs(start):
        raise BadParticipant(_("The meter begins on a day on which %(name)s belongs.") % {"name": participant.name})
    try:
        with transaction.atomic():
            return MeterPoint.objects.create(
                participant=participant,
                number=plain,
                direction=direction,
                valid_from=start,
                valid_until=participant.left_on,
            )
    except IntegrityError:
        raise AlreadyIn(_("This meter is named already.")) from None


@transaction.atomic
def remove_meter(*, meter: MeterPoint, by: User) -> None:
    """Take a meter away that was named by mistake; not one that has measured. Raises NotSteward, BadParticipant."""
    check_own(by, meter.participant)
    if meter.days.exists():
        raise BadParticipant(_("It has measured, so it stays; give it a last day instead."))
    meter.delete()


@transaction.atomic
def end_meter(*, meter: MeterPoint, by: User, until: dt.date) -> MeterPoint:
    """The meter was taken out: `until` is the first day without it. Raises NotSteward, BadParticipant."""
    if not policies.is_steward(by, meter.participant.community):
        check_own(by, meter.participant)
    if until < meter.valid_from or (meter.valid_until is not None and until > meter.valid_until):
        raise BadParticipant(_("Choose a day after %(day)s.") % {"day": meter.valid_from})
    meter.valid_until = until
    meter.save(update_fields=["valid_until"])
    return meter


@transaction.atomic
def write_letter(*, meter: MeterPoint, by: User) -> str:
    """A code to go by post to the address of the meter; an earlier one holds no longer. Raises NotSteward,
    BadParticipant."""
    check_steward(by, meter.participant.community)
    held = MeterPoint.objects.select_for_update().get(pk=meter.pk)
    if held.proved:
        raise BadParticipant(_("This meter is proved already."))
    code = secrets.new_code(2)
    held.letter_sha256, held.letter_at, held.letter_tries = secrets.fingerprint(code), timezone.now(), 0
    held.save(update_fields=["letter_sha256", "letter_at", "letter_tries"])
    return code


def prove_by_letter(*, meter: MeterPoint, by: User, code: str) -> MeterPoint:
    """Enter the code of the letter. Ten tries; a try is counted even when it is refused. Raises NotSteward, WrongCode,
    AlreadyIn."""
    if not policies.speaks_for(by, meter.participant):
        raise NotSteward(_("Only %(name)s enters this code.") % {"name": meter.participant.name})
    with transaction.atomic():
        held = MeterPoint.objects.select_for_update().get(pk=meter.pk)
        late = held.letter_at is None or held.letter_at + LETTER_HOLDS < timezone.now()
        spent = held.letter_tries >= TRIES
        right = not spent and not late and held.letter_sha256 is not None
        right = right and bytes(held.letter_sha256 or b"") == secrets.fingerprint(code)
        if right:
            return _prove(held, MeterPoint.Proof.LETTER, by)
        MeterPoint.objects.filter(pk=held.pk).update(letter_tries=min(held.letter_tries + 1, TRIES))
    if late:
        raise WrongCode(_("No letter is on its way, or it is older than 60 days; ask a steward for a new one."))
    if spent:
        raise WrongCode(_("Too many wrong codes; ask a steward for a new letter."))
    raise WrongCode(_("That is not the code of the letter; look again, it has eight letters and digits."))


@transaction.atomic
def vouch(*, meter: MeterPoint, by: User) -> MeterPoint:
    """A steward has seen that the meter is theirs. Raises NotSteward, AlreadyIn."""
    check_steward(by, meter.participant.community)
    return _prove(MeterPoint.objects.select_for_update().get(pk=meter.pk), MeterPoint.Proof.STEWARD, by)


def _prove(held: MeterPoint, proof: str, by: User) -> MeterPoint:
    if held.proved:
        return held
    held.proof, held.proved_at, held.proved_by = proof, timezone.now(), by
    held.letter_sha256 = None
    try:
        with transaction.atomic():
            held.save(update_fields=["proof", "proved_at", "proved_by", "letter_sha256"])
    except IntegrityError:
        raise AlreadyIn(
            _("This meter is proved to be somebody else's on some of these days; ask a steward who is right.")
        ) from None
    return held


@transaction.atomic
def connect_device(*, meter: MeterPoint, by: User, device: str) -> MeterPoint:
    """Let a device of the city measure for this meter (its id, or empty for none): one that the person may read and
    that belongs to an organisation of theirs. Raises NotSteward, UnknownParticipant."""
    check_own(by, meter.participant)
    if device and device == str(meter.device_id):
        return meter
    if not device:
        meter.device = None
    else:
        mine = device_policies.readable_by(by).filter(revoked_at=None)
        if not by.is_staff:
            mine = mine.filter(
                organisation__memberships__user=by, organisation__memberships__role__in=policies.STEWARDS
            )
        found = mine.filter(pk=device).first() if _is_uuid(device) else None
        if found is None:
            raise UnknownParticipant(_("There is no such device, or it is not yours."))
        meter.device = found
    meter.save(update_fields=["device"])
    return meter


def _is_uuid(text: str) -> bool:
    return re.fullmatch(r"[0-9a-fA-F]{8}(-?[0-9a-fA-F]{4}){3}-?[0-9a-fA-F]{12}", text) is not None


@dataclass(slots=True)
class Kept:
    """What became of days: new ones, revised ones, those that said nothing new, and those where a finer or fuller
    measurement was there already."""

    new: int = 0
    revised: int = 0
    same: int = 0
    outside: int = 0
    poorer: int = 0


def keep_days(
    *,
    meter: MeterPoint,
    days: "Mapping[dt.date, array[float]]",
    step_minutes: int,
    source: str,
    file: MeterFile | None = None,
) -> Kept:
    """Keep measured days of a meter (kWh a step, NaN for gaps). Call it in a transaction.

    A gap never takes away what was measured before; a day that says nothing new changes nothing; else the day gets a
    new revision. Days on which the meter is not theirs are left out and counted. Where steps differ, the one that
    lacks less time stays. Locks the meter.
    """
    MeterPoint.objects.select_for_update().get(pk=meter.pk)
    there = {row.day: row for row in meter.days.filter(day__in=list(days), current=True)}
    last = dict(meter.days.filter(day__in=list(days)).values_list("day").annotate(last=Max("revision")))
    kept, made, replaced = Kept(), [], []
    for day, values in days.items():
        if not meter.is_valid(day):
            kept.outside += 1
            continue
        if all(map(math.isnan, values)):
            continue
        before = there.get(day)
        merged = _merged(before, values, step_minutes) if before else values
        if merged is None:
            kept.poorer += 1
            continue
        if before and before.step_minutes == step_minutes and series.pack(merged) == bytes(before.packed):
            kept.same += 1
            continue
        if before:
            replaced.append(before.pk)
            kept.revised += 1
        else:
            kept.new += 1
        made.append(_row(meter, day, merged, step_minutes, source, file, last.get(day, 0) + 1))
    MeterDay.objects.filter(pk__in=replaced).update(current=False)
    MeterDay.objects.bulk_create(made, batch_size=500)
    return kept


def _merged(before: MeterDay, values: "array[float]", step_minutes: int) -> "array[float] | None":
    old = series.unpack(before.packed)
    if before.step_minutes == step_minutes and len(old) == len(values):
        return array("d", (o if math.isnan(v) else v for o, v in zip(old, values, strict=True)))
    lacking = sum(map(math.isnan, values)) * step_minutes
    was = before.missing * before.step_minutes
    return values if lacking < was or (lacking == was and step_minutes < before.step_minutes) else None


def _row(  # noqa: PLR0917 what a day is made of
    meter: MeterPoint,
    day: dt.date,
    values: "array[float]",
    step_minutes: int,
    source: str,
    file: MeterFile | None,
    revision: int,
) -> MeterDay:
    known = [v for v in values if not math.isnan(v)]
    return MeterDay(
        meter=meter,
        day=day,
        step_minutes=step_minutes,
        packed=series.pack(values),
        kwh=math.fsum(known),
        missing=len(values) - len(known),
        source=source,
        file=file,
        revision=revision,
    )
