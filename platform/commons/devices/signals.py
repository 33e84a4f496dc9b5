"""News inside the house, sent inside the transaction that stores what they are about.

`readings_stored(device, start, end)`: energy between `start` and `end` (aware datetimes, inclusive) may have
changed: from the reading before the batch, as its stretch up to the batch is known only now, to the reading
after it. Readings with a wrong clock send nothing. A receiver that fails undoes the batch, so receivers only
write rows.
"""

from django.dispatch import Signal

readings_stored = Signal()
