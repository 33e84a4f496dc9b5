"""Devices themselves: make, let in, let out, take away."""

import datetime as dt
import hashlib
import secrets
import uuid
from dataclasses import dataclass

from django.db import IntegrityError, connection, transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from commons.audit.recording import note
from commons.devices.errors import CodeNotGood, SecondHeartbeat
from commons.devices.models import HEARTBEAT, Device, EnrolmentCode
from commons.devices.mqtt import accounts
from commons.devices.mqtt.passwords import hashed
from commons.people import tokens
from commons.people.models import Organisation
from commons.places.models import Place

CODE_LIFETIME = dt.timedelta(minutes=10)
CODE_ALPHABET = "23456789ABCDEFGHJKMNPQRSTUVWXYZ"
"""No 0 O 1 I L, which people confuse; 31^8 codes, each good for ten minutes, tries throttled."""


@transaction.atomic
def create_device(
    *,
    name: str,
    kind: str,
    hardware_id: str = "",
    place: Place | None = None,
    organisation: Organisation | None = None,
    public: bool = False,
    counter_wraps_wh: float | None = None,
    demo: bool = False,
) -> Device:
    """A device that may be enrolled. `public`: anyone may read what it reports. Raises SecondHeartbeat."""
    try:
        with transaction.atomic():
            return Device.objects.create(
                name=name,
                kind=kind,
                hardware_id=hardware_id,
                place=place,
                organisation=organisation,
                public=public,
                counter_wraps_wh=counter_wraps_wh,
                demo=demo,
            )
    except IntegrityError:
        if kind != HEARTBEAT:
            raise
        raise SecondHeartbeat(_("The city has its heartbeat already.")) from None


@dataclass(frozen=True, slots=True)
class ShownCode:
    """A code to show once, such as “K7QM-3XPA”, and until when it is good."""

    code: str
    expires_at: dt.datetime

    def __str__(self) -> str:
        return self.code


def _code_sha256(code: str) -> bytes:
    plain = "".join(c for c in code.upper() if c.isalnum())
    return hashlib.sha256(plain.encode()).digest()


@transaction.atomic
def create_enrolment_code(*, device: Device) -> ShownCode:
    """A new code that lets the device in once within ten minutes; its codes that wait are void now."""
    now = timezone.now()
    EnrolmentCode.objects.filter(device=device, used_at=None, expires_at__gt=now).update(expires_at=now)
    plain = "".join(secrets.choice(CODE_ALPHABET) for _ in range(8))
    row = EnrolmentCode.objects.create(
        device=device, sha256=_code_sha256(plain), created_at=now, expires_at=now + CODE_LIFETIME
    )
    note("enrolment code made", f"device={device.pk}")
    return ShownCode(f"{plain[:4]}-{plain[4:]}", row.expires_at)


@transaction.atomic
def enrol(*, code: str, kind: str = "", hardware_id: str = "") -> tuple[Device, str]:
    """Let a device in; its token is shown once. Locks the code. Raises CodeNotGood.

    A device that is enrolled again keeps its readings and its counter of seqs (`queries.next_seq`), and its
    earlier token ends.
    """
    now = timezone.now()
    row = (
        EnrolmentCode.objects.select_for_update()
        .filter(sha256=_code_sha256(code), used_at=None, expires_at__gt=now)
        .first()
    )
    if row is None:
        raise CodeNotGood(_("This code is unknown, was used or is older than ten minutes; ask for another."))
    row.used_at = now
    row.save(update_fields=["used_at"])
    device = Device.objects.select_for_update(no_key=True).get(pk=row.device_id)
    if kind != HEARTBEAT:
        device.kind = kind[:40] or device.kind
    device.hardware_id = hardware_id[:120] or device.hardware_id
    device.enrolled_at, device.revoked_at = now, None
    note("device enrolled", f"device={device.pk}")
    return device, _new_token(device)


@transaction.atomic
def rotate_token(*, device: Device) -> str:
    """A new token in place of the old one, which ends at once."""
    note("device key changed", f"device={device.pk}")
    return _new_token(Device.objects.select_for_update(no_key=True).get(pk=device.pk))


def _new_token(device: Device) -> str:
    secret = tokens.new_secret("lcd")
    device.token_sha256, device.mqtt_hash = tokens.fingerprint(secret), hashed(secret)
    device.save(update_fields=["token_sha256", "mqtt_hash", "kind", "hardware_id", "enrolled_at", "revoked_at"])
    accounts.changed()
    return secret


@transaction.atomic
def revoke_device(*, device: Device) -> None:
    """End its token and its waiting codes at once; what it reported stays."""
    now = timezone.now()
    Device.objects.filter(pk=device.pk).update(revoked_at=now, token_sha256=None, mqtt_hash="")
    note("device revoked", f"device={device.pk}")
    accounts.changed()
    EnrolmentCode.objects.filter(device=device, used_at=None, expires_at__gt=now).update(expires_at=now)


@transaction.atomic
def delete_devices(*, devices: list[Device]) -> None:
    """Take devices away with everything that they reported."""
    numbers = [device.number for device in devices]
    with connection.cursor() as cursor:
        for table, column in (
            ("devices_reading", "device"),
            ("devices_rollup", "device_id"),
            ("devices_lastvalue", "device_id"),
        ):
            cursor.execute(f"DELETE FROM {table} WHERE {column} = ANY(%s)", [numbers])  # noqa: S608 constants
    Device.objects.filter(pk__in=[device.pk for device in devices]).delete()
    accounts.changed()


@transaction.atomic
def tell_link(*, device: uuid.UUID, online: bool) -> None:
    """Keep whether the device is connected over MQTT, and since when; the same told again changes nothing."""
    state = Device.Link.ONLINE if online else Device.Link.OFFLINE
    Device.objects.filter(pk=device).exclude(link=state).update(link=state, link_at=timezone.now())
