"""Sequence numbers of a device: one counter for its readings and for whatever else it reports."""

from collections.abc import Sequence

from django.db import connection, transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from commons.devices.engine import seqs as sets
from commons.devices.errors import DeviceRevoked, TooManyGaps
from commons.devices.fields import as_text
from commons.devices.models import Device

MAX_RANGES = 10_000


def lock(device: Device) -> Device:
    """The device's row, locked until the transaction ends. Raises DeviceRevoked."""
    locked = Device.objects.select_for_update(no_key=True).filter(pk=device.pk).first()
    if locked is None or locked.revoked_at is not None:
        raise DeviceRevoked(_("This device was revoked; enrol it again with a new code."))
    return locked


@transaction.atomic
def claim_seqs(*, device: Device, seqs: Sequence[int]) -> tuple[list[int], list[int]]:
    """Lock the device's row and tell (fresh, duplicates), each seq once and in the given order.

    Call it inside the transaction that stores what the seqs stand for, then `mark_seen` for all that were
    stored or rejected, both before the commit: the row stays locked until then, so no other message of the
    device comes between. A seq given twice is fresh once and a duplicate after. Raises DeviceRevoked.
    """
    seen = lock(device).seen
    fresh: list[int] = []
    taken: set[int] = set()
    duplicates: list[int] = []
    for seq in seqs:
        known = seq in taken or sets.holds(seen, seq)
        (duplicates if known else fresh).append(seq)
        taken.add(seq)
    return fresh, duplicates


@transaction.atomic
def mark_seen(*, device: Device, seqs: Sequence[int]) -> int:
    """Write down that these are committed or rejected, in the caller's transaction; the new `acked`."""
    return write_seen(device=lock(device), seen=sets.ranges_of(seqs))


def write_seen(*, device: Device, seen: sets.Ranges) -> int:
    """Add ranges to those of a locked device; the new `acked`. Raises TooManyGaps: the message is undone."""
    merged = sets.union(device.seen, seen)
    if len(merged) > MAX_RANGES:
        raise TooManyGaps(
            _("The sequence numbers leave more than %(n)d gaps; count 1, 2, 3 and send what is missing.")
            % {"n": MAX_RANGES}
        )
    with connection.cursor() as cursor:  # with every batch: worth no query builder
        cursor.execute(
            "UPDATE devices_device SET seen = %s::int8multirange, last_seen_at = %s WHERE id = %s",
            [as_text(merged), timezone.now(), device.pk],
        )
    device.seen = merged
    return sets.acknowledged(merged)
