"""Kinds of runs and clocks of the room; importing this package registers them."""

from energy.tasks import demo, forecasts, grids, market, meters, outlooks, simulations, slices, sources, statements

#: Rung by beat (livingcity.celery collects these).
BEAT = {**demo.BEAT, **forecasts.BEAT, **meters.BEAT, **outlooks.BEAT, **sources.BEAT, **statements.BEAT}

__all__ = [
    "BEAT",
    "demo",
    "forecasts",
    "grids",
    "market",
    "meters",
    "outlooks",
    "simulations",
    "slices",
    "sources",
    "statements",
]
