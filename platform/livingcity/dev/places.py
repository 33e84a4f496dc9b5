"""Where this city keeps its things, its database and its doorbell: all worked out from the environment.

With no settings the city runs on its own PostgreSQL and Valkey behind private Unix sockets. A socket path may be
at most 107 bytes long, so sockets live in a short private folder under /tmp, named after the data folder.
"""

import hashlib
import os
import secrets
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

ROOT = Path(__file__).resolve().parents[3]
#: In a data folder into which a backup is being restored.
RESTORING = "restoring.json"


def data_dir() -> Path:
    """The folder that holds everything of this city (LIVINGCITY_DATA, default `var/`)."""
    return Path(os.environ.get("LIVINGCITY_DATA") or ROOT / "var").resolve()


def socket_dir() -> Path:
    """The private folder (0700) of this city's sockets."""
    name = hashlib.sha256(str(data_dir()).encode()).hexdigest()[:12]
    return Path("/tmp") / f"lc-{os.getuid()}-{name}"  # noqa: S108 not TMPDIR: every process must find the same one


def database_settings() -> dict[str, Any]:
    """Django's settings for DATABASE_URL, or for the embedded server's socket."""
    common: dict[str, Any] = {
        "ENGINE": "django.db.backends.postgresql",
        "CONN_MAX_AGE": 600,
        "CONN_HEALTH_CHECKS": True,
    }
    url = os.environ.get("DATABASE_URL")
    if not url:
        return common | {"HOST": str(socket_dir()), "NAME": "livingcity", "USER": "postgres"}
    parts = urlsplit(url)
    query = dict(parse_qsl(parts.query))
    return common | {
        "HOST": query.pop("host", None) or unquote(parts.hostname or ""),
        "PORT": str(parts.port or ""),
        "NAME": parts.path.lstrip("/"),
        "USER": unquote(parts.username or ""),
        "PASSWORD": unquote(parts.password or ""),
        "OPTIONS": query,
    }


def redis_url(*, db: int = 0, celery: bool = False) -> str:
    """The address of Valkey or Redis: REDIS_URL, or the embedded server's socket.

    `db` counts from the database that REDIS_URL names. Celery has its own way to write a socket.
    """
    parts = urlsplit(os.environ.get("REDIS_URL") or f"unix://{socket_dir() / 'valkey.sock'}")
    if parts.scheme != "unix":
        first = int(parts.path.strip("/") or 0)
        return parts._replace(path=f"/{first + db}").geturl()
    first = int(dict(parse_qsl(parts.query)).get("db", 0))
    return (
        f"redis+socket://{parts.path}?virtual_host={first + db}" if celery else f"unix://{parts.path}?db={first + db}"
    )


def secret_key() -> str:
    """SECRET_KEY, or one made once and kept (0600) in the data folder."""
    if key := os.environ.get("SECRET_KEY"):
        return key
    path = data_dir() / "secret_key"
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch(mode=0o600)
        path.write_text(secrets.token_urlsafe(50))
    return path.read_text()
