"""What a lab and the site have that matters to an import."""

import datetime as dt
from collections.abc import Iterable

from allauth.account.models import EmailAddress
from django.db.models import Model, Q
from django.db.models.functions import Lower
from django.utils.translation import gettext as _

from commons.people.handles import RESERVED as RESERVED_HANDLES
from commons.people.models import Handle, Membership, User
from labs.errors.imports import UnknownImport
from labs.imports.checking import Account, Busy, Known, handle_of, numbered, plain
from labs.imports.rows import Reading
from labs.models import Badge, BadgeGrant, Booking, ImportedRow, Lab, LabImport, Machine
from labs.queries import catalogue
from labs.services.catalogue import RESERVED

DAY = dt.timedelta(days=1)


def find(lab: Lab, pk: int) -> LabImport:
    """An import of the lab. Raises UnknownImport."""
    found = LabImport.objects.filter(lab=lab, pk=pk).select_related("run", "by").first()
    if found is None:
        raise UnknownImport(_("There is no such import, or its files were deleted after a week."))
    return found


def known(lab: Lab, source: str, reading: Reading, *, now: dt.datetime) -> Known:
    """All that the plan of a reading must know."""
    imported = _imported(lab, source)
    members = Membership.objects.filter(organisation=lab.organisation_id).select_related("user")
    roles = {m.user_id: m.role for m in members}
    people: dict[str, set[int]] = {}
    for membership in members:
        user = membership.user
        for name in filter(None, (user.email, user.username, user.name)):
            people.setdefault(name.lower(), set()).add(user.pk)
    machines: dict[str, set[int]] = {}
    standing = list(Machine.objects.filter(lab=lab))
    for machine in standing:
        for name in (machine.name, machine.slug):
            machines.setdefault(name.lower(), set()).add(machine.pk)
    for (kind, foreign), key in imported.items():
        if key and kind in {"member", "machine"} and (kind == "machine" or int(key) in roles):
            (people if kind == "member" else machines).setdefault(foreign.lower(), set()).add(int(key))
    badges = {badge.slug: badge.pk for badge in catalogue.badges_of(lab)}
    badges |= {badge.name.lower(): badge.pk for badge in catalogue.badges_of(lab)}
    return Known(
        now=now,
        lab_slug=lab.slug,
        zone=lab.zone,
        imported=imported,
        accounts=_accounts({member.email for member in reading.members}),
        roles=roles,
        people=_single(people),
        handles=_handles(reading),
        machines=_single(machines),
        slugs={machine.slug for machine in standing} | RESERVED,
        taken=_taken(lab, reading),
        badges=badges,
        badge_slugs=frozenset(Badge.objects.filter(slug__startswith=plain(lab.slug)).values_list("slug", flat=True)),
        grants=_grants(lab, badges.values(), now),
    )


def _single(names: dict[str, set[int]]) -> dict[str, int]:
    """Names that mean one only."""
    return {name: next(iter(keys)) for name, keys in names.items() if len(keys) == 1}


_TABLES: dict[str, type[Model]] = {"member": User, "machine": Machine, "grant": BadgeGrant, "booking": Booking}


def _imported(lab: Lab, source: str) -> dict[tuple[str, str], str]:
    """What earlier imports made; empty where that is gone."""
    found = list(ImportedRow.objects.filter(lab=lab, source=source).values_list("kind", "foreign_id", "object_key"))
    alive: dict[str, set[str]] = {}
    for kind, table in _TABLES.items():
        keys = [key for of, _foreign, key in found if of == kind]
        if not keys:
            continue
        held = table._default_manager.filter(pk__in=keys).values_list("pk", flat=True)
        alive[kind] = {str(pk) for pk in held}
    return {(kind, foreign): key if key in alive.get(kind, set()) else "" for kind, foreign, key in found}


def _accounts(mails: set[str]) -> dict[str, Account]:
    """Accounts with these addresses. An address is sure when its owner proved it, or when an operator gave it: whoever
    signs up by themselves has a row of addresses, proven or not."""
    users = User.objects.annotate(mail=Lower("email")).filter(mail__in=mails).values_list("mail", "pk")
    accounts = dict(users)
    rows = EmailAddress.objects.filter(user__in=accounts.values()).values_list("user_id", "email", "verified")
    proven = {(user, mail.lower()) for user, mail, verified in rows if verified}
    signed_up = {user for user, _mail, _verified in rows}
    return {mail: Account(pk, (pk, mail) in proven or pk not in signed_up) for mail, pk in accounts.items()}


def _handles(reading: Reading) -> frozenset[str]:
    """Of the names that new accounts might get, those that are taken."""
    wanted = {name for member in reading.members for name in numbered(handle_of(member))}
    return frozenset(Handle.objects.filter(name__in=wanted).values_list("name", flat=True)) | RESERVED_HANDLES


def _taken(lab: Lab, reading: Reading) -> dict[int, list[Busy]]:
    """The blocked spans of the lab's machines around the bookings of the files."""
    if not reading.slots:
        return {}
    first, last = min(slot.start for slot in reading.slots) - DAY, max(slot.end for slot in reading.slots) + DAY
    held = Booking.objects.filter(machine__lab=lab, status__in=Booking.HOLDING)
    found: dict[int, list[Busy]] = {}
    near = held.filter(Q(blocked__endswith__gt=first) & Q(blocked__startswith__lt=last))
    for machine, blocked in near.values_list("machine_id", "blocked").order_by("blocked"):
        found.setdefault(machine, []).append(Busy(blocked.lower, blocked.upper))
    return found


def _grants(lab: Lab, badges: Iterable[int], now: dt.datetime) -> frozenset[tuple[int, int]]:
    """Who holds which of these badges for good or still, given by the lab or by the site itself."""
    good = BadgeGrant.objects.filter(badge__in=set(badges), revoked_at=None)
    good = good.filter(Q(given_in=lab) | Q(given_in=None, outside=None))
    good = good.filter(Q(expires_at=None) | Q(expires_at__gt=now))
    return frozenset(good.values_list("user_id", "badge_id"))
