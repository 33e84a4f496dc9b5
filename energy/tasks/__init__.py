"""Kinds of runs and clocks of the room; importing this package registers them."""

from energy.tasks import forecasts, market, meters, simulations, statements

#: Rung by beat (livingcity.celery collects these).
BEAT = {**forecasts.BEAT, **meters.BEAT, **statements.BEAT}

__all__ = [
    "BEAT",
    "forecasts",
    "market",
    "meters",
    "simulations",
    "statements",
]
