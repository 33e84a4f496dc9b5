"""Kinds of runs and clocks of the room; importing this package registers them."""

from typing import Any

from energy.tasks import market, simulations, statements

#: What beat rings for; every module of the package may bring some.
BEAT: dict[str, Any] = {**statements.BEAT}

__all__ = ["BEAT", "market", "simulations", "statements"]
