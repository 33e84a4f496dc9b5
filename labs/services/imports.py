"""Taking over from elsewhere: check, carry out in one transaction, write to those who got an account.

The dry run and the import make the same plan from the same facts (`labs.imports.checking`), so what was told is what
happens. Rules and prices are not asked of bookings that were agreed elsewhere; only two at one time are never written.
"""

import datetime as dt
import logging
import uuid
from collections.abc import Mapping
from smtplib import SMTPException
from typing import Any
from zoneinfo import ZoneInfo

from django.conf import settings
from django.core.mail import EmailMessage
from django.db import transaction
from django.db.backends.postgresql.psycopg_any import DateTimeTZRange
from django.urls import reverse
from django.utils import timezone, translation
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from commons.notices.services import tell
from commons.people import services as people
from commons.people.models import User
from commons.runs import services as runs
from commons.said import said
from labs.errors.imports import BadImport, ChangedMeanwhile, LinesLeftOut
from labs.imports import checking, csv_files, nemo
from labs.imports.dates import DAYS
from labs.imports.rows import Kept, Reading, Slot
from labs.imports.tables import MAX_BYTES
from labs.models import Badge, BadgeGrant, Booking, ImportedRow, ImportFile, Lab, LabImport, Machine
from labs.queries import imports as reads
from labs.services import catalogue
from labs.services.bookings import rows

log = logging.getLogger(__name__)

Files = Mapping[str, tuple[str, bytes]]
CHUNK = 500
KEEP_FILES = dt.timedelta(days=7)
LETTERS_FOR = dt.timedelta(days=3)
CSV_KINDS = ("members", "machines", "bookings")


def read(lab: Lab, files: Files, *, zone: str = "", days: str = "") -> Reading:
    """What the files hold. Raises BadImport for a zone or a form of dates that there is not, and for no files."""
    if not files:
        raise BadImport(_("Choose at least one file."))
    if days and days not in DAYS:
        raise BadImport(
            _("“%(days)s” is no form of dates; there are %(all)s.") % {"days": days, "all": ", ".join(DAYS)}
        )
    if sum(len(body) for _name, body in files.values()) > 3 * MAX_BYTES:
        raise BadImport(_("The files together are too large; import one after another."))
    there = _zone(zone) if zone else lab.zone
    if "nemo" in files:
        return nemo.read(*files["nemo"], now=timezone.now())
    return csv_files.read(files, zone=there, days=days)


def _zone(name: str) -> ZoneInfo:
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        raise BadImport(_("“%(zone)s” is no time zone; write one such as Europe/Helsinki.") % {"zone": name}) from None


def check(lab: Lab, source: str, reading: Reading, *, now: dt.datetime | None = None) -> dict[str, Any]:
    """The dry run: what the import would do with every line. Changes nothing."""
    known = reads.known(lab, source, reading, now=now or timezone.now())
    return checking.report(reading, checking.plan(reading, known))


@transaction.atomic
def carry_out(
    lab: Lab,
    source: str,
    reading: Reading,
    *,
    by: User | None = None,
    leave_out: bool = False,
    letters: bool = True,
    told: Mapping[str, Any] | None = None,
    now: dt.datetime | None = None,
) -> dict[str, Any]:
    """Take it over, all in one transaction; the report.

    Lines that cannot be taken over are only left out with `leave_out`; with `told`, the report of a dry run, it is
    refused when it would do anything else by now. Raises LinesLeftOut, ChangedMeanwhile.
    """
    now = now or timezone.now()
    lab = Lab.objects.select_for_update().select_related("organisation").get(pk=lab.pk)
    rows.lock_machines(Machine.objects.filter(lab=lab).values_list("pk", flat=True))
    made = checking.plan(reading, reads.known(lab, source, reading, now=now))
    report = checking.report(reading, made)
    if told is not None and _plain(report) != _plain(told):
        raise ChangedMeanwhile(_("Something changed in the lab since the check. Check again, and nothing is lost."))
    if made.stops and not leave_out:
        raise LinesLeftOut(
            ngettext(
                "%(n)d line cannot be taken over. Mend it, or say that it may be left out.",
                "%(n)d lines cannot be taken over. Mend them, or say that they may be left out.",
                made.stops,
            )
            % {"n": made.stops},
            stops=made.stops,
        )
    _Writing(lab, source, made, by=by, letters=letters, now=now).write()
    return report


def _plain(report: Mapping[str, Any]) -> dict[str, Any]:
    """What two reports of the same files must share."""
    return {key: report[key] for key in ("counts", "messages", "not_taken")}


class _Writing:
    """A plan while it is carried out; the lab and its machines are locked."""

    def __init__(
        self, lab: Lab, source: str, plan: checking.Plan, *, by: User | None, letters: bool, now: dt.datetime
    ) -> None:
        self.lab, self.source, self.plan, self.by, self.letters, self.now = lab, source, plan, by, letters, now
        self.notes: list[ImportedRow] = []
        self.users: list[User] = []
        self.machines: list[Machine] = []
        self.badges: list[Badge] = []

    def write(self) -> None:
        """All steps, in the order in which they need each other."""
        self._people()
        self._machines()
        self._grants()
        told = self._bookings()
        ImportedRow.objects.bulk_create(self.notes, batch_size=1000)
        self._tell(told)
        if any(note.letter_due for note in self.notes):
            transaction.on_commit(_ring_for_letters, robust=True)

    def _note(self, kind: str, foreign: str, key: object, *, letter_due: bool = False) -> None:
        self.notes.append(
            ImportedRow(
                lab=self.lab,
                source=self.source,
                kind=kind,
                foreign_id=foreign,
                object_key=str(key),
                letter_due=letter_due,
                at=self.now,
            )
        )

    def _people(self) -> None:
        standing = User.objects.in_bulk([step.pk for step in self.plan.people if step.pk])
        for step in self.plan.people:
            member = step.member
            new = step.does == "new"
            user = (
                people.create_user(username=step.handle, email=member.email, name=member.name, demo=self.lab.demo)
                if new
                else standing[step.pk]
            )
            if step.does != "stands":
                people.set_role(organisation=self.lab.organisation, user=user, role=member.role)
            self.users.append(user)
            self._note("member", member.foreign, user.pk, letter_due=new and self.letters)

    def _machines(self) -> None:
        for badge in self.plan.badges:
            made = catalogue.create_badge(slug=badge.slug, name=badge.name, lab=self.lab, demo=self.lab.demo)
            self.badges.append(made)
        standing = Machine.objects.in_bulk([step.pk for step in self.plan.things if step.pk])
        for step in self.plan.things:
            tool = step.tool
            if step.does == "new":
                facts: dict[str, Any] = dict(tool.facts)
                machine = catalogue.add_machine(
                    lab=self.lab, name=tool.name, cls=tool.cls, slug=step.slug, demo=self.lab.demo, **facts
                )
            else:
                machine = standing[step.pk]
            self.machines.append(machine)
            self._note("machine", tool.foreign, machine.pk)
        for thing, badge_ref in self.plan.asks:
            self.machines[thing].required_badges.add(self._badge(badge_ref))

    def _badge(self, ref: checking.Ref) -> int:
        return self.badges[ref.key].pk if ref.made else ref.key

    def _user(self, ref: checking.Ref) -> int:
        return self.users[ref.key].pk if ref.made else ref.key

    def _grants(self) -> None:
        made = [
            BadgeGrant(
                badge_id=self._badge(step.badge),
                user_id=self._user(step.person),
                granted_by=self.by,
                given_in=self.lab,
                granted_at=step.at or self.now,
            )
            for step in self.plan.given
        ]
        BadgeGrant.objects.bulk_create(made, batch_size=1000)
        for step, grant in zip(self.plan.given, made, strict=True):
            self._note("grant", step.foreign, grant.pk)

    def _bookings(self) -> dict[int, int]:
        """Write them; how many to come each person has of them."""
        made, coming = [], dict[int, int]()
        for step in self.plan.placed:
            machine = self.machines[step.machine.key].pk if step.machine.made else step.machine.key
            user = self._user(step.person) if step.person is not None else self._keeper()
            booking = self._booking(step.slot, machine, user)
            made.append(booking)
            self._note("booking", step.slot.foreign, booking.pk)
            if booking.status in Booking.OPEN and booking.kind == Booking.Kind.USE:
                coming[user] = coming.get(user, 0) + 1
        for start in range(0, len(made), CHUNK):
            if not rows.insert(made[start : start + CHUNK]):
                raise ChangedMeanwhile(_("Somebody booked a machine meanwhile. Check again, and nothing is lost."))
        return coming

    def _keeper(self) -> int:
        """In whose name maintenance stands that nobody of the lab asked for: who imports, else who runs the lab."""
        if self.by is not None:
            return self.by.pk
        first = self.lab.organisation.memberships.filter(role__in=("owner", "manager")).order_by("role", "pk").first()
        if first is None:
            raise BadImport(_("Nobody runs this lab, so maintenance cannot stand in anybody's name; name an owner."))
        return first.user_id

    def _booking(self, slot: Slot, machine: int, user: int) -> Booking:
        booking = Booking(
            id=uuid.uuid4(),
            machine_id=machine,
            user_id=user,
            booked_by=self.by,
            kind=slot.kind,
            start=slot.start,
            end=slot.end,
            blocked=DateTimeTZRange(slot.start, slot.end),
            note=slot.note,
            demo=self.lab.demo,
            status=self._status(slot),
        )
        if booking.status == Booking.Status.DONE:
            booking.checked_in_at, booking.ended_at = slot.start, slot.end
        elif booking.status == Booking.Status.RUNNING:
            booking.checked_in_at = slot.start
        elif booking.status == Booking.Status.CANCELLED:
            booking.cancelled_at = min(slot.start, self.now)
        return booking

    def _status(self, slot: Slot) -> str:
        if slot.kept == Kept.CANCELLED:
            return Booking.Status.CANCELLED
        if slot.kept == Kept.MISSED:
            return Booking.Status.MISSED
        if slot.end <= self.now:
            return Booking.Status.DONE
        return Booking.Status.RUNNING if slot.start <= self.now else Booking.Status.BOOKED

    def _tell(self, coming: Mapping[int, int]) -> None:
        """A notice for each person who had an account before: that they belong to the lab, or have bookings."""
        new = {user.pk for user, step in zip(self.users, self.plan.people, strict=True) if step.does == "new"}
        joined = {user.pk for user, step in zip(self.users, self.plan.people, strict=True) if step.does == "joins"}
        users = User.objects.in_bulk((joined | set(coming)) - new)
        with translation.override(settings.LANGUAGE_CODE):
            lab_url, mine = reverse("rooms:lab", args=[self.lab.slug]), reverse("rooms:my_bookings")
        for pk, user in users.items():
            count = coming.get(pk, 0)
            text = said(_BOOKINGS, lab=self.lab.name, n=count) if count else said(_JOINED, lab=self.lab.name)
            tell(people=[user], kind="labs.imported", text=text, url=mine if count else lab_url, actor=self.by)


_JOINED = gettext_lazy("You are a member of %(lab)s now")
_BOOKINGS = gettext_lazy("Your bookings at %(lab)s were taken over from its old program: %(n)s to come")


def _ring_for_letters() -> None:
    from labs.tasks import import_letters  # noqa: PLC0415 tasks call services

    import_letters.delay()


def write_letters(now: dt.datetime) -> int:
    """Write to those who got an account by an import: who made it, and a link that signs them in. How many letters.

    A letter that cannot be sent is tried again each hour, for three days.
    """
    due = ImportedRow.objects.filter(kind="member", letter_due=True, at__gt=now - LETTERS_FOR)
    sent = 0
    for pk in list(due.values_list("pk", flat=True)):
        with transaction.atomic():
            row = due.select_for_update(skip_locked=True, of=("self",)).select_related("lab").filter(pk=pk).first()
            if row is not None and _letter(row):
                ImportedRow.objects.filter(pk=pk).update(letter_due=False)
                sent += 1
    return sent


def _letter(row: ImportedRow) -> bool:
    user = User.objects.filter(pk=row.object_key, is_active=True).first()
    if user is None or not user.email or user.last_login is not None:
        return True  # nothing to write, and nothing to try again
    with translation.override(settings.LANGUAGE_CODE):
        link = settings.PUBLIC_URL + reverse("sign_in_link", args=[people.create_sign_in_link(user=user)])
        reset = settings.PUBLIC_URL + reverse("account_reset_password")
        words = {"lab": row.lab.name, "name": user.username, "site": settings.PUBLIC_URL}
        subject = _("%(lab)s has moved to a new site for its machines") % words
        lines = [
            _("%(lab)s books its machines at %(site)s now and has made an account for you, %(name)s.") % words,
            _("This link signs you in once, within a day:"),
            link,
            _("Later, ask for a new one with your e-mail address:"),
            reset,
            _("If you have nothing to do with this lab, you need not do anything."),
        ]
    headers = {"Auto-Submitted": "auto-generated"}
    try:
        EmailMessage(" ".join(subject.split()), "\n\n".join(lines), to=[user.email], headers=headers).send()
    except (OSError, SMTPException):
        log.warning("a letter about an import could not be sent; it is tried again", exc_info=True)
        return False
    return True


# the desk's imports


@transaction.atomic
def stage(
    *, lab: Lab, by: User, files: Files, source: str = "", zone: str = "", days: str = "", letters: bool = True
) -> LabImport:
    """Keep the files and check them in a run of its own. Raises BadImport."""
    adapter = LabImport.Adapter.NEMO if "nemo" in files else LabImport.Adapter.CSV
    if not files:
        raise BadImport(_("Choose at least one file."))
    if any(len(body) > MAX_BYTES for _name, body in files.values()):
        raise BadImport(_("A file may have at most %(most)s MB.") % {"most": MAX_BYTES // 1_000_000})
    if days and days not in DAYS:
        raise BadImport(_("“%(days)s” is no form of dates.") % {"days": days})
    if zone:
        _zone(zone)
    options = {"zone": zone, "days": days, "letters": letters}
    made = LabImport.objects.create(lab=lab, by=by, adapter=adapter, source=source or adapter, options=options)
    ImportFile.objects.bulk_create(
        [ImportFile(of=made, kind=kind, name=name[:200], body=body) for kind, (name, body) in files.items()]
    )
    return check_again(made, by=by)


@transaction.atomic
def check_again(made: LabImport, *, by: User) -> LabImport:
    """Start the dry run of files that are kept."""
    made.run = runs.start(
        kind="labs.check_import",
        inputs={"import": made.pk},
        title=said(gettext_lazy("Checking what comes to %(lab)s"), lab=made.lab.name),
        subject=f"labs.lab:{made.lab.slug}",
        owner=by,
    )
    made.status, made.report = LabImport.Status.CHECKING, None
    made.save(update_fields=["run", "status", "report"])
    return made


@transaction.atomic
def confirm(made: LabImport, *, by: User, leave_out: bool) -> LabImport:
    """Start the import that the dry run told. Raises BadImport when it is not checked, LinesLeftOut."""
    made = LabImport.objects.select_for_update(of=("self",)).select_related("lab").get(pk=made.pk)
    if made.status != LabImport.Status.CHECKED or made.report is None:
        raise BadImport(_("This import is not waiting to be confirmed."))
    if made.report["stops"] and not leave_out:
        raise LinesLeftOut(_("Say that the lines that cannot be taken over may be left out."))
    made.run = runs.start(
        kind="labs.carry_out_import",
        inputs={"import": made.pk, "leave_out": leave_out, "by": by.pk},
        title=said(gettext_lazy("Taking over what comes to %(lab)s"), lab=made.lab.name),
        subject=f"labs.lab:{made.lab.slug}",
        owner=by,
    )
    made.status = LabImport.Status.IMPORTING
    made.save(update_fields=["run", "status"])
    return made


def staged_reading(made: LabImport) -> Reading:
    """What the kept files of an import hold. Raises BadImport."""
    files = {file.kind: (file.name, bytes(file.body)) for file in made.files.all()}
    return read(made.lab, files, zone=made.options.get("zone", ""), days=made.options.get("days", ""))


def checked(made: LabImport, report: Mapping[str, Any]) -> None:
    """Keep the report of a dry run."""
    LabImport.objects.filter(pk=made.pk).update(status=LabImport.Status.CHECKED, report=dict(report))


def done(made: LabImport, reading: Reading, *, by: User | None, leave_out: bool) -> None:
    """Carry out what was told, and delete the files. Raises as carry_out."""
    report = carry_out(
        made.lab,
        made.source,
        reading,
        by=by,
        leave_out=leave_out,
        letters=bool(made.options.get("letters", True)),
        told=made.report,
    )
    LabImport.objects.filter(pk=made.pk).update(status=LabImport.Status.DONE, report=report, done_at=timezone.now())
    made.files.all().delete()


@transaction.atomic
def forget(made: LabImport) -> None:
    """Delete an import that was not carried out, with its files."""
    LabImport.objects.filter(pk=made.pk).exclude(status=LabImport.Status.DONE).delete()


def forget_old(now: dt.datetime) -> int:
    """Delete the files and lists of imports that nobody confirmed for a week, since they name people; how many."""
    old = LabImport.objects.filter(created_at__lt=now - KEEP_FILES).exclude(status=LabImport.Status.DONE)
    gone, _by_table = old.delete()
    return gone
