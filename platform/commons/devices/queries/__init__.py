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
from commons.devices.queries.uptime import PERIOD, Heard, heard

__all__ = [
    "PERIOD",
    "Energy",
    "Heard",
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
    "heard",
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
