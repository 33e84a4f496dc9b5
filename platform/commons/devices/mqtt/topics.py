"""The topics of the contract: `city/v1/{device}/…`."""

import uuid

ROOT = "city/v1"
TELEMETRY, JOBS, STATUS, ACK = "telemetry", "jobs", "status", "ack"
COMMANDS, ANSWERS = "commands", "answers"
SAID = (TELEMETRY, JOBS, STATUS, ANSWERS)
"""What a device writes."""
HEARD = (ACK, COMMANDS)
"""What a device reads."""


def topic(device: uuid.UUID | str, part: str) -> str:
    """A topic of the device."""
    return f"{ROOT}/{device}/{part}"


def parse(name: str) -> tuple[uuid.UUID, str] | None:
    """The device and the part, or None for a topic that is not of this city."""
    root, _, rest = name.partition(f"{ROOT}/")
    device, _, part = rest.partition("/")
    try:
        found = uuid.UUID(device)
    except ValueError:
        return None
    return (found, part) if not root and str(found) == device and part in SAID else None
