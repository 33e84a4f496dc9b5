"""News inside the house, sent inside the transaction that stores what they are about.

`readings_stored(device, start, end)`: energy between `start` and `end` (aware datetimes, inclusive) may have
changed: from the reading before the batch, as its stretch up to the batch is known only now, to the reading
after it. Readings with a wrong clock send nothing. A receiver that fails undoes the batch, so receivers only
write rows.

`group_stored(stored)`: the same once for a whole transaction, a list of `Stored`, for receivers that ask the
database: so that a group of a hundred devices costs them one question.
"""

import datetime as dt
from dataclasses import dataclass
from typing import TYPE_CHECKING

from django.dispatch import Signal

if TYPE_CHECKING:
    from commons.devices.models import Device


@dataclass(frozen=True, slots=True)
class Stored:
    """A device whose energy between two moments (inclusive) may have changed."""

    device: "Device"
    start: dt.datetime
    end: dt.datetime


readings_stored = Signal()
group_stored = Signal()
