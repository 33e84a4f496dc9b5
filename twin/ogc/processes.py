"""OGC API Processes."""

CONFORMS: tuple[str, ...] = ()
