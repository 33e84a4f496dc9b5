"""Secrets that are shown once: `lcu_` for people, `lcd_` for devices; only their SHA-256 is ever stored."""

import hashlib
import secrets
import zlib

ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"


def new_secret(prefix: str) -> str:
    """A secret of 43 random characters (256 bits) and a checksum of 6, so that scanners can tell a real one."""
    body = "".join(secrets.choice(ALPHABET) for _ in range(43))
    return f"{prefix}_{body}{checksum(body)}"


def checksum(body: str) -> str:
    """CRC-32 in base 62, six characters."""
    number, digits = zlib.crc32(body.encode()), ""
    for _ in range(6):
        number, digit = divmod(number, 62)
        digits = ALPHABET[digit] + digits
    return digits


def looks_right(secret: str, prefix: str) -> bool:
    """Whether the checksum fits, before the database is asked."""
    head, _, body = secret.partition("_")
    return head == prefix and len(body) == 49 and checksum(body[:43]) == body[43:]


def fingerprint(secret: str) -> bytes:
    """SHA-256 of the secret: high entropy needs no slow hash."""
    return hashlib.sha256(secret.encode()).digest()
