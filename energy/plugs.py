"""What the room plugs into the ground floor."""


def register() -> None:
    """Register everything; called once when Django is ready."""
