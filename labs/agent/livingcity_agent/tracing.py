"""W3C Trace Context: what the agent sends has a number, under which the city finds it in its log and traces."""

import secrets


def traceparent() -> str:
    """A trace that begins here. Whether it is kept is the city's to decide."""
    return f"00-{secrets.token_hex(16)}-{secrets.token_hex(8)}-01"


def number(header: str) -> str:
    """The part of it by which people name it."""
    return header.split("-")[1]
