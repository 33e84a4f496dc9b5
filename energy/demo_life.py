"""Life in the demonstration community: whose two of its homes are, meters with a past, and power that goes on.

What the meters say is the generated year at the same hour, a little off by a seed, so that measured and simulated
differ as they do in earnest; one meter was silent for a day. Loaded by workers alone (numpy).
"""

import datetime as dt
import zlib
from array import array
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from django.db import transaction
from django.utils import timezone

from commons.devices import queries as device_queries
from commons.devices import services as devices
from commons.devices.models import Device
from commons.people.models import User
from energy import series, standards
from energy.models import Asset, CommunityVersion, Dwelling, Member, MeterDay, MeterPoint, Participant
from energy.queries.hours import locate
from energy.queries.measured import midnight, steps_in, zone
from energy.services import meters as kept
from energy.services import modelling

PERSONS = {"house03": "aino", "house04": "leila"}
MODELLED = "aino"
SILENT = ("house03", MeterPoint.Direction.USE, 11)
PREFIX, KIND = "kamppi-meter-", "community-meter"
DAYS, QUARTER = 45, 15
OFF = 0.12


@dataclass(frozen=True, slots=True)
class _Curves:
    """A member's kWh a step by direction of its meters."""

    version: CommunityVersion
    of: "Mapping[str, array[float]]"

    def kw(self, direction: str, moment: dt.datetime) -> float:
        """Mean power, in line between the middles of steps."""
        step = dt.timedelta(minutes=self.version.step_minutes)
        early = moment - step / 2
        one, two = locate(self.version, early), locate(self.version, early + step)
        if one is None or two is None:
            return 0.0
        share = ((early - self.version.start) % step) / step
        values, hours = self.of[direction], self.version.step_minutes / 60
        return (values[one.index] * (1 - share) + values[two.index] * share) / hours


def seed(version: CommunityVersion) -> str:
    """Make participants, meters and their past, unless they are there; what was made, in words."""
    for key, username in PERSONS.items():
        person = User.objects.filter(username=username, demo=True).first()
        version.members.filter(key=key, person=None).update(person=person)
    if version.community.participants.exists():
        return ""
    with transaction.atomic():
        made = [_participant(version, member) for member in version.members.select_related("person")]
        _modelled(version)
        return f"energy: {len(made)} participants, {sum(made)} meters with {DAYS} days behind them"


def _participant(version: CommunityVersion, member: Member) -> int:
    participant = Participant.objects.create(
        community=version.community,
        name=member.name,
        kind=member.kind,
        person=member.person,
        joined_on=version.first_day,
        demo=True,
    )
    curves = curves_of(version, member)
    for direction in curves.of:
        device = devices.create_device(
            name=f"{member.name}: {direction}",
            kind=KIND,
            hardware_id=f"{PREFIX}{member.key}.{direction}",
            place=version.community.place,
        )
        meter = MeterPoint.objects.create(
            participant=participant,
            number=f"FI-DEMO-{member.position:04d}",
            direction=direction,
            device=device,
            proof=MeterPoint.Proof.STEWARD,
            proved_at=timezone.now(),
            valid_from=version.first_day,
        )
        _past(meter, member.key, curves)
    return len(curves.of)


def _modelled(version: CommunityVersion) -> None:
    """One home says what it owns, and its year is worked out, to be held against its meters."""
    person = version.community.participants.filter(person__username=MODELLED).first()
    if person is None or standards.folder() is None:
        return
    Asset.objects.create(participant=person, kind=Asset.Kind.SOLAR, kwp=72.0, tilt_deg=20.0, azimuth_deg=180.0)
    Dwelling.objects.create(participant=person, people=12, kwh_per_year=70_000)
    modelling.keep_home(modelling.build_home(person, version.first_day.year))


def curves_of(version: CommunityVersion, member: Member) -> _Curves:
    """What its meters would see."""
    load, made = np.array(series.unpack(member.load)), np.array(series.unpack(member.pv))
    net = load - made
    of = {"use": array("d", np.maximum(net, 0.0))}
    if member.pv_kwh > 0:
        of |= {"feed_in": array("d", np.maximum(-net, 0.0)), "solar": array("d", made)}
    return _Curves(version, of)


def _past(meter: MeterPoint, key: str, curves: _Curves) -> None:
    clock = zone(meter.participant.community)
    today = timezone.now().astimezone(clock).date()
    rng = np.random.default_rng(zlib.crc32(f"{key}.{meter.direction}".encode()))
    days: dict[dt.date, array[float]] = {}
    for back in range(1, DAYS + 1):
        if (key, meter.direction, back) == SILENT:
            continue
        day = today - dt.timedelta(days=back)
        start, step = midnight(day, clock), dt.timedelta(minutes=QUARTER)
        off = 1 + OFF * float(rng.normal())
        factor = np.clip(off * rng.normal(1.0, OFF, steps_in(day, clock, QUARTER)), 0.1, 3.0)
        days[day] = array(
            "d",
            (
                round(curves.kw(meter.direction, start + (i + 0.5) * step) * QUARTER / 60 * float(f), 4)
                for i, f in enumerate(factor)
            ),
        )
    kept.keep_days(meter=meter, days=days, step_minutes=QUARTER, source=MeterDay.Source.DEVICE)


def tick() -> int:
    """Let each meter of the demonstration say what it sees now; how many did."""
    known = list(Device.objects.filter(kind=KIND, hardware_id__startswith=PREFIX, revoked_at=None))
    version = _version(known)
    if version is None:
        return 0
    now = timezone.now().replace(microsecond=0)
    members = {member.key: curves_of(version, member) for member in version.members.all()}
    told = 0
    for device in known:
        key, _dot, direction = device.hardware_id.removeprefix(PREFIX).rpartition(".")
        if key not in members or direction not in members[key].of:
            continue
        rng = np.random.default_rng([zlib.crc32(device.hardware_id.encode()), int(now.timestamp()) // 60])
        watts = members[key].kw(direction, now) * 1000 * float(np.clip(rng.normal(1.0, 0.04), 0.8, 1.2))
        seq = device_queries.next_seq(device)
        reading = {"seq": seq, "ts": now.isoformat(), "channel": "power_w", "value": round(watts, 1)}
        devices.ingest(device=device, readings=[reading])
        told += 1
    return told


def _version(known: Sequence[Device]) -> CommunityVersion | None:
    if not known:
        return None
    found = CommunityVersion.objects.filter(community__demo=True, community__participants__demo=True, demo=True)
    return found.order_by("-number").select_related("community").first()


def remove() -> int:
    """Take the meters' devices away; participants go with their community. How many."""
    gone = list(Device.objects.filter(kind=KIND, hardware_id__startswith=PREFIX))
    devices.delete_devices(devices=gone)
    return len(gone)
