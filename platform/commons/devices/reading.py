"""How a body of telemetry becomes columns: in general by orjson, and by a compiled scanner where there is much to read.
With the scanner comes the compiled way to roll up (`engine.fold`).

The scanner (`engine.scan`) takes an eighth of the time and does not hold the interpreter's lock. Its compiler costs a
second and 90 MB, which a city with a handful of machines need not pay; so it is loaded, in a thread of its own, when so
much has come that it is worth it. What it does not understand, and all bodies until then, go the general way.
"""

import logging
import threading
from collections.abc import Callable
from typing import TYPE_CHECKING

from commons.devices import channels, services
from commons.devices.services import rollups
from commons.devices.services.ingest import MAX_READINGS

if TYPE_CHECKING:
    from commons.devices.engine.parse import Batch

log = logging.getLogger(__name__)

MUCH = 20_000
"""After so many readings the scanner is loaded."""
SAMPLE = b'{"readings":[{"seq":1,"ts":"2026-11-22T14:00:00Z","channel":"power_w","value":1.5}]}'


class Reader:
    """Reads bodies; `read` is for one thread."""

    def __init__(self, much: int = MUCH) -> None:
        self._left = much
        self._scan: Callable[[bytes], Batch | None] | None = None
        self._loading: threading.Thread | None = None

    def read(self, body: bytes) -> "tuple[Batch, int]":
        """The readings of a body and how many items it has. Raises Unreadable, TooManyReadings."""
        if self._scan is not None and (batch := self._scan(body)) is not None:
            return batch, len(batch.seq)
        items = services.read_body(body)
        self._left -= len(items)
        if self._left < 0 and self._loading is None:
            self._loading = threading.Thread(target=self._load, name="scanner", daemon=True)
            self._loading.start()
        return services.read_items(items), len(items)

    def _load(self) -> None:
        try:
            from commons.devices.engine import fold  # noqa: PLC0415 numba, for whoever has much to read
            from commons.devices.engine.scan import scan  # noqa: PLC0415

            fixed = tuple(channels.FIXED)
            scan(SAMPLE, fixed=fixed, most=MAX_READINGS)  # which compiles it, the first time on this machine
            fold.warm_up()
        except Exception:
            log.exception("the scanner could not be loaded; bodies are read the general way")
            return
        rollups.folder = fold.Fold
        self._scan = lambda body: scan(body, fixed=fixed, most=MAX_READINGS)
