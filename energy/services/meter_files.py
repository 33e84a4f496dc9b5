"""Files of readings: received, looked at, mapped, and read in whole or not at all."""

import datetime as dt
import hashlib
import math
import zlib
from array import array
from collections import defaultdict
from collections.abc import Mapping as Dict
from dataclasses import asdict, dataclass
from typing import Any
from zoneinfo import ZoneInfo

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from commons.people.models import User
from energy.errors import BadMeterFile
from energy.meterfiles import greenbutton, table
from energy.meterfiles.mapping import BadMapping, Mapping, fingerprint, from_document
from energy.meterfiles.readings import Read, Series
from energy.models import Community, MeterDay, MeterFile, MeterPoint, Participant, UtilityMapping
from energy.queries.measured import midnight, steps_in, zone
from energy.services.meters import Kept, keep_days
from energy.services.participants import check_own, check_steward

BYTES_AT_MOST = 12_000_000
WAITING_AT_MOST = 20
WAITS = dt.timedelta(days=14)


@transaction.atomic
def receive(
    *, community: Community, by: User, name: str, data: bytes, participant: Participant | None = None
) -> MeterFile:
    """Take a file in; it waits for its columns to be named and is deleted after two weeks. For one participant, or
    (stewards) for all whose meter numbers it has. Raises NotSteward, BadMeterFile."""
    if participant is None:
        check_steward(by, community)
    else:
        check_own(by, participant)
    if not data.strip() or len(data) > BYTES_AT_MOST:
        raise BadMeterFile(
            _("The file is empty, or larger than %(n)d MB; cut it into years.") % {"n": BYTES_AT_MOST // 10**6}
        )
    if data[:2] in {b"PK", b"\xd0\xcf"} or (b"\0" in data[:4000] and data[:2] not in {b"\xff\xfe", b"\xfe\xff"}):
        raise BadMeterFile(_("This is a workbook or an archive; save the table as CSV and bring that."))
    MeterFile.objects.filter(state=MeterFile.State.WAITING, created_at__lt=timezone.now() - WAITS).delete()
    if community.meter_files.filter(state=MeterFile.State.WAITING, by=by).count() >= WAITING_AT_MOST:
        raise BadMeterFile(_("Twenty of your files wait already; read them in or take them away first."))
    return MeterFile.objects.create(
        community=community,
        participant=participant,
        by=by,
        name=name.replace("\\", "/").rpartition("/")[2][:200] or "meter.csv",
        format=MeterFile.Format.GREEN_BUTTON if greenbutton.looks_like(data) else MeterFile.Format.CSV,
        sha256=hashlib.sha256(data).hexdigest(),
        packed=zlib.compress(data, 6),
    )


@dataclass(frozen=True, slots=True)
class Proposal:
    """How a waiting file looks, the mapping to begin with, and the utility from which that is known (or nothing)."""

    look: table.Look
    mapping: Mapping
    utility: str


def propose(file: MeterFile) -> Proposal:
    """The remembered mapping of files with these columns, else a guess. Raises BadMeterFile."""
    try:
        look = table.look(_text(file))
    except ValueError as error:
        raise BadMeterFile(f"{file.name}: {error}") from None
    known = UtilityMapping.objects.filter(community=file.community, columns_sha256=_columns(look)).first()
    if known is not None:
        try:
            return Proposal(look, from_document(known.mapping), known.utility)
        except BadMapping:
            known.delete()
    return Proposal(look, table.guess(look), "")


def look_again(file: MeterFile, mapping: Mapping) -> table.Look:
    """The file split as a mapping says."""
    try:
        return table.look(_text(file), mapping.delimiter)
    except ValueError as error:
        raise BadMeterFile(f"{file.name}: {error}") from None


def _columns(look: table.Look) -> str:
    return fingerprint(look.delimiter.join(look.names))


def _text(file: MeterFile) -> str:
    return table.decode(zlib.decompress(bytes(file.packed)))


def readings(file: MeterFile, mapping: Mapping | None) -> Read:
    """What the file says. Raises BadMeterFile where it cannot be opened at all."""
    if file.state != MeterFile.State.WAITING:
        raise BadMeterFile(_("“%(name)s” is read in already; its text is not kept.") % {"name": file.name})
    if file.format == MeterFile.Format.GREEN_BUTTON:
        try:
            return greenbutton.read(zlib.decompress(bytes(file.packed)))
        except greenbutton.BadXml as error:
            raise BadMeterFile(f"{file.name}: {error}") from None
    if mapping is None:
        raise BadMeterFile(_("Say first what the columns of “%(name)s” mean.") % {"name": file.name})
    return table.read(_text(file), mapping, zone(file.community))


@dataclass(frozen=True, slots=True)
class Target:
    """A series of the file and the meter to which it goes; `wrong` says why to none."""

    series: Series
    meters: tuple[MeterPoint, ...]
    wrong: str = ""

    @property
    def kwh(self) -> float:
        """The sum of what the file says."""
        return math.fsum(self.series.kwh.values())


def targets(file: MeterFile, read: Read) -> list[Target]:
    """To which meters the series go: by number where the file names one, else the participant's of that direction. A
    meter of somebody else, or (for a steward's file) one that is not proved, gets nothing."""
    rows = MeterPoint.objects.filter(participant__community=file.community).select_related("participant")
    if file.participant is not None:
        rows = rows.filter(participant=file.participant)
    else:
        rows = rows.exclude(proof=MeterPoint.Proof.CLAIMED)
    of: dict[tuple[str, str], list[MeterPoint]] = defaultdict(list)
    for row in rows:
        of[row.number, row.direction].append(row)
        if file.participant is not None:
            of["", row.direction].append(row)
    found = []
    for series in read.series:
        number = "".join(c for c in series.meter.upper() if c.isalnum())
        meters = tuple(of.get((number, series.direction), ()))
        if len({m.number for m in meters}) > 1:
            found.append(
                Target(series, (), _("more than one meter could be meant; name the column of the meter number"))
            )
        elif meters:
            found.append(Target(series, meters))
        else:
            found.append(Target(series, (), _no_meter(number, series.direction)))
    return found


def _no_meter(number: str, direction: str) -> str:
    words = {"number": number or "?", "direction": MeterPoint.Direction(direction).label}
    return _("no meter %(number)s (“%(direction)s”) is named and proved here; name it first") % words


@transaction.atomic
def keep(*, file: MeterFile, by: User, mapping: Mapping | None = None, utility: str = "") -> MeterFile:
    """Read a waiting file in, whole or not at all, forget its text, and remember the mapping.

    The same file again changes nothing; one that was corrected gives its days a new revision. Raises NotSteward,
    BadMeterFile with `lines`: what is wrong where, and what to do.
    """
    held = (
        MeterFile.objects.select_for_update(of=("self",))
        .select_related("community", "community__place")
        .get(pk=file.pk)
    )
    if held.participant is None:
        check_steward(by, held.community)
    else:
        check_own(by, held.participant)
    read = readings(held, mapping)
    refuse(held, read)
    goals = targets(held, read)
    lost = [goal.wrong for goal in goals if not goal.meters]
    if lost or not goals:
        raise BadMeterFile(f"{held.name}: {lost[0] if lost else _('nothing in it can be read')}.")
    clock, sums = zone(held.community), Kept()
    gaps, first, last = 0, None, None
    for goal in goals:
        days = local_days(goal.series, clock)
        gaps += sum(sum(map(math.isnan, values)) for values in days.values())
        first, last = min([*days, *([first] if first else [])]), max([*days, *([last] if last else [])])
        for meter in goal.meters:
            mine = {day: values for day, values in days.items() if len(goal.meters) == 1 or meter.is_valid(day)}
            kept = keep_days(
                meter=meter,
                days=mine,
                step_minutes=goal.series.step_minutes,
                source=MeterDay.Source.FILE,
                file=held,
            )
            for name in ("new", "revised", "same", "outside", "poorer"):
                setattr(sums, name, getattr(sums, name) + getattr(kept, name))
    held.state, held.kept_at, held.packed = MeterFile.State.KEPT, timezone.now(), b""
    held.mapping = mapping.document() if mapping else {}
    held.report = _report(read, sums, gaps, first, last)
    held.save()
    if mapping is not None and utility.strip():
        _remember(held, file, mapping, utility)
    return held


def _report(read: Read, sums: Kept, gaps: int, first: dt.date | None, last: dt.date | None) -> dict[str, Any]:
    return {
        "days": asdict(sums),
        "lines": read.lines,
        "repeated": read.repeated,
        "left_out": read.left_out,
        "empty": read.empty,
        "missing_steps": gaps,
        "gap_kwh": math.fsum(s.gap_kwh for s in read.series),
        "resets": sum(s.resets for s in read.series),
        "marks": dict(read.marks.most_common(10)),
        "first": first.isoformat() if first else None,
        "last": last.isoformat() if last else None,
    }


def _remember(held: MeterFile, file: MeterFile, mapping: Mapping, utility: str) -> None:
    look = table.look(_text(file), mapping.delimiter)
    UtilityMapping.objects.update_or_create(
        community=held.community,
        columns_sha256=_columns(look),
        defaults={"utility": utility.strip()[:80], "mapping": mapping.document(), "used_at": timezone.now()},
    )


def refuse(file: MeterFile, read: Read) -> None:
    """Raises BadMeterFile where any line is bad."""
    if not read.bad_count:
        return
    first = read.bad[0]
    rest = ngettext("%(n)d line cannot be read", "%(n)d lines cannot be read", read.bad_count) % {"n": read.bad_count}
    where = _("line %(line)d: %(wrong)s") % {"line": first.line, "wrong": first.wrong}
    raise BadMeterFile(
        f"{file.name}: {rest}; {where}.",
        count=read.bad_count,
        lines=[{"line": b.line, "text": b.text, "wrong": b.wrong} for b in read.bad],
    )


def local_days(series: Series, clock: ZoneInfo) -> "dict[dt.date, array[float]]":
    """A series cut into local days of 23, 24 or 25 hours; a step that the file does not say is NaN."""
    step = dt.timedelta(minutes=series.step_minutes)
    found: dict[dt.date, array[float]] = {}
    start: dict[dt.date, dt.datetime] = {}
    for at, kwh in series.kwh.items():
        day = at.astimezone(clock).date()
        if day not in found:
            found[day] = array("d", [math.nan]) * steps_in(day, clock, series.step_minutes)
            start[day] = midnight(day, clock)
        index, rest = divmod(at - start[day], step)
        if not rest:
            found[day][index] = kwh
    return found


@transaction.atomic
def discard(*, file: MeterFile, by: User) -> None:
    """Take a waiting file away. Raises NotSteward, BadMeterFile."""
    if file.participant is None:
        check_steward(by, file.community)
    else:
        check_own(by, file.participant)
    if file.state != MeterFile.State.WAITING:
        raise BadMeterFile(_("“%(name)s” is read in already; bring a corrected file instead.") % {"name": file.name})
    file.delete()


def mapping_of(document: Dict[str, Any]) -> Mapping:
    """A mapping out of JSON. Raises BadMeterFile."""
    try:
        return from_document(document)
    except BadMapping as error:
        raise BadMeterFile(str(error)) from None


@transaction.atomic
def bring(
    *,
    community: Community,
    by: User,
    name: str,
    data: bytes,
    participant: Participant | None = None,
    mapping: Any = None,
    utility: str = "",
) -> MeterFile:
    """Receive and keep in one: by the mapping given, or the one that is remembered for files with these columns; never
    by a guess. Raises NotSteward, BadMeterFile."""
    file = receive(community=community, by=by, name=name, data=data, participant=participant)
    chosen: Mapping | None = None
    if file.format == MeterFile.Format.CSV:
        if mapping is not None:
            chosen = mapping_of(mapping if isinstance(mapping, dict) else {})
        else:
            proposal = propose(file)
            if not proposal.utility:
                raise BadMeterFile(
                    _("Files with these columns are not known here; say what the columns mean (“mapping”)."),
                    guess=proposal.mapping.document(),
                )
            chosen, utility = proposal.mapping, utility or proposal.utility
    return keep(file=file, by=by, mapping=chosen, utility=utility)


def guess(data: bytes) -> dict[str, Any]:
    """The mapping that we would guess for a CSV, as JSON. Raises BadMeterFile."""
    try:
        return table.guess(table.look(table.decode(data))).document()
    except ValueError as error:
        raise BadMeterFile(str(error)) from None
