"""What the meters of a community say now, in words, for pages that stand open: one document, asked for or streamed.

Public: while fewer than 30 households have meters here, labs, public buildings and the sum of all solar roofs alone.
Who counts is who belonged on the first day of the month, so that a meter that comes or goes tells of nobody.
A person's own board has their own meters, and nobody else's.
"""

import datetime as dt
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext as _

from commons.devices import queries as devices
from commons.people.models import User
from commons.sockets import Watched
from commons.web import numbers
from commons.web.api import has_scope
from energy import flow, policies
from energy.errors import CommunityNotFound
from energy.models import Community, MeterPoint, Participant
from energy.queries import mine
from energy.queries.communities import community as find_community
from energy.queries.day import Step
from energy.queries.measured import zone

USE, FEED_IN, SOLAR = MeterPoint.Direction.USE, MeterPoint.Direction.FEED_IN, MeterPoint.Direction.SOLAR


@dataclass(slots=True)
class Now:
    """Power now, kW, from meters that were heard in the last two minutes. `whole`: every household's is in it."""

    whole: bool
    meters: int = 0
    heard: int = 0
    heard_at: dt.datetime | None = None
    solar: float = 0.0
    drawn: float = 0.0
    fed: float = 0.0
    use: dict[str, float] = field(default_factory=dict)
    keep: frozenset[str] = frozenset()  # circles of those who have a meter, whatever it says

    @property
    def step(self) -> Step:
        """As one step of the flow; the grid is left out while not all are in it."""
        net = self.drawn - self.fed
        grid, sent = (max(net, 0.0), max(-net, 0.0)) if self.whole else (0.0, 0.0)
        use = sum(self.use.values())
        return Step(
            start=self.heard_at or timezone.now(),
            solar=self.solar,
            use=use,
            sun_used=max(0.0, min(self.solar - sent, use)),
            grid=grid,
            export=sent,
            charge=0.0,
            discharge=0.0,
            homes=self.use.get("home", 0.0),
            labs=self.use.get("lab", 0.0),
            others=self.use.get("public", 0.0) + self.use.get("business", 0.0),
            vehicles=0.0,
        )


def meters_of(community: Community) -> tuple[list[MeterPoint], bool]:
    """Meters with a device that the public live view may be made of, and whether all households are in it."""
    today = timezone.now().astimezone(zone(community)).date()
    first = today.replace(day=1)
    rows = (
        MeterPoint.objects.filter(participant__community=community, device__isnull=False, valid_from__lte=first)
        .filter(Q(valid_until=None) | Q(valid_until__gt=today))
        .filter(Q(participant__left_on=None) | Q(participant__left_on__gt=today), participant__joined_on__lte=first)
        .exclude(proof=MeterPoint.Proof.CLAIMED)
        .select_related("participant", "device")
    )
    found = list(rows)
    private = {m.participant_id for m in found if m.participant.kind not in policies.OPEN_KINDS}
    if community.demo:
        return found, True
    if len(private) >= policies.LEAST_MEMBERS_BELOW_AN_HOUR:
        counted = _counted(community, first, today) & private
        if len(counted) >= policies.LEAST_MEMBERS_BELOW_AN_HOUR:
            return [m for m in found if m.participant.kind in policies.OPEN_KINDS or m.participant_id in counted], True
    return [m for m in found if m.participant.kind in policies.OPEN_KINDS or m.direction == SOLAR], False


def _counted(community: Community, first: dt.date, today: dt.date) -> frozenset[int]:
    """The households that count in the live sum of this month; none once one of them has gone: the step in the sum
    would be theirs."""
    rows = community.participants.exclude(kind__in=policies.OPEN_KINDS).values_list("pk", "joined_on", "left_on")
    spells = list(rows)
    counted = settled(spells, first)
    gone = {key for key, _joined, left in spells if left is not None and left <= today}
    return frozenset() if counted & gone else counted


def settled(spells: Iterable[tuple[int, dt.date, dt.date | None]], month: dt.date) -> frozenset[int]:
    """Who counts in the month of that first day: who comes or goes counts from a month's first day on, and only when at
    least five change together; until then they wait for others."""
    spells = list(spells)
    days = {day for _key, joined, left in spells for day in (joined, left) if day is not None and day <= month}
    borders = {day if day.day == 1 else (day.replace(day=1) + dt.timedelta(days=32)).replace(day=1) for day in days}
    counted: frozenset[int] = frozenset()
    for border in sorted(border for border in borders if border <= month):
        inside = frozenset(
            key for key, joined, left in spells if joined <= border and (left is None or left > border)
        )
        if len(inside ^ counted) >= policies.LEAST_CHANGED:
            counted = inside
    return counted


def now_of(meters: Iterable[MeterPoint], *, whole: bool) -> Now:
    """Their power now, added up: what members use is drawn + made - fed in; one query."""
    meters = list(meters)
    found = Now(whole, meters=len(meters), keep=frozenset(filter(None, (_circle(m, whole=whole) for m in meters))))
    values = devices.live_of([m.device for m in meters if m.device])
    for meter in meters:
        live = values[meter.device] if meter.device else None
        if live is None or not live.fresh or live.power_w is None:
            continue
        found.heard += 1
        found.heard_at = max(filter(None, (found.heard_at, live.at)))
        kw = live.power_w / 1000
        kind = meter.participant.kind
        if meter.direction == SOLAR:
            found.solar += kw
        elif meter.direction == USE:
            found.drawn += kw
        else:
            found.fed += kw
        if found.whole or kind in policies.OPEN_KINDS:
            found.use[kind] = found.use.get(kind, 0.0) + (-kw if meter.direction == FEED_IN else kw)
    found.use = {kind: max(0.0, kw) for kind, kw in found.use.items()}
    return found


def _circle(meter: MeterPoint, *, whole: bool) -> str:
    """The circle of the flow in which a meter is shown."""
    if meter.direction == SOLAR:
        return "solar"
    kind = meter.participant.kind
    if meter.direction == FEED_IN or not (whole or kind in policies.OPEN_KINDS):
        return ""
    return {"home": "homes", "lab": "labs"}.get(kind, "others")


def document(found: Now) -> dict[str, dict[str, Any]]:
    """The words of each circle of the flow, and when meters were heard."""
    nodes = flow.draw(found.step, keep=found.keep).nodes
    return {
        **{node.slug: {"kw": numbers.kw(node.kw) if found.heard else numbers.MISSING} for node in nodes},
        "meters": {"heard": heard_words(found)},
    }


def heard_words(found: Now) -> str:
    """How many meters were heard, and when."""
    if not found.heard:
        return _("no meter heard in the last two minutes")
    words = {"time": numbers.ago(found.heard_at), "n": found.heard, "all": found.meters}
    if found.heard < found.meters:
        return _("%(n)d of %(all)d meters heard, %(time)s") % words
    return _("all %(all)d meters heard, %(time)s") % words


def board(key: str, person: User | None, _token: Any) -> Watched:
    """The public board of a community, the same for all who may know of it. Raises CommunityNotFound."""
    community = find_community(key, person)
    meters, whole = meters_of(community)
    return Watched(_devices(meters), lambda: document(now_of(meters, whole=whole)))


def own_meters(participants: Sequence[Participant]) -> list[MeterPoint]:
    """Meters with a device that are theirs today."""
    rows = MeterPoint.objects.filter(participant__in=participants, device__isnull=False)
    rows = rows.exclude(proof=MeterPoint.Proof.CLAIMED).select_related("participant", "device")
    found = []
    for meter in rows:
        if meter.is_valid(timezone.now().astimezone(zone(meter.participant.community)).date()):
            found.append(meter)
    return found


def own_board(key: str, person: User | None, token: Any) -> Watched:
    """The board of a person's own meters in a community, for them alone, by token with `energy:read`. Raises
    CommunityNotFound.
    """
    slug, _dot, number = key.rpartition(".")
    community = find_community(slug, person)
    allowed = token is None or has_scope(token, "energy:read")
    theirs = [p for p in mine.participants_of(community, person) if allowed and str(p.pk) == number]
    if not theirs:
        raise CommunityNotFound(_("There is no such member, or it is not yours to see."))
    meters = own_meters(theirs)
    return Watched(_devices(meters), lambda: document(now_of(meters, whole=True)))


def _devices(meters: Iterable[MeterPoint]) -> frozenset[Any]:
    return frozenset(m.device_id for m in meters if m.device_id)
