"""Codes that people type from paper: no letter that looks like another, and only their SHA-256 is kept."""

import hashlib
import secrets

ALPHABET = "23456789ABCDEFGHJKLMNPQRSTUVWXYZ"


def new_code(groups: int) -> str:
    """A code of groups of four with hyphens: 20 bits each."""
    return "-".join("".join(secrets.choice(ALPHABET) for _ in range(4)) for _ in range(groups))


def plain(code: str) -> str:
    """As it was made, whatever case, spaces and hyphens were typed; 0, 1, I and O are read as what they look like."""
    kept = "".join(c for c in code.upper() if c.isalnum()).replace("0", "Q").replace("O", "Q")
    return kept.replace("1", "L").replace("I", "L")


def fingerprint(code: str) -> bytes:
    """SHA-256 of the code as it was made."""
    return hashlib.sha256(plain(code).encode()).digest()
