"""What the twin plugs into the sockets of the house."""


def plug_in() -> None:
    """Fill the sockets."""
