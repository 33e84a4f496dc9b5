"""Kinds of runs and clocks of the room; importing this package registers them."""

from energy.tasks import meters, simulations

__all__ = ["BEAT", "meters", "simulations"]

BEAT = meters.BEAT
"""Entries for CELERY_BEAT_SCHEDULE."""
