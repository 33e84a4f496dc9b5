"""Kiosks: paired with a device once, opened by a badge or a PIN, closed after a minute without a touch.

Who signs in at a kiosk gets no session of the site: they can check in, end and report there, and nothing else.
"""

import datetime as dt
import hashlib
import secrets

from django.contrib.auth.hashers import check_password, make_password
from django.core.cache import cache
from django.db import IntegrityError, transaction
from django.utils import timezone
from django.utils.crypto import salted_hmac
from django.utils.translation import gettext as _

from commons.devices.services.devices import CODE_ALPHABET
from commons.people.models import User
from labs.errors.floor import BadPass, NotAKiosk, PassLocked, PassRefused
from labs.models import Kiosk, KioskPass, Lab

CODE_LIFETIME = dt.timedelta(minutes=10)
IDLE = dt.timedelta(seconds=60)
WRONG_PINS, PIN_REST = 5, dt.timedelta(minutes=15)
WRONG_TRIES, KIOSK_REST = 20, dt.timedelta(minutes=5)
SHORTEST_PIN, LONGEST_PIN = 6, 12
#: Codes that may be tried in so much time, from one address and for one lab.
PAIRINGS_OF_ADDRESS, PAIRINGS_OF_LAB, PAIRING_REST = 10, 60, dt.timedelta(minutes=10)
#: What a wrong name is checked against, so that it takes as long as a wrong PIN.
_NOBODY: list[str] = []


def digest(text: str) -> str:
    """SHA-256 in hex of a code or a secret, which are random and long."""
    return hashlib.sha256(text.encode()).hexdigest()


def badge_digest(number: str) -> str:
    """A keyed digest of a badge's number: those are short, and the database alone must not tell them."""
    return salted_hmac("labs.kiosk.badge", _badge(number), algorithm="sha256").hexdigest()


def _badge(number: str) -> str:
    """As readers type it: without the separators that some put in."""
    return "".join(c for c in number.upper() if c.isalnum())


@transaction.atomic
def add_kiosk(*, lab: Lab, name: str, by: User | None) -> tuple[Kiosk, str]:
    """A kiosk of the lab and the code that pairs a device with it, once, within ten minutes."""
    code = "".join(secrets.choice(CODE_ALPHABET) for _ in range(8))
    kiosk = Kiosk.objects.create(
        lab=lab,
        name=name.strip()[:60] or _("Kiosk"),
        made_by=by,
        code_digest=digest(code),
        code_until=timezone.now() + CODE_LIFETIME,
    )
    return kiosk, f"{code[:4]}-{code[4:]}"


@transaction.atomic
def pair(*, lab: Lab, code: str, where: str = "", now: dt.datetime | None = None) -> tuple[Kiosk, str]:
    """Bind the device that types the code; its secret, shown to the device alone. Raises NotAKiosk, PassLocked.

    Tries are counted before they are made: some from one address (`where`), and more from all for one lab.
    """
    now = now or timezone.now()
    _slow(f"{lab.pk}", PAIRINGS_OF_LAB)
    _slow(f"{lab.pk}:{where}", PAIRINGS_OF_ADDRESS)
    rows = Kiosk.objects.select_for_update().filter(lab=lab, ended_at=None, code_until__gt=now)
    kiosk = rows.filter(code_digest=digest(_badge(code))).exclude(code_digest="").first()
    if kiosk is None:
        raise NotAKiosk(_("This code is unknown, was used or is older than ten minutes; ask at the desk for another."))
    secret = secrets.token_urlsafe(32)
    kiosk.code_digest, kiosk.code_until = "", None
    kiosk.secret_digest, kiosk.paired_at, kiosk.seen_at = digest(secret), now, now
    kiosk.save(update_fields=["code_digest", "code_until", "secret_digest", "paired_at", "seen_at"])
    return kiosk, secret


def _slow(who: str, most: int) -> None:
    """Refuse the pairing when so many were tried lately. Raises PassLocked."""
    key = f"labs.kiosk.pair:{digest(who)[:20]}"
    try:
        cache.add(key, 0, PAIRING_REST.total_seconds())
        asked = cache.incr(key)
    except ValueError:  # it ran out in between
        return
    if asked > most:
        raise PassLocked(_("Too many codes were tried; wait a few minutes, then ask at the desk for another."))


def end_kiosk(*, kiosk: Kiosk) -> None:
    """The device is no kiosk any more, at once."""
    Kiosk.objects.filter(pk=kiosk.pk).update(ended_at=timezone.now(), secret_digest="", code_digest="")


def kiosk_of(*, lab: Lab, secret: str, now: dt.datetime) -> Kiosk | None:
    """The kiosk whose secret the device holds; remembers once a minute that it was seen."""
    if not secret:
        return None
    kiosk = Kiosk.objects.filter(lab=lab, secret_digest=digest(secret), ended_at=None).first()
    if kiosk is not None and (kiosk.seen_at is None or now - kiosk.seen_at > dt.timedelta(minutes=1)):
        Kiosk.objects.filter(pk=kiosk.pk).update(seen_at=now)
    return kiosk


def sign_in_by_badge(*, kiosk: Kiosk, number: str, now: dt.datetime | None = None) -> User:
    """Whose badge this is. Raises PassRefused, PassLocked."""
    now = now or timezone.now()
    _refuse_if_resting(kiosk, now)
    held = None
    if len(_badge(number)) >= 4:
        held = KioskPass.objects.select_related("user").filter(badge_digest=badge_digest(number)).first()
    if held is None or not held.user.is_active:
        _count_try(kiosk, now)
        raise PassRefused(_("Nobody has this badge. Sign in with your name and PIN, or ask at the desk."))
    _forget_tries(kiosk)
    return held.user


def sign_in_by_pin(*, kiosk: Kiosk, name: str, pin: str, now: dt.datetime | None = None) -> User:
    """The person of that name with that PIN. A wrong name takes as long as a wrong PIN.

    Raises PassRefused, PassLocked.
    """
    now = now or timezone.now()
    _refuse_if_resting(kiosk, now)
    if not _count_pin(name, now):
        check_password(pin[:LONGEST_PIN], _nobody())
        _count_try(kiosk, now)
        raise PassRefused(_("This name and this PIN do not belong together."))
    held = KioskPass.objects.select_related("user").get(user__username=name.strip().lower())
    if not check_password(pin, held.pin):
        _count_try(kiosk, now)
        raise PassRefused(_("This name and this PIN do not belong together."))
    KioskPass.objects.filter(pk=held.pk).update(failures=0, locked_until=None)
    _forget_tries(kiosk)
    return held.user


@transaction.atomic
def _count_pin(name: str, now: dt.datetime) -> bool:
    """Count a try before it is made, so that tries at once cannot outrun the count; whether there is a PIN to try."""
    rows = KioskPass.objects.select_for_update().filter(user__username=name.strip().lower(), user__is_active=True)
    held = rows.exclude(pin="").first()
    if held is None:
        return False
    if held.locked_until is not None and held.locked_until > now:
        raise PassLocked(
            _("Too many wrong PINs. Try again later, or use your badge."), until=held.locked_until.isoformat()
        )
    held.failures = 1 if held.locked_until is not None else held.failures + 1
    held.locked_until = now + PIN_REST if held.failures >= WRONG_PINS else None
    held.save(update_fields=["failures", "locked_until"])
    return True


def _refuse_if_resting(kiosk: Kiosk, now: dt.datetime) -> None:
    until = Kiosk.objects.filter(pk=kiosk.pk).values_list("locked_until", flat=True).first()
    if until is not None and until > now:
        raise PassLocked(_("Too many wrong tries at this kiosk; wait a few minutes."), until=until.isoformat())


@transaction.atomic
def _count_try(kiosk: Kiosk, now: dt.datetime) -> None:
    held = Kiosk.objects.select_for_update().get(pk=kiosk.pk)
    held.failures = 1 if held.locked_until is not None else held.failures + 1
    held.locked_until = now + KIOSK_REST if held.failures >= WRONG_TRIES else None
    held.save(update_fields=["failures", "locked_until"])


def _forget_tries(kiosk: Kiosk) -> None:
    Kiosk.objects.filter(pk=kiosk.pk, failures__gt=0).update(failures=0, locked_until=None)


def _nobody() -> str:
    if not _NOBODY:
        _NOBODY.append(make_password(secrets.token_hex(8)))
    return _NOBODY[0]


@transaction.atomic
def set_pin(*, user: User, pin: str) -> KioskPass:
    """The PIN that this person types at kiosks. Raises BadPass."""
    if not (pin.isascii() and pin.isdecimal() and SHORTEST_PIN <= len(pin) <= LONGEST_PIN):
        words = {"low": SHORTEST_PIN, "high": LONGEST_PIN}
        raise BadPass(_("A PIN has %(low)s to %(high)s digits.") % words)
    if len(set(pin)) < 3 or pin in "0123456789012345678909876543210987654321":
        raise BadPass(_("This PIN is among the first that anybody tries; choose another."))
    held, _made = KioskPass.objects.update_or_create(
        user=user, defaults={"pin": make_password(pin), "failures": 0, "locked_until": None}
    )
    return held


@transaction.atomic
def set_badge(*, user: User, number: str) -> KioskPass:
    """The badge that this person holds to kiosks. Raises BadPass when it is somebody else's."""
    if not 4 <= len(_badge(number)) <= 64:
        raise BadPass(_("A badge's number has 4 to 64 letters and digits; hold the badge to a reader, which types it."))
    try:
        with transaction.atomic():
            held, _made = KioskPass.objects.update_or_create(user=user, defaults={"badge_digest": badge_digest(number)})
    except IntegrityError:
        raise BadPass(_("This badge belongs to somebody already.")) from None
    return held


def remove_pass(*, user: User) -> None:
    """Neither badge nor PIN open a kiosk for this person any more."""
    KioskPass.objects.filter(user=user).delete()
