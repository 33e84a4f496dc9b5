"""The chain: what of a row is hashed, and how one row holds the one before. Pure, so anybody can work it out again."""

import datetime as dt
import hashlib
import json
from collections.abc import Mapping
from typing import Any

#: What the first row follows.
BEGINNING = "0" * 64
#: What of a row is hashed; the order is that of the alphabet (`canonical`).
FIELDS = ("number", "at", "who", "standing", "what", "thing", "before", "after", "ip", "token")


def canonical(row: Mapping[str, Any]) -> bytes:
    """The row as JSON with sorted keys and no spaces, its moment in UTC to the microsecond."""
    said = {name: row[name] for name in FIELDS}
    said["at"] = row["at"].astimezone(dt.UTC).isoformat(timespec="microseconds")
    return json.dumps(said, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


def linked(former: str, row: Mapping[str, Any]) -> str:
    """SHA-256 over the former hash and the row."""
    return hashlib.sha256(bytes.fromhex(former) + canonical(row)).hexdigest()
