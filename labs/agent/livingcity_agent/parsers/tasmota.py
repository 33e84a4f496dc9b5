"""What Tasmota plugs say: `tele/<topic>/SENSOR`, and the answer of `Status 8` (the same inside `StatusSNS`).

`ENERGY.Total` counts kWh, `ENERGY.Power` is in W. A device with several channels gives lists; `Total` is one number
for all of them unless `SetOption129 1` splits it. `Time` is the device's local time without a zone (with one after
`SetOption52 1`), and 1970 as long as it found no time server.
Sources: Tasmota documentation, Power Monitoring, Commands (Status, SetOption52, SetOption129).
"""

import datetime as dt
from collections.abc import Mapping, Sequence
from typing import Any

from livingcity_agent.parsers.measured import Measured, number, table

WH_PER_KWH = 1000.0
MOST_SKEW = dt.timedelta(minutes=10)


def energy(document: Any) -> Mapping[str, Any]:
    """The table `ENERGY` of a message or of an answer to `Status 8`, also of `Status 10`; empty where there is none."""
    said = table(document)
    return table(table(said.get("StatusSNS", said)).get("ENERGY"))


def channels(said: Mapping[str, Any]) -> int:
    """How many channels a table `ENERGY` has."""
    return max((len(said[k]) for k in ("Power", "Current", "Total") if isinstance(said.get(k), list)), default=1)


def measured(said: Mapping[str, Any], wanted: Sequence[int] = ()) -> Measured:
    """A table `ENERGY` as one; of some channels (from 1) or, by default, of all. A counter that is not split is the
    whole device's, so it is only told when all channels are wanted.
    """
    count = channels(said)
    places = [n - 1 for n in wanted] or list(range(count))
    every = sorted(places) == list(range(count))
    counter = said.get("Total")
    split = isinstance(counter, list)
    return Measured(
        power_w=_sum(said.get("Power"), places),
        energy_wh=_sum(counter, places, WH_PER_KWH) if split or every else None,
        voltage_v=_first(said.get("Voltage"), places),
        current_a=_sum(said.get("Current"), places),
    )


def _sum(value: Any, places: Sequence[int], scale: float = 1.0) -> float | None:
    if not isinstance(value, list):
        return number(value, scale)
    parts = [number(value[n], scale) if 0 <= n < len(value) else None for n in places]
    return None if not parts or None in parts else sum(p for p in parts if p is not None)


def _first(value: Any, places: Sequence[int]) -> float | None:
    if not isinstance(value, list):
        return number(value)
    return next((number(value[n]) for n in places if 0 <= n < len(value)), None)


def is_on(state: Any, channel: int = 1) -> bool | None:
    """What `tele/<topic>/STATE`, `stat/<topic>/RESULT` or an answer to `Power` says of a relay; None: nothing."""
    said = table(table(state).get("StatusSTS", state))
    value = said.get(f"POWER{channel}", said.get("POWER") if channel == 1 else None)
    return {"ON": True, "OFF": False}.get(value) if isinstance(value, str) else None


def stamp(text: Any, zone: dt.tzinfo, arrived: dt.datetime) -> dt.datetime:
    """The time of a message, from its local `Time`. Of the two times that an hour has twice in autumn, that nearer to
    the arrival; the arrival itself where the device's clock is off by more than ten minutes, or says nothing.
    """
    try:
        local = dt.datetime.fromisoformat(text) if isinstance(text, str) else None
    except ValueError:
        local = None
    if local is None:
        return arrived
    both = [local] if local.tzinfo else [local.replace(tzinfo=zone, fold=0), local.replace(tzinfo=zone, fold=1)]
    try:
        moments = [moment.astimezone(dt.UTC) for moment in both]
    except (OverflowError, ValueError):
        return arrived
    nearest = min(moments, key=lambda moment: abs(moment - arrived))
    return nearest if abs(nearest - arrived) <= MOST_SKEW else arrived


def pulse(for_s: float) -> int:
    """Seconds as `PulseTime` counts them: 1 to 111 are tenths of a second, from 112 on it is seconds + 100."""
    return min(max(round(for_s), 12), 64_800) + 100


def opens_in(answer: Any, channel: int) -> float | None:
    """What an answer to `PulseTime<n>` says of the timer that runs, in seconds; None when none does."""
    remaining = table(table(answer).get(f"PulseTime{channel}")).get("Remaining")
    if isinstance(remaining, bool) or not isinstance(remaining, int) or remaining <= 0:
        return None
    return remaining / 10 if remaining <= 111 else float(remaining - 100)


def complaint(answer: Any) -> str:
    """What is wrong with an answer over HTTP, as a sentence; empty when nothing is."""
    said = table(answer)
    if "WARNING" in said:
        return "The plug refuses the password: it is the one of its page Configuration, Other, Web Admin Password."
    if said.get("Command") in {"Unknown", "Error"}:
        return "The plug does not know the command."
    return ""
