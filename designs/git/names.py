"""Which names we let pass to git: revisions, branches and paths that people type."""

import re

from django.utils.translation import gettext as _

from designs.errors import BadPath, BadRevision

REVISION = re.compile(r"^[A-Za-z0-9][A-Za-z0-9._/+-]{0,199}$")
OID = re.compile(r"^[0-9a-f]{40}$")
MAX_PATH_BYTES = 700
#: Overrides and isolates: “gpj.exe” shown as “exe.jpg”. Marks that languages written from the right need may stay.
TURNING = re.compile("[\u202a-\u202e\u2066-\u2069]")
CONTROL = re.compile("[\x00-\x1f\x7f]")
#: Both in a name as git keeps it.
RAW_FAULT = re.compile(rb"[\x00-\x1f\x7f]|\xe2\x80[\xaa-\xae]|\xe2\x81[\xa6-\xa9]")


def check_revision(name: str) -> str:
    """A branch, tag or commit as people may name it: no options, no ranges, no `@{…}`. Raises BadRevision."""
    if not REVISION.match(name) or ".." in name or name.endswith((".lock", "/", ".")) or "//" in name:
        raise BadRevision(_("There is no version “%(name)s”.") % {"name": name[:80]})
    return name


def check_path(path: str) -> str:
    """A path inside a repository. Raises BadPath with the reason."""
    reason = path_fault(path)
    if reason:
        raise BadPath(_("“%(path)s” cannot be a file here: %(reason)s.") % {"path": path[:80], "reason": reason})
    return path


def path_fault(path: str) -> str:
    """What is wrong with the path, or nothing."""
    parts = path.split("/")
    if not path or path.startswith("/") or any(part in {"", ".", ".."} for part in parts):
        return _("it must lead to a file inside the design")
    if any(part.lower() == ".git" for part in parts):
        return _("“.git” is git's own")
    if CONTROL.search(path):
        return _("it holds control characters")
    if TURNING.search(path):
        return _("it holds characters that turn the direction of writing, so that it would read as another name")
    if len(path.encode("utf-8", "surrogateescape")) > MAX_PATH_BYTES:
        return _("it is longer than %(n)d bytes") % {"n": MAX_PATH_BYTES}
    return ""


def shown(raw: bytes) -> str:
    """A path as git keeps it, to be shown: what is no text or no sign to be seen is replaced, and leads nowhere."""
    return CONTROL.sub("\ufffd", raw.decode("utf-8", "replace"))
