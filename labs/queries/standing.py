"""Where a lab stands: the member that it is of its energy community, and what it draws now.

Its community is the one that confirmed it (`LabTie`); until somebody asked, that of its neighbourhood. A lab is the
member whose organisation is its own; in imported data, which know no organisations, the one of its name.
"""

import datetime as dt
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from django.apps import apps
from django.db.models import Sum
from django.urls import reverse
from django.utils import timezone

from commons.places.models import Place
from labs.models import Booking, Lab, LabTie, Machine
from labs.queries import board, ties

if TYPE_CHECKING:
    from energy.models import Community, Member, Participant


@dataclass(frozen=True, slots=True)
class Standing:
    """A lab's community, and what it is there: a participant with meters, a member of the data, either or neither.

    `apart`: one of the two has said that it does not belong there.
    """

    community: "Community | None" = None
    participant: "Participant | None" = None
    member: "Member | None" = None
    apart: bool = False

    @property
    def is_member(self) -> bool:
        """Whether the community knows it."""
        return self.participant is not None or self.member is not None


NOWHERE = Standing()


def of(lab: Lab) -> Standing:
    """Where the lab stands; four queries."""
    if not apps.is_installed("energy"):
        return NOWHERE
    from energy.models import Community, Participant  # noqa: PLC0415 the room may be left out
    from energy.queries import community_of, public  # noqa: PLC0415 as above

    said = ties.last_said([lab], LabTie.Kind.COMMUNITY).get(lab.pk)
    if said is not None and said.state == LabTie.State.HOLDS:
        community = Community.objects.filter(slug=said.target).first()
    else:
        community = community_of(lab.place) if lab.place else None
    if community is None:
        return NOWHERE
    if said is not None and said.state != LabTie.State.HOLDS and said.target == community.slug:
        return Standing(community, apart=True)
    today = timezone.now().date()
    own = Participant.objects.filter(community=community, kind="lab", organisation=lab.organisation_id)
    participant = own.filter(joined_on__lte=today).exclude(left_on__lte=today).first()
    version = public.version(community, None)
    member = version.members.filter(kind="lab", name__iexact=lab.name).first() if version else None
    return Standing(community, participant, member)


@dataclass(frozen=True, slots=True)
class Now:
    """A lab on a map or in a community: what it draws now and what it plans for the rest of the day."""

    lab: Lab
    watts: float | None
    heard_at: dt.datetime | None
    machines: int
    running: int
    planned_kwh: float | None
    url: str

    def document(self) -> dict[str, Any]:
        """For a map: place, power and plan."""
        return {
            "slug": self.lab.slug,
            "name": self.lab.name,
            "lat": self.lab.lat,
            "lon": self.lab.lon,
            "url": self.url,
            "watts": self.watts,
            "heard_at": self.heard_at.isoformat() if self.heard_at else None,
            "machines": self.machines,
            "running": self.running,
            "planned_kwh": self.planned_kwh,
        }


def live(place: Place) -> list[Now]:
    """The labs of a place and of its parts with their live load: what the twin shows of production; five queries."""
    from django.db.models import Q  # noqa: PLC0415 beside its use

    labs = list(Lab.objects.filter(Q(place=place) | Q(place__parent=place)).select_related("place").order_by("name"))
    return of_labs(labs, timezone.now())


def of_community(community: "Community") -> list[Now]:
    """The labs of a community with their live load: those that it confirmed, and those of its place that belong to no
    other and were not declined."""
    from django.db.models import Q  # noqa: PLC0415 beside its use

    tied = {lab.pk: lab for lab in ties.labs_of(LabTie.Kind.COMMUNITY, community.slug)}
    place = community.place
    rows = Lab.objects.filter(Q(place=place) | Q(place__parent=place)).select_related("place") if place else []
    here = [lab for lab in rows if lab.pk not in tied]
    said = ties.last_said(here, LabTie.Kind.COMMUNITY)
    here = [lab for lab in here if not _is_elsewhere(said.get(lab.pk), community.slug)]
    return of_labs(sorted([*tied.values(), *here], key=lambda lab: (lab.name, lab.pk)), timezone.now())


def _is_elsewhere(said: LabTie | None, slug: str) -> bool:
    """Whether the last word is that a lab belongs to another community, or not to this one."""
    return said is not None and (said.state == LabTie.State.HOLDS or said.target == slug)


def of_labs(labs: list[Lab], now: dt.datetime) -> list[Now]:
    """The same for these labs."""
    machines: dict[int, list[Machine]] = {lab.pk: [] for lab in labs}
    for machine in Machine.objects.filter(lab__in=labs).select_related("device", "lab"):
        machines[machine.lab_id].append(machine)
    power = board.power_of([m for rows in machines.values() for m in rows], now=now, spark=False)
    busy = Booking.objects.filter(machine__lab__in=labs, status=Booking.Status.RUNNING).values_list("machine__lab")
    running: dict[int, int] = {}
    for (key,) in busy:
        running[key] = running.get(key, 0) + 1
    planned = _planned(labs, now)
    found = []
    for lab in labs:
        told = [power[m.pk] for m in machines[lab.pk] if m.pk in power]
        heard = [one for one in told if one.watts is not None and not one.old]
        found.append(
            Now(
                lab,
                sum(one.watts or 0.0 for one in heard) if heard else None,
                max((one.heard_at for one in heard if one.heard_at), default=None),
                len(machines[lab.pk]),
                running.get(lab.pk, 0),
                planned.get(lab.pk),
                reverse("rooms:lab", args=[lab.slug]),
            )
        )
    return found


def _planned(labs: list[Lab], now: dt.datetime) -> dict[int, float]:
    """kWh that are planned from now until the local midnight."""
    if not apps.is_installed("energy") or not labs:
        return {}
    from energy import series  # noqa: PLC0415 as above
    from energy.models import PlannedLoad  # noqa: PLC0415 the room may be left out
    from energy.queries.outlooks import Planned  # noqa: PLC0415 as above

    by_source = {f"labs:{lab.slug}": lab for lab in labs}
    found = {}
    for row in PlannedLoad.objects.filter(source__in=by_source):
        lab = by_source[row.source]
        tomorrow = (now.astimezone(lab.zone) + dt.timedelta(days=1)).replace(hour=0, minute=0, second=0, microsecond=0)
        found[lab.pk] = Planned(row, series.unpack(row.kwh)).on(now, tomorrow.astimezone(dt.UTC))
    return found


def measured_kwh(lab: Lab, since: dt.datetime) -> float:
    """kWh of the lab's jobs that ended since."""
    from labs.models import Job  # noqa: PLC0415 beside its use

    total = Job.objects.filter(machine__lab=lab, finished_at__gte=since).aggregate(kwh=Sum("energy_kwh"))
    return float(total["kwh"] or 0.0)
