"""Passwords of relays: kept sealed with a key made from the site's own, opened by the worker alone."""

from commons import sealing

PURPOSE = b"labs interlocks"


def seal(text: str) -> str:
    """The text, sealed; nothing stays nothing."""
    return sealing.seal(text.encode(), PURPOSE) if text else ""


def opened(sealed: str) -> str | None:
    """The text that was sealed; None when it was sealed with another key."""
    if not sealed:
        return ""
    try:
        return sealing.unseal(sealed, PURPOSE).decode()
    except sealing.Sealed:
        return None
