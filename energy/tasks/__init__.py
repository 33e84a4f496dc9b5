"""Kinds of runs and clocks of the room; importing this package registers them."""

from energy.tasks import market, meters, simulations, statements

__all__ = ["BEAT", "market", "meters", "simulations", "statements"]

BEAT = {**meters.BEAT, **statements.BEAT}
"""Entries for CELERY_BEAT_SCHEDULE."""
