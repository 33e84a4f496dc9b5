"""Passwords as Mosquitto keeps them: `$7$rounds$salt$hash`, PBKDF2 with HMAC-SHA-512, base 64.

A token has 256 random bits, so the few rounds of Mosquitto's own default are enough: nobody guesses it, and a broker
that many devices join at once stays quick.
"""

import base64
import hashlib
import hmac
import os

ROUNDS = 101
SALT_BYTES, HASH_BYTES = 12, 64


def hashed(password: str, salt: bytes = b"") -> str:
    """The password's line in the broker's file; `salt` is random unless it is given."""
    salt = salt or os.urandom(SALT_BYTES)
    digest = hashlib.pbkdf2_hmac("sha512", password.encode(), salt, ROUNDS, HASH_BYTES)
    return f"$7${ROUNDS}${base64.b64encode(salt).decode()}${base64.b64encode(digest).decode()}"


def fits(password: str, line: str) -> bool:
    """Whether the line is of this password."""
    try:
        _, kind, rounds, salt, digest = line.split("$")
        wanted = base64.b64decode(digest)
        found = hashlib.pbkdf2_hmac("sha512", password.encode(), base64.b64decode(salt), int(rounds), len(wanted))
    except ValueError:
        return False
    return kind == "7" and hmac.compare_digest(found, wanted)
