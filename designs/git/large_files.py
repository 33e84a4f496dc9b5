"""Large files of a repository elsewhere: which pointers it holds, and getting their bytes by the batch API of Git LFS.

Only the basic transfer: a batch request names up to a hundred objects, the answer says where each is to be got. Every
address in it is checked like the first one. https://github.com/git-lfs/git-lfs/blob/main/docs/api/batch.md
"""

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from http.client import HTTPResponse
from typing import Any

from django.utils.translation import gettext as _

from designs.errors import BadSource
from designs.git import contents, pinned, pointers, process
from designs.git.pointers import MAX_POINTER_BYTES, Pointer
from designs.git.repository import Repository

JSON = "application/vnd.git-lfs+json"
AT_ONCE = 100
MAX_ANSWER_BYTES = 2_000_000
BATCH_WALL_S, OBJECT_WALL_S = 120.0, 3600.0
SMALLEST_POINTER = 100
#: What an answer may ask us to send along; nothing that changes how the request itself is read.
HEADER = re.compile(r"^[A-Za-z0-9-]{1,80}$")
NOT_THEIRS = {"host", "content-length", "transfer-encoding", "connection", "cookie", "upgrade", "te", "trailer"}


@dataclass(frozen=True, slots=True)
class Offer:
    """Where the bytes of a pointer are to be got, or in `refusal` why they are not."""

    pointer: Pointer
    url: str
    headers: Mapping[str, str]
    refusal: str


@dataclass
class Stream:
    """A body of a known size; reads at most one byte more, so that a longer one is found to be wrong."""

    answer: HTTPResponse
    left: int

    def read(self, size: int, /) -> bytes:
        """At most `size` bytes. Raises BadSource."""
        piece = pinned.read(self.answer, min(size, self.left + 1)) if self.left >= 0 else b""
        self.left -= len(piece)
        return piece


def pointers_in(repository: Repository, refs: Iterable[str]) -> list[Pointer]:
    """The pointers in the whole history below these refs (`refs/heads/`), each once, those of newer commits first."""
    globs = [f"--glob={ref}*" for ref in refs]
    out = process.run(
        ["rev-list", "--objects", "--no-object-names", f"--filter=blob:limit={MAX_POINTER_BYTES + 1}", *globs],
        repository=repository.path, timeout_s=600,
    )  # fmt: skip
    sizes = process.run(
        ["cat-file", "--batch-check=%(objectname) %(objecttype) %(objectsize)"],
        repository=repository.path, stdin=out, timeout_s=600,
    )  # fmt: skip
    small = [
        line.split()[0]
        for line in sizes.decode().splitlines()
        if " blob " in line and SMALLEST_POINTER <= int(line.split()[2]) <= MAX_POINTER_BYTES
    ]
    heads = contents.heads(repository, small, limit=MAX_POINTER_BYTES + 1) if small else {}
    found = (pointers.read(head) for head in heads.values())
    return list({one.oid: one for one in found if one is not None}.values())


def offers(url: str, wanted: list[Pointer]) -> Iterator[Offer]:
    """What the source at `url` offers for the pointers. Raises BadSource or AddressRefused."""
    for start in range(0, len(wanted), AT_ONCE):
        yield from _batch(url, wanted[start : start + AT_ONCE])


def _batch(url: str, wanted: list[Pointer]) -> Iterator[Offer]:
    objects = [{"oid": one.oid, "size": one.size} for one in wanted]
    asked = {"operation": "download", "transfers": ["basic"], "hash_algo": "sha256", "objects": objects}
    headers = {"Accept": JSON, "Content-Type": JSON, "User-Agent": "livingcity"}
    body = json.dumps(asked).encode()
    with pinned.request("POST", _door(url), headers=headers, body=body, wall_s=BATCH_WALL_S) as answer:
        raw = pinned.read(answer, MAX_ANSWER_BYTES + 1)
    try:
        told = json.loads(raw) if len(raw) <= MAX_ANSWER_BYTES else None
    except (ValueError, RecursionError):
        told = None
    listed = told.get("objects") if isinstance(told, dict) else None
    if not isinstance(listed, list) or told.get("transfer", "basic") != "basic":  # type: ignore[union-attr]
        raise BadSource(_("The source does not speak Git LFS as it should."))
    known = {str(one.get("oid")): one for one in listed if isinstance(one, dict)}
    for pointer in wanted:
        yield _offer(pointer, known.get(pointer.oid, {}))


def _door(url: str) -> str:
    """Where git-lfs itself would ask: the repository's address with .git."""
    plain = url.rstrip("/")
    return f"{plain}{'' if plain.endswith('.git') else '.git'}/info/lfs/objects/batch"


def _offer(pointer: Pointer, told: Mapping[str, Any]) -> Offer:
    action = _part(_part(told, "actions"), "download")
    headers = {
        str(name): value
        for name, value in _part(action, "header").items()
        if HEADER.match(str(name)) and str(name).lower() not in NOT_THEIRS and isinstance(value, str)
        and value.isascii() and value.isprintable() and len(value) < 8000
    }  # fmt: skip
    href = action.get("href")
    if isinstance(href, str):
        return Offer(pointer, href, headers, "")
    words = _part(told, "error").get("message")
    return Offer(pointer, "", {}, str(words)[:200] if words else _("The source does not have it."))


def _part(told: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    found = told.get(name)
    return found if isinstance(found, dict) else {}


@contextmanager
def download(offer: Offer) -> Iterator[Stream]:
    """The bytes of an object as a stream; whether they are the right ones the reader finds by their SHA-256."""
    headers = {"Accept": "application/octet-stream", "User-Agent": "livingcity", **offer.headers}
    with pinned.request("GET", offer.url, headers=headers, wall_s=OBJECT_WALL_S) as answer:
        yield Stream(answer, offer.pointer.size)
