"""What the demo's machines make: the simulator's jobs, told as a device tells them, some from demo designs.

All is a function of the device and the day, so that what was booked ahead is what is then made.
"""

import datetime as dt
import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from django.apps import apps
from django.utils import timezone

from commons.devices import queries as device_queries
from commons.devices import simulator
from commons.devices.models import Device
from commons.errors import CityError
from commons.people.models import User
from labs.engine import matching
from labs.models import Booking, Job, Machine
from labs.queries import badges
from labs.services import bookings, jobs

if TYPE_CHECKING:
    from designs.models import FileVersion

EXACT, SLICED = 0.62, 0.76
FAILS = 0.06
GRAMS_PER_HOUR = 14.0
WORD_EVERY = dt.timedelta(minutes=5)
CATCH_UP = dt.timedelta(days=2)


@dataclass(frozen=True, slots=True)
class Planned:
    """A job that a demo machine does or will do."""

    name: str
    start: dt.datetime
    end: dt.datetime
    file: dict[str, str]
    version: "FileVersion | None"
    outcome: str
    material_g: float | None


def files_for(machine: Machine) -> "list[FileVersion]":
    """Files of public demo designs that the machine can make, in a fixed order."""
    soft = {Machine.Process.KNIFE, Machine.Process.SEWING}  # the demo's designs are of hard stuff
    if machine.process in soft or not apps.is_installed("designs"):
        return []
    from designs.models import FileVersion  # noqa: PLC0415 the room may be left out

    rows = FileVersion.objects.filter(
        current=True,
        design__demo=True,
        design__visibility="public",
        blob__format__in=matching.FORMATS[machine.process],
    )
    rows = rows.select_related("design", "blob").order_by("design__slug", "path")
    return [row for row in rows if _fits(row, machine)]


def _fits(row: "FileVersion", machine: Machine) -> bool:
    extents = (row.blob.facts or {}).get("extents_mm")
    return not extents or machine.volume_mm is None or matching.size_fits(extents, machine.volume_mm)


def planned(machine: Machine, device: Device, day: dt.date, files: "Sequence[FileVersion]") -> Iterator[Planned]:
    """The machine's jobs of a UTC day."""
    seed = simulator.seed_of(device.hardware_id)
    for job in simulator.jobs(device.kind, seed, day):
        rng = np.random.default_rng([seed, day.toordinal(), job.number, 7])
        draw, which, fails = rng.random(), rng.random(), rng.random() < FAILS
        version = files[int(which * len(files))] if files and draw < SLICED else None
        name = f"{day.isoformat()}-{job.number}"
        hours = (job.end - job.start).total_seconds() / 3600
        prints = machine.process in {Machine.Process.FFF, Machine.Process.SLA}
        yield Planned(
            name=name,
            start=job.start,
            end=job.end,
            file=_file(version, exact=draw < EXACT or not prints, name=f"{device.hardware_id}-{name}"),
            version=version,
            outcome="failed" if fails else "finished",
            material_g=round(hours * GRAMS_PER_HOUR, 1) if prints else None,
        )


def _file(version: "FileVersion | None", *, exact: bool, name: str) -> dict[str, str]:
    """The file as the device names it: a design's own, G-code sliced from one, or one that nobody knows."""
    unknown = hashlib.sha256(name.encode()).hexdigest()
    if version is None:
        return {"name": "own.gcode", "sha256": unknown}
    base = version.path.rsplit("/", 1)[-1]
    if exact:
        return {"name": base, "sha256": version.blob.sha256, "sha1": version.blob.sha1}
    return {"name": f"{base}.gcode", "sha256": unknown, "source_sha256": version.blob.sha256}


def days(start: dt.datetime, end: dt.datetime) -> Iterator[dt.date]:
    """UTC days from one time to another."""
    day = start.astimezone(dt.UTC).date()
    while day <= end.astimezone(dt.UTC).date():
        yield day
        day += dt.timedelta(days=1)


def tell(machine: Machine, *, start: dt.datetime, now: dt.datetime) -> int:
    """Let the machine's device report its jobs since `start`, through the real ingest; how many messages."""
    device = machine.device
    if device is None:
        return 0
    files = files_for(machine)
    plans = [p for day in days(start, now) for p in planned(machine, device, day, files)]
    plans = [p for p in plans if start <= p.start <= now]
    known = {j.device_job: j for j in Job.objects.filter(device=device, device_job__in=[p.name for p in plans])}
    seq = device_queries.next_seq(device)
    messages: list[dict[str, Any]] = []
    for plan in plans:
        for message in _messages(plan, known.get(plan.name), now):
            messages.append({"seq": seq, "job": plan.name, **message})
            seq += 1
    for at in range(0, len(messages), 500):
        jobs.take_events(device=device, events=messages[at : at + 500])
    return len(messages)


def _messages(plan: Planned, job: Job | None, now: dt.datetime) -> Iterator[dict[str, Any]]:
    if job is None:
        yield {"ts": plan.start.isoformat(), "event": "started", "file": plan.file}
    if plan.end <= now:
        if job is None or not job.is_over:
            over = {"ts": plan.end.isoformat(), "event": plan.outcome}
            yield over | ({"material_g": plan.material_g} if plan.material_g else {})
    elif job is None or now - job.updated_at > WORD_EVERY:
        share = (now - plan.start) / (plan.end - plan.start)
        yield {"ts": now.isoformat(), "event": "progress", "progress": round(share, 3)}


def tick() -> int:
    """Let all demo machines say what they did since they last spoke; how many messages."""
    now = timezone.now()
    machines = Machine.objects.select_related("lab__place", "device").filter(
        demo=True, device__demo=True, device__revoked_at=None, device__enrolled_at__isnull=False
    )
    return sum(tell(machine, start=now - CATCH_UP, now=now) for machine in machines)


def book_ahead(machine: Machine, *, people: Sequence[User], now: dt.datetime, days_ahead: int) -> int:
    """Book the machine for what it will make in the coming days, as its members would; how many bookings.

    Machines that ask for no badge stay free for whoever comes.
    """
    device = machine.device
    able = [u for u in people if not badges.missing(machine=machine, user=u, at=now + dt.timedelta(days=30))]
    if device is None or not able or not machine.required_badges.exists():
        return 0
    made = 0
    files = files_for(machine)
    soon = now + dt.timedelta(minutes=10)
    for day in days(now, now + dt.timedelta(days=days_ahead)):
        for nth, plan in enumerate(planned(machine, device, day, files)):
            if plan.start < soon or Booking.objects.filter(machine=machine, start=plan.start).exists():
                continue
            person = able[(nth + day.toordinal()) % len(able)]
            design = plan.version.design if plan.version else None
            try:
                bookings.create_booking(
                    machine=machine, user=person, start=plan.start, end=plan.end, design=design, demo=True
                )
            except CityError:
                continue  # somebody was faster, or the lab is closed: so it goes in a real lab too
            made += 1
    return made
