"""Kinds of runs and clocks of the room; importing this package registers them."""

from energy.tasks import demo, meters, simulations

__all__ = ["BEAT", "demo", "meters", "simulations"]

BEAT = {**meters.BEAT, **demo.BEAT}
"""Entries for CELERY_BEAT_SCHEDULE."""
