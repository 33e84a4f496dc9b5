"""Reads of devices and of what they reported."""

from commons.devices.queries.board import curves, hours_of, quarters_of
from commons.devices.queries.energy import Energy, curve, edges_wh, energy
from commons.devices.queries.series import Point, Reading, readings, series
from commons.devices.queries.state import (
    Live,
    Value,
    acked,
    demo_devices,
    heartbeat_age,
    last_values,
    live,
    live_of,
    next_seq,
)

__all__ = [
    "Energy",
    "Live",
    "Point",
    "Reading",
    "Value",
    "acked",
    "curve",
    "curves",
    "demo_devices",
    "edges_wh",
    "energy",
    "heartbeat_age",
    "hours_of",
    "last_values",
    "live",
    "live_of",
    "next_seq",
    "quarters_of",
    "readings",
    "series",
]
