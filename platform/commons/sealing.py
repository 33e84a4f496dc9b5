"""What must lie in the database and be of no use there: sealed with keys made from the site's own secrets.

Each purpose has a key of its own, so that what was sealed for one is nothing to another. A site that changes its
SECRET_KEY keeps the old one among SECRET_KEY_FALLBACKS until everything was sealed anew. Source of the derivation:
RFC 5869 (HKDF with SHA-256); Fernet: AES-128-CBC with HMAC-SHA-256.
"""

import base64
from collections.abc import Sequence

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF


class Sealed(ValueError):
    """It cannot be opened: none of the site's secrets sealed it."""


def site_secrets() -> list[str]:
    """The site's secrets, newest first."""
    from django.conf import settings  # noqa: PLC0415 what seals is also used where there is no site

    return [settings.SECRET_KEY, *map(str, settings.SECRET_KEY_FALLBACKS)]


def seal(data: bytes, purpose: bytes, secrets: Sequence[str] | None = None) -> str:
    """The data, sealed for a purpose with the first of the secrets (the site's without any)."""
    return _box(purpose, secrets).encrypt(data).decode()


def unseal(sealed: str, purpose: bytes, secrets: Sequence[str] | None = None) -> bytes:
    """What was sealed for that purpose with any of the secrets. Raises Sealed."""
    try:
        return _box(purpose, secrets).decrypt(sealed.encode())
    except InvalidToken:
        raise Sealed("the site's SECRET_KEY is not the one that sealed this") from None


def _box(purpose: bytes, secrets: Sequence[str] | None) -> MultiFernet:
    def derived(secret: str) -> Fernet:
        raw = HKDF(algorithm=SHA256(), length=32, salt=None, info=purpose).derive(secret.encode())
        return Fernet(base64.urlsafe_b64encode(raw))

    return MultiFernet([derived(secret) for secret in (site_secrets() if secrets is None else secrets)])
