"""Passwords of relays: kept sealed with a key made from the site's own, opened by the worker alone."""

import base64

from cryptography.fernet import Fernet, InvalidToken
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from django.conf import settings


def _fernet() -> Fernet:
    key = HKDF(SHA256(), 32, None, b"labs interlocks").derive(settings.SECRET_KEY.encode())
    return Fernet(base64.urlsafe_b64encode(key))


def seal(text: str) -> str:
    """The text, sealed; nothing stays nothing."""
    return _fernet().encrypt(text.encode()).decode() if text else ""


def opened(sealed: str) -> str | None:
    """The text that was sealed; None when it was sealed with another key."""
    if not sealed:
        return ""
    try:
        return _fernet().decrypt(sealed.encode()).decode()
    except InvalidToken:
        return None
