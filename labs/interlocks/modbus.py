"""Relays and controllers that speak Modbus TCP.

A coil is the contact. The relay's own timer is a holding register of seconds (option `timer`) that a controller counts
down, opening the coil at nought; it is written before the coil. A relay without one is only taken when the lab said so
(option `without_timer`), for then nothing opens it when the city falls silent.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.utils.translation import gettext as _
from pymodbus.client import ModbusTcpClient
from pymodbus.exceptions import ModbusException

from labs.interlocks.base import SILENCE_S, Reading, RelayError, Target


class Modbus:
    """One coil; options `channel` (the coil, from 0), `unit` and `timer`."""

    def __init__(self, target: Target) -> None:
        self._target = target
        self._coil = target.number("channel", 0)
        self._unit = target.number("unit", 1)
        self._timer = target.number("timer", -1)

    def on(self, for_s: int) -> Reading:
        """Closed; its timer first."""
        with self._client() as client:
            if self._timer >= 0:
                _good(client.write_register(self._timer, min(for_s, 65_535), device_id=self._unit))
            _good(client.write_coil(self._coil, True, device_id=self._unit))
            return self._read(client)

    def off(self) -> Reading:
        """Open."""
        with self._client() as client:
            _good(client.write_coil(self._coil, False, device_id=self._unit))
            return self._read(client)

    def read(self) -> Reading:
        """What the coil is, and what is left of its timer."""
        with self._client() as client:
            return self._read(client)

    def _read(self, client: ModbusTcpClient) -> Reading:
        on = bool(_good(client.read_coils(self._coil, count=1, device_id=self._unit)).bits[0])
        if self._timer < 0 or not on:
            return Reading(on)
        left = _good(client.read_holding_registers(self._timer, count=1, device_id=self._unit)).registers[0]
        return Reading(on, float(left) if left else None)

    @contextmanager
    def _client(self) -> Iterator[ModbusTcpClient]:
        client = ModbusTcpClient(self._target.address, port=self._target.port, timeout=SILENCE_S, retries=0)
        try:
            if not client.connect():  # type: ignore[no-untyped-call]
                raise RelayError(_("The relay gave no answer."), silent=True)
            yield client
        except (ModbusException, OSError) as error:
            words = {"why": str(error)[:120]}
            raise RelayError(_("The relay gave no answer: %(why)s.") % words, silent=True) from None
        finally:
            client.close()  # type: ignore[no-untyped-call]


def _good(answer: Any) -> Any:
    if answer.isError():
        raise RelayError(_("The relay refuses: %(why)s.") % {"why": str(answer)[:120]})
    return answer
