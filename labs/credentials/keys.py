"""Ed25519 keys of issuers: made, sealed for the database, and named as did:key (multicodec 0xed)."""

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat

from commons import sealing
from commons.sealing import Sealed

__all__ = ["Sealed", "base58", "multikey_of", "new_key", "pem_of", "seal", "unseal"]

ALPHABET = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"
ED25519_PUBLIC = b"\xed\x01"
PURPOSE = b"livingcity: issuer keys of labs, 1"


def new_key() -> Ed25519PrivateKey:
    """A fresh key."""
    return Ed25519PrivateKey.generate()


def pem_of(key: Ed25519PrivateKey) -> bytes:
    """The private key as PEM, for the signer alone."""
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


def multikey_of(key: Ed25519PrivateKey) -> str:
    """The public key as a Multikey: z, then base58btc of the codec and the 32 bytes."""
    raw = key.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
    return "z" + base58(ED25519_PUBLIC + raw)


def base58(data: bytes) -> str:
    """Bytes in Bitcoin's base 58; each leading zero byte is a 1."""
    number, digits = int.from_bytes(data), ""
    while number:
        number, digit = divmod(number, 58)
        digits = ALPHABET[digit] + digits
    return "1" * (len(data) - len(data.lstrip(b"\0"))) + digits


def seal(key: Ed25519PrivateKey, secrets: list[str]) -> str:
    """The private key as it lies in the database: sealed with a key derived from the first of the site's secrets."""
    return sealing.seal(pem_of(key), PURPOSE, secrets)


def unseal(sealed: str, secrets: list[str]) -> bytes:
    """The private key as PEM. Raises Sealed when none of the site's secrets opens it."""
    return sealing.unseal(sealed, PURPOSE, secrets)
