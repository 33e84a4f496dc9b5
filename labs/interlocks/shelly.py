"""Shelly relays of the second generation and later, by RPC over HTTP.

`Switch.Set` takes `toggle_after`: seconds after which the relay flips back by itself, which is what keeps us safe.
`Switch.GetStatus` says `output`, and `timer_started_at` with `timer_duration` while that timer runs.
Source: Shelly API documentation, Gen2, components, Switch.
"""

from typing import Any

import orjson
from django.utils.translation import gettext as _

from labs.interlocks import web
from labs.interlocks.base import Reading, RelayError, Target


class Shelly:
    """One channel of a Shelly; option `channel`, from 0."""

    def __init__(self, target: Target) -> None:
        self._target = target
        self._channel = target.number("channel", 0)

    def on(self, for_s: int) -> Reading:
        """Closed, with its own timer."""
        self._call("Switch.Set", {"id": self._channel, "on": True, "toggle_after": for_s})
        return self.read()

    def off(self) -> Reading:
        """Open; a timer that runs is dropped with it."""
        self._call("Switch.Set", {"id": self._channel, "on": False})
        return self.read()

    def read(self) -> Reading:
        """What it says of its output and its timer."""
        said = self._call("Switch.GetStatus", {"id": self._channel})
        if not isinstance(said.get("output"), bool):
            raise RelayError(_("The relay does not say whether it is on."))
        duration = said.get("timer_duration")
        runs = "timer_started_at" in said and isinstance(duration, int | float)
        return Reading(said["output"], float(duration) if runs and isinstance(duration, int | float) else None)

    def _call(self, method: str, params: dict[str, Any]) -> dict[str, Any]:
        body = orjson.dumps({"id": 1, "src": "living-city", "method": method, "params": params})
        answer = web.ask(self._target, "POST", "/rpc", body=body, headers={"Content-Type": "application/json"})
        try:
            said = orjson.loads(answer)
        except orjson.JSONDecodeError:
            raise RelayError(_("The relay's answer is no JSON.")) from None
        if not isinstance(said, dict):
            raise RelayError(_("The relay's answer is no JSON."))
        if isinstance(error := said.get("error"), dict):
            raise RelayError(_("The relay refuses: %(why)s.") % {"why": str(error.get("message"))[:120]})
        result = said.get("result")
        return result if isinstance(result, dict) else {}
