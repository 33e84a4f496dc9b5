"""Carry out one step on a relay, whatever its kind, and say what came of it in one of four words."""

import time
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext as _

from labs.engine.interlocks import Answer, Step
from labs.interlocks import addresses
from labs.interlocks.base import Driver, Reading, RelayError
from labs.interlocks.nothing import Nothing

#: A relay's timer may be so much coarser than was asked.
SLACK_S = 2.0


@dataclass(frozen=True, slots=True)
class Line:
    """How one relay is spoken to."""

    driver: str
    url: str = ""
    user: str = ""
    password: str = ""
    options: dict[str, Any] | None = None
    on: bool = False
    unreadable: str = ""


@dataclass(frozen=True, slots=True)
class Said:
    """What came of a step: the answer, a sentence for people, and how many milliseconds it took."""

    answer: Answer
    sentence: str
    took_ms: int


def driver_of(line: Line) -> Driver:
    """The driver, loaded when it is needed. Raises RelayError."""
    if line.driver == "none":
        return Nothing(on=line.on)
    if line.unreadable:
        raise RelayError(line.unreadable)
    options = line.options or {}
    target = addresses.target(line.driver, line.url, user=line.user, password=line.password, options=options)
    if line.driver == "shelly":
        from labs.interlocks.shelly import Shelly  # noqa: PLC0415 each lab has one kind, and some weigh much

        return Shelly(target)
    if line.driver == "tasmota":
        from labs.interlocks.tasmota import Tasmota  # noqa: PLC0415

        return Tasmota(target)
    if line.driver == "mqtt":
        from labs.interlocks.mqtt import Mqtt  # noqa: PLC0415

        return Mqtt(target)
    from labs.interlocks.modbus import Modbus  # noqa: PLC0415

    return Modbus(target)


def speak(line: Line, step: Step) -> Said:
    """Do it. Never raises: whatever goes wrong is an answer, and one that leads to “off”."""
    began = time.monotonic()

    def said(answer: Answer, sentence: str = "") -> Said:
        return Said(answer, sentence[:300], int(1000 * (time.monotonic() - began)))

    try:
        reading = _do(driver_of(line), step)
    except RelayError as error:
        return said("silent" if error.silent else "refused", str(error))
    except Exception as error:  # a driver's bug must not leave the power on
        return said("refused", f"{type(error).__name__}: {error}")
    return said(*_judged(line, step, reading))


def _do(driver: Driver, step: Step) -> Reading:
    if step.deed == "on":
        return driver.on(step.for_s)
    if step.deed == "off":
        return driver.off()
    if step.deed == "hold":
        before = driver.read()
        return driver.on(step.for_s) if before.on else before
    return driver.read()


def _judged(line: Line, step: Step, reading: Reading) -> tuple[Answer, str]:
    """What a reading means: an “on” that would never end by itself is none that we asked for."""
    if step.deed not in {"on", "hold"}:
        return ("on", "") if reading.on else ("off", "")
    if not reading.on:
        if step.deed == "hold":
            return "off", _("It was found off: opened by hand, by a power cut or by its own timer.")
        return "refused", _("The relay was told to close and says that it is open.")
    without = bool((line.options or {}).get("without_timer")) and line.driver == "modbus"
    if reading.opens_in_s is None and not without:
        return "refused", _(
            "The relay does not say that its own timer runs, so nothing would open it if we fall silent."
        )
    if reading.opens_in_s is not None and reading.opens_in_s > step.for_s + SLACK_S:
        return "refused", _("The relay's own timer runs longer than it was told.")
    return "on", ""
