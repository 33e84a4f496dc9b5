"""Tasmota relays, by their commands over HTTP (`/cm?cmnd=…`).

`PulseTime<n>` is the relay's own timer: 1 to 111 are tenths of a second, from 112 on it is seconds + 100. It starts
with each `Power<n> ON`, also when the relay is on already, and stays set, so that a button pressed by hand opens too.
Source: Tasmota documentation, Commands.
"""

from typing import Any
from urllib.parse import quote, urlencode

import orjson
from django.utils.translation import gettext as _

from labs.interlocks import web
from labs.interlocks.base import Reading, RelayError, Target

LONGEST_S = 64_800


def pulse(for_s: int) -> int:
    """Seconds as PulseTime counts them."""
    return min(max(for_s, 12), LONGEST_S) + 100


def is_on(said: dict[str, Any], relay: int) -> bool:
    """What an answer says of a relay's power; one relay alone is called POWER."""
    value = said.get(f"POWER{relay}", said.get("POWER") if relay == 1 else None)
    if value not in {"ON", "OFF"}:
        raise RelayError(_("The relay does not say whether it is on."))
    return bool(value == "ON")


def opens_in(said: dict[str, Any], relay: int) -> float | None:
    """What an answer says of the timer that runs, in seconds; None when none does. `Remaining` counts as PulseTime."""
    value = said.get(f"PulseTime{relay}")
    remaining = value.get("Remaining") if isinstance(value, dict) else None
    if not isinstance(remaining, int) or remaining <= 0:
        return None
    return remaining / 10 if remaining <= 111 else float(remaining - 100)


class Tasmota:
    """One relay of a Tasmota device; option `channel`, from 1."""

    def __init__(self, target: Target) -> None:
        self._target = target
        self._relay = target.number("channel", 1)

    def on(self, for_s: int) -> Reading:
        """Closed, with its own timer set first."""
        self._say(f"PulseTime{self._relay} {pulse(for_s)}")
        self._say(f"Power{self._relay} ON")
        return self.read()

    def off(self) -> Reading:
        """Open."""
        self._say(f"Power{self._relay} OFF")
        return self.read()

    def read(self) -> Reading:
        """What it says of its power and its timer."""
        on = is_on(self._say(f"Power{self._relay}"), self._relay)
        return Reading(on, opens_in(self._say(f"PulseTime{self._relay}"), self._relay) if on else None)

    def _say(self, command: str) -> dict[str, Any]:
        query = {"cmnd": command}
        if self._target.password:
            query |= {"user": self._target.user or "admin", "password": self._target.password}
        answer = web.ask(self._target, "GET", "/cm?" + urlencode(query, quote_via=quote))
        try:
            said = orjson.loads(answer)
        except orjson.JSONDecodeError:
            raise RelayError(_("The relay's answer is no JSON.")) from None
        if not isinstance(said, dict):
            raise RelayError(_("The relay's answer is no JSON."))
        if "WARNING" in said:
            raise RelayError(_("The relay refuses the name or the password."))
        if said.get("Command") in {"Unknown", "Error"}:
            raise RelayError(_("The relay does not know “%(command)s”.") % {"command": command})
        return said
