"""Kinds of runs and clocks of the room; importing this package registers them."""

from energy.tasks import simulations, slices

__all__ = ["simulations", "slices"]
