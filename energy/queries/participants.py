"""Reads of participants: who belongs, what is yours, what was measured of whom."""

import calendar
import datetime as dt
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from django.db.models import Count, Min, Q, QuerySet, Sum
from django.db.models.functions import TruncMonth
from django.utils import timezone
from django.utils.translation import gettext as _

from commons.people.models import Membership, User
from energy import policies
from energy.errors import BadInvitation, UnknownParticipant
from energy.models import Community, Invitation, MeterDay, MeterFile, MeterPoint, Participant
from energy.queries.measured import zone
from energy.secrets import fingerprint


def today(community: Community) -> dt.date:
    """The day by the community's own clock."""
    return timezone.now().astimezone(zone(community)).date()


def participants(community: Community) -> QuerySet[Participant]:
    """All of a community, those who left last."""
    rows = community.participants.select_related("person", "organisation", "community", "community__place")
    return rows.prefetch_related("meters", "assets").order_by("left_on", "joined_on", "pk")


def participant(slug: str, pk: int, viewer: policies.Viewer) -> Participant:
    """One that this person may see. Raises UnknownParticipant, for what is not theirs as for what is not there."""
    rows = Participant.objects.select_related("community", "community__place", "person", "organisation")
    found = rows.filter(community__slug=slug, pk=pk).first()
    if found is None or not policies.may_see_participant(viewer, found):
        raise UnknownParticipant(_("There is no such participant, or it is not yours to see."))
    return found


def of_person(viewer: policies.Viewer) -> "Sequence[Participant]":
    """What is somebody's own, in all communities, and what they may see for others."""
    if not isinstance(viewer, User):
        return []
    led = Membership.objects.filter(user=viewer, role__in=policies.STEWARDS).values("organisation")
    rows = Participant.objects.filter(Q(person=viewer) | Q(organisation__in=led) | Q(viewers=viewer)).distinct()
    return list(rows.select_related("community", "community__place").order_by("left_on", "community__name", "pk"))


def speaks_here(viewer: policies.Viewer, community: Community) -> bool:
    """Whether something in the community is the viewer's own; one query."""
    if not isinstance(viewer, User):
        return False
    led = Membership.objects.filter(user=viewer, role__in=policies.STEWARDS).values("organisation")
    return community.participants.filter(Q(person=viewer) | Q(organisation__in=led)).exists()


def mine(community: Community, viewer: policies.Viewer) -> Participant | None:
    """The viewer's own participant of a community, the one who still belongs first."""
    return next(
        (p for p in of_person(viewer) if p.community_id == community.pk and policies.speaks_for(viewer, p)), None
    )


def meter(participant: Participant, pk: int) -> MeterPoint:
    """One of its meters. Raises UnknownParticipant."""
    found = participant.meters.select_related("participant", "participant__community").filter(pk=pk).first()
    if found is None:
        raise UnknownParticipant(_("There is no such meter."))
    return found


def demonstration(slug: str) -> Invitation:
    """What stands in for an invitation where nobody could write one: the demonstration of that address. Raises
    BadInvitation."""
    found = Community.objects.select_related("place").filter(slug=slug, demo=True).first()
    if found is None:
        raise BadInvitation(_("There is no demonstration of that name. Ask the stewards of a community for a code."))
    return Invitation(community=found)


def invitation(code: str) -> Invitation:
    """The invitation of a code while it is open. Raises BadInvitation."""
    rows = Invitation.objects.select_related("community", "community__place", "invited_by")
    found = rows.filter(sha256=fingerprint(code)).first()
    if found is None or not found.is_open():
        raise BadInvitation(_("This code lets nobody in: it was used, taken back or has run out. Ask for a new one."))
    return found


def file_of(community: Community, pk: int, viewer: policies.Viewer) -> MeterFile:
    """A file of readings: for who brought it and who speaks for the participant; for all of the community, stewards.
    Raises UnknownParticipant."""
    found = community.meter_files.select_related("participant", "participant__community").filter(pk=pk).first()
    if found is None or not _may_see_file(viewer, found):
        raise UnknownParticipant(_("There is no such file, or it is not yours to see."))
    return found


def _may_see_file(viewer: policies.Viewer, found: MeterFile) -> bool:
    if found.participant is None:
        return policies.is_steward(viewer, found.community)
    return policies.may_change_participant(viewer, found.participant)


@dataclass(frozen=True, slots=True)
class Month:
    """A month of a participant: kWh measured by direction, and days on which something is missing."""

    first: dt.date
    kwh: dict[str, float]
    missing_days: int
    days: int


def months(participant: Participant) -> list[Month]:
    """Monthly sums, the newest first; from the columns of the days alone, no curve is opened."""
    rows = (
        MeterDay.objects.filter(meter__participant=participant, current=True)
        .annotate(month=TruncMonth("day"))
        .values("month", "meter__direction")
        .annotate(kwh=Sum("kwh"))
        .order_by("-month")
    )
    sums: dict[dt.date, dict[str, float]] = defaultdict(dict)
    for row in rows:
        sums[row["month"]][row["meter__direction"]] = row["kwh"]
    if not sums:
        return []
    lacking: dict[dt.date, int] = defaultdict(int)
    first, last = min(sums), max(sums)
    end = _next_month(last)
    for day in missing_days([participant], first, end).get(participant.pk, []):
        lacking[day.replace(day=1)] += 1
    return [
        Month(month, sums[month], lacking[month], calendar.monthrange(month.year, month.month)[1])
        for month in sorted(sums, reverse=True)
    ]


def previous_month(first: dt.date) -> dt.date:
    """The first day of the month before."""
    return (first - dt.timedelta(days=1)).replace(day=1)


def _next_month(first: dt.date) -> dt.date:
    return (first + dt.timedelta(days=32)).replace(day=1)


def missing_days(people: Iterable[Participant], start: dt.date, end: dt.date) -> dict[int, list[dt.date]]:
    """Days from `start` until the day before `end` on which a participant belongs and not every step was measured: by a
    proved meter of each direction that it has. By the columns of the days alone."""
    people = list(people)
    meters: dict[int, list[MeterPoint]] = defaultdict(list)
    for row in MeterPoint.objects.filter(participant__in=people).exclude(proof=MeterPoint.Proof.CLAIMED):
        meters[row.participant_id].append(row)
    rows = MeterDay.objects.filter(
        meter__participant__in=people, current=True, missing=0, day__gte=start, day__lt=end
    ).values_list("meter", "day")
    whole = set(rows)
    found: dict[int, list[dt.date]] = {}
    for person in people:
        own = meters[person.pk]
        days = [start + dt.timedelta(days=i) for i in range((end - start).days)]
        found[person.pk] = [d for d in days if person.belongs(d) and not _whole(own, d, whole)]
    return found


def _whole(meters: Sequence[MeterPoint], day: dt.date, whole: "set[tuple[int, dt.date]]") -> bool:
    for direction in {m.direction for m in meters}:
        valid = [m for m in meters if m.direction == direction and m.is_valid(day)]
        if not valid or any((m.pk, day) not in whole for m in valid):
            return False
    return bool(meters)


@dataclass(frozen=True, slots=True)
class Gap:
    """Days in a row on which a meter misses steps, and how many; `whole`: nothing at all was measured."""

    first: dt.date
    last: dt.date
    steps: int
    whole: bool


def gaps(meter: MeterPoint) -> list[Gap]:
    """What is missing between a meter's first and last measured day, the newest first."""
    rows = dict(meter.days.filter(current=True).order_by("day").values_list("day", "missing"))
    found: list[Gap] = []
    if not rows:
        return found
    day, last = min(rows), max(rows)
    while day <= last:
        whole, steps = day not in rows, rows.get(day, 0)
        if whole or steps:
            before = found[-1] if found else None
            if before and before.last == day - dt.timedelta(days=1) and before.whole == whole:
                found[-1] = Gap(before.first, day, before.steps + steps, whole)
            else:
                found.append(Gap(day, day, steps, whole))
        day += dt.timedelta(days=1)
    return found[::-1]


@dataclass(frozen=True, slots=True)
class MeterState:
    """What is known of a meter: first and last measured day, and days and steps that are missing between."""

    meter: MeterPoint
    first: dt.date | None
    last: dt.date | None
    days: int
    missing_days: int
    missing_steps: int


def meter_states(participant: Participant) -> list[MeterState]:
    """What its meters have brought, in one query."""
    rows = participant.meters.select_related("device").annotate(
        first_day=Min("days__day", filter=Q(days__current=True)),
        day_count=Count("days", filter=Q(days__current=True)),
        steps_missing=Sum("days__missing", filter=Q(days__current=True)),
        partial=Count("days", filter=Q(days__current=True, days__missing__gt=0)),
    )
    found = []
    for row in rows:
        last = row.days.filter(current=True).order_by("-day").values_list("day", flat=True).first()
        span = (last - row.first_day).days + 1 if last and row.first_day else 0
        found.append(
            MeterState(
                row,
                row.first_day,
                last,
                row.day_count,
                span - row.day_count + row.partial,
                row.steps_missing or 0,
            )
        )
    return found
