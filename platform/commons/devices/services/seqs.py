"""Sequence numbers of a device: one counter for its readings and for whatever else it reports."""

import uuid
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

from django.db import connection, transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from commons.devices.engine import seqs as sets
from commons.devices.errors import DeviceRevoked, TooManyGaps
from commons.devices.fields import as_text, from_text
from commons.devices.models import Device
from commons.devices.queries.often import Asked, ask
from commons.devices.queries.raw import array

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

MAX_RANGES = 10_000
SELDOM = frozenset({"created_at", "enrolled_at", "last_seen_at"})
"""What a device that is let in is read without: fetched when somebody asks for it."""


def lock(device: Device) -> Device:
    """The device's row, locked until the transaction ends. Raises DeviceRevoked."""
    locked = Device.objects.select_for_update(no_key=True).filter(pk=device.pk).first()
    if locked is None or locked.revoked_at is not None:
        raise DeviceRevoked(_("This device was revoked; enrol it again with a new code."))
    return locked


def lock_many(ids: Iterable[uuid.UUID], *also: Asked) -> tuple[dict[uuid.UUID, Device], list[list[tuple[Any, ...]]]]:
    """The rows of those devices that are let in, locked in the order of their ids until the transaction ends; and what
    else is asked when they are locked, in the same round trip."""
    fields = [field.attname for field in Device._meta.concrete_fields if field.attname not in SELDOM]
    seen = fields.index("seen")
    columns = ", ".join(f"{name}::text" if name == "seen" else f"{name}" for name in fields)
    sql = f"""SELECT {columns} FROM devices_device
        WHERE id = ANY(%s::uuid[]) AND revoked_at IS NULL ORDER BY id FOR NO KEY UPDATE"""  # noqa: S608 the model's own
    rows, *more = ask((sql, [array(ids)]), *also)
    found = {}
    for row in rows:
        values = [*row[:seen], from_text(row[seen]), *row[seen + 1 :]]
        device = Device.from_db(connection.alias, fields, values)
        found[device.pk] = device
    return found, more


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
    locked = lock(device)
    locked.seen = device.seen = widened(locked.seen, sets.ranges_of(seqs))
    write_seen([locked])
    return sets.acknowledged(locked.seen)


def widened(seen: sets.Ranges, more: sets.Ranges) -> sets.Ranges:
    """All of both. Raises TooManyGaps: the message is refused."""
    merged = sets.union(seen, more) if more else seen
    if len(merged) > MAX_RANGES:
        raise TooManyGaps(
            _("The sequence numbers leave more than %(n)d gaps; count 1, 2, 3 and send what is missing.")
            % {"n": MAX_RANGES}
        )
    return merged


def write_seen(devices: Sequence[Device]) -> None:
    """Write what locked devices have seen, and that they were heard, in one statement."""
    ask((SEEN, seen_values(devices)))


SEEN = """UPDATE devices_device SET seen = told.seen::int8multirange, last_seen_at = %s::timestamptz
    FROM unnest(%s::uuid[], string_to_array(%s::text, ';')) AS told (id, seen) WHERE devices_device.id = told.id"""


def seen_values(devices: Sequence[Device]) -> list[Any]:
    """The values for SEEN."""
    return [
        timezone.now(),
        array(device.pk for device in devices),
        ";".join(as_text(device.seen) for device in devices),
    ]


def ranges_of_sorted(seqs: "npt.NDArray[np.int64]") -> sets.Ranges:
    """The ranges that hold exactly these numbers, which ascend."""
    import numpy as np  # noqa: PLC0415 the web process starts without numpy

    if len(seqs) < 2:
        return tuple((seq, seq + 1) for seq in seqs.tolist())
    if int(seqs[-1]) - int(seqs[0]) == len(seqs) - 1:
        return ((int(seqs[0]), int(seqs[-1]) + 1),)
    breaks = np.flatnonzero(np.diff(seqs) != 1)
    low = seqs[np.concatenate(([0], breaks + 1))].tolist()
    high = seqs[np.concatenate((breaks, [len(seqs) - 1]))].tolist()
    return tuple((first, last + 1) for first, last in zip(low, high, strict=True))
