"""A lock without a relay: the record alone, for a machine whose switch somebody turns by hand, and for a trial."""

from labs.interlocks.base import Reading, Target


class Nothing:
    """Answers as it is told, and remembers nothing: what it is, the city's own record says."""

    def __init__(self, target: Target | None = None, *, on: bool = False) -> None:
        self._on = on

    def on(self, for_s: int) -> Reading:
        """As asked."""
        return Reading(True, float(for_s))

    def off(self) -> Reading:
        """As asked."""
        return Reading(False)

    def read(self) -> Reading:
        """As it was last."""
        return Reading(self._on)
