"""Kinds of runs and clocks of the room; importing this package registers them."""

from energy.tasks import forecasts, simulations

#: Rung by beat (livingcity.celery collects these).
BEAT = {**forecasts.BEAT}

__all__ = ["BEAT", "forecasts", "simulations"]
