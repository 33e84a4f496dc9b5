"""What a machine says about its jobs: taken in once, folded to a job.

Events share the device's counter of seq with its readings, under the same lock, in the same transaction. A
job is folded anew from all its events, so that any order of arrival, and any repetition, gives the same
job.
"""

import datetime as dt
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.db import transaction
from django.utils import timezone
from django.utils.dateparse import parse_datetime
from django.utils.translation import gettext as _

from commons.devices import services as devices
from commons.devices.models import Device
from labs.engine import fold
from labs.errors import BadJobEvent, NotALabDevice
from labs.models import Booking, Job, JobEvent, Machine
from labs.services import orders
from labs.services.jobs.energy import measure
from labs.services.jobs.proof import prove

HEX = {"sha256": 64, "source_sha256": 64, "sha1": 40, "blob": 40}
EARLY = dt.timedelta(minutes=15)
MOST_EVENTS = 1000
TOO_OLD, TOO_NEW = dt.timedelta(days=400), dt.timedelta(minutes=5)


@dataclass(frozen=True, slots=True)
class Ack:
    """Telemetry's answer: `acked` is the highest seq below which everything is committed or rejected."""

    acked: int
    stored: int
    duplicates: int
    rejected: list[dict[str, Any]] = field(default_factory=list)
    flagged: list[dict[str, Any]] = field(default_factory=list)


class Refused(Exception):
    """A message that cannot be read, with its code and sentence."""

    def __init__(self, code: str, sentence: str) -> None:
        super().__init__(sentence)
        self.code, self.sentence = code, sentence


@dataclass(frozen=True, slots=True)
class Message:
    """A readable message; `job` is the device's own name of the job."""

    job: str
    event: fold.Event


@transaction.atomic
def take_events(*, device: Device, events: Sequence[Any], demo: bool = False) -> Ack:
    """Store what is new and fold its jobs. Raises NotALabDevice, and BadJobEvent when nothing has a seq.

    Locks the device row first (claim_seqs).
    """
    machine = Machine.objects.select_related("lab__place").filter(device=device).first()
    if machine is None:
        raise NotALabDevice(_("This device is tied to no machine; ask the lab's manager to tie it."))
    seqs = [seq for seq in map(seq_of, events) if seq is not None]
    if not seqs:
        raise BadJobEvent(_("No message has a “seq”: a whole number from 1, counted up by the device."))
    fresh, _duplicates = devices.claim_seqs(device=device, seqs=seqs)
    now, left = timezone.now(), set(fresh)
    rejected: list[dict[str, Any]] = []
    flagged: list[dict[str, Any]] = []
    by_job: dict[str, list[fold.Event]] = {}
    for raw in events:
        seq = seq_of(raw)
        if seq is None or seq not in left:
            if seq is None:
                rejected.append({"seq": None, "code": "job:no-seq", "sentence": _("This message has no seq.")})
            continue
        left.discard(seq)
        try:
            message = read(raw, seq)
        except Refused as refusal:
            rejected.append({"seq": seq, "code": refusal.code, "sentence": refusal.sentence})
            continue
        event = message.event
        if not now - TOO_OLD < event.ts < now + TOO_NEW:
            sentence = _("The clock says %(ts)s; the time of arrival stands instead.") % {"ts": event.ts.isoformat()}
            flagged.append({"seq": seq, "code": "job:wrong-clock", "sentence": sentence})
            event = event._replace(ts=now)
        by_job.setdefault(message.job, []).append(event)
    for name, news in by_job.items():
        store(machine=machine, device=device, name=name, news=news, demo=demo or device.demo)
    stored = sum(map(len, by_job.values()))
    acked = devices.mark_seen(device=device, seqs=fresh)
    return Ack(acked, stored, len(seqs) - len(fresh), rejected, flagged)


def messages_of(body: Any) -> list[Any]:
    """The messages of a body: one, a list, or {"events": [...]}; at most MOST_EVENTS. Raises BadJobEvent."""
    if isinstance(body, dict) and "events" in body:
        body = body["events"]
    messages = body if isinstance(body, list) else [body]
    if not messages or not all(isinstance(m, dict) for m in messages):
        raise BadJobEvent(_('Send one message, or {"events": [message, …]}.'))
    if len(messages) > MOST_EVENTS:
        raise BadJobEvent(_("Send at most %(n)d messages at a time.") % {"n": MOST_EVENTS})
    return messages


def seq_of(raw: Any) -> int | None:
    """The message's number, or None when it has none."""
    seq = raw.get("seq") if isinstance(raw, Mapping) else None
    whole = isinstance(seq, int) and not isinstance(seq, bool) and 1 <= seq < 2**62
    return seq if whole else None


def read(raw: Mapping[str, Any], seq: int) -> Message:
    """One message. Raises Refused with what is wrong."""
    event, name = raw.get("event"), raw.get("job")
    if event not in fold.EVENTS:
        known = ", ".join(fold.EVENTS)
        raise Refused(
            "job:unknown-event",
            _("“%(event)s” is no event; there are %(known)s.") % {"event": event, "known": known},
        )
    if not isinstance(name, str) or not 1 <= len(name) <= 120 or "\0" in name:
        raise Refused("job:no-job", _("“job” is the device's own name of the job, 1 to 120 characters."))
    moment = _moment(raw.get("ts"))
    progress = _number(raw, "progress", most=1.0)
    material_g = _number(raw, "material_g", most=1e7)
    return Message(name, fold.Event(seq, moment, str(event), _file(raw.get("file")), progress, material_g))


def _moment(value: Any) -> dt.datetime:
    try:
        moment = parse_datetime(value) if isinstance(value, str) else None
    except ValueError:
        moment = None
    if moment is None or moment.tzinfo is None:
        raise Refused("job:bad-time", _("“ts” is a time such as 2026-06-18T13:50:00Z."))
    return moment


def _number(raw: Mapping[str, Any], name: str, *, most: float) -> float | None:
    value = raw.get(name)
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= most:
        raise Refused("job:bad-number", _("“%(name)s” is a number from 0 to %(most)g.") % {"name": name, "most": most})
    return float(value)


def _file(value: Any) -> dict[str, str]:
    if value is None:
        return {}
    if not isinstance(value, Mapping):
        raise Refused("job:bad-file", _("“file” is an object with a name and hashes."))
    found: dict[str, str] = {}
    for name in fold.FILE_FIELDS:
        text = value.get(name)
        if text is None or text == "":
            continue
        if not isinstance(text, str) or "\0" in text:
            raise Refused("job:bad-file", _("“file.%(name)s” is text.") % {"name": name})
        if name in HEX and not re.fullmatch(rf"[0-9a-fA-F]{{{HEX[name]}}}", text):
            words = {"name": name, "n": HEX[name]}
            raise Refused("job:bad-hash", _("“file.%(name)s” has %(n)d hexadecimal digits.") % words)
        found[name] = text.lower() if name in HEX else re.split(r"[\\/]", text)[-1][:255]
    return found


def store(*, machine: Machine, device: Device, name: str, news: Sequence[fold.Event], demo: bool) -> Job:
    """Write the new events down and fold their job again. The caller holds the device's lock."""
    job, _made = Job.objects.get_or_create(
        device=device,
        device_job=name,
        defaults={"machine": machine, "started_at": min(e.ts for e in news), "demo": demo},
    )
    JobEvent.objects.bulk_create(
        JobEvent(
            job=job,
            seq=e.seq,
            ts=e.ts,
            event=e.event,
            body={"file": dict(e.file), "progress": e.progress, "material_g": e.material_g},
        )
        for e in news
    )
    refold(job=job)
    return job


def refold(*, job: Job) -> None:
    """Bring the job to what its events say, then prove and measure it. The caller holds the device's lock."""
    events = [
        fold.Event(seq, ts, event, body["file"], body["progress"], body["material_g"])
        for seq, ts, event, body in job.events.values_list("seq", "ts", "event", "body")
    ]
    folded = fold.fold(events)
    job.started_at, job.finished_at = folded.started_at, folded.finished_at
    job.outcome, job.progress, job.material_g = folded.outcome, folded.progress, folded.material_g
    job.booking = booking_of(machine=job.machine, at=folded.started_at)
    known = (job.file_name, job.sha256, job.sha1, job.blob, job.source_sha256)
    told = tuple(folded.file.get(name, "") for name in fold.FILE_FIELDS)
    job.file_name, job.sha256, job.sha1, job.blob, job.source_sha256 = told
    if told != known or job.provenance == Job.Provenance.UNKNOWN:
        prove(job=job)
    measure(job=job)
    job.save()
    orders.follow_job(job=job)


def booking_of(*, machine: Machine, at: dt.datetime) -> Booking | None:
    """The booking that a job belongs to: it runs when the job starts, or begins soon after."""
    return (
        Booking.objects.select_related("user", "design")
        .filter(machine=machine, kind=Booking.Kind.USE, status__in=Booking.HOLDING)
        .filter(start__lte=at + EARLY, end__gt=at)
        .order_by("-start")
        .first()
    )
