"""Copies of repositories that live elsewhere: https with checked and pinned addresses, or a local repository."""

import re
import subprocess
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import IO
from urllib.parse import urlsplit

from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from commons.said import said
from commons.web import outside
from commons.web.disk import check_disk
from commons.web.faults import DiskFull
from commons.web.outside import Resolver, is_outside
from designs.errors import AddressRefused, BadSource, OverQuota
from designs.git import environment, pools, process
from designs.git.repository import Repository

FETCH_WALL_S = 1800.0
#: More bytes than any disk has.
BOUNDLESS = 1 << 62
REFSPECS = ("+refs/heads/*:refs/heads/*", "+refs/tags/*:refs/tags/*")
#: Is told how far a fetch is (0..1) and git's own words of it; it may raise to stop the fetch.
Say = Callable[[float, str], None]
PROGRESS = re.compile(r"(?:remote: )?(\w[\w ]*):\s+(\d+)% \((\d+)/(\d+)\)")
#: How much of a fetch each of git's stages is, about.
STAGES = {"Counting objects": (0.0, 0.05), "Compressing objects": (0.05, 0.15), "Receiving objects": (0.15, 0.85),
          "Resolving deltas": (0.85, 1.0)}  # fmt: skip

TOLD = {
    "Counting objects": gettext_noop("Counting objects: %(n)s of %(all)s"),
    "Compressing objects": gettext_noop("Compressing objects: %(n)s of %(all)s"),
    "Receiving objects": gettext_noop("Receiving objects: %(n)s of %(all)s"),
    "Resolving deltas": gettext_noop("Resolving deltas: %(n)s of %(all)s"),
}  # fmt: skip


def silent(_share: float, _stage: str) -> None:
    """Tell nobody."""


def resolve(host: str, port: int) -> list[str]:
    """The addresses of a host by the system's resolver."""
    try:
        return outside.resolve(host, port)
    except OSError as error:
        raise AddressRefused(_("“%(host)s” has no address: %(why)s.") % {"host": host, "why": error.strerror}) from None


def check_address(url: str, *, resolver: Resolver = resolve) -> tuple[str, int, str]:
    """The host, port and one checked address of an https URL. Raises AddressRefused.

    Every address that the name has must be public: git is then pinned to the one that was looked at, so that the name
    cannot answer differently a moment later.
    """
    if any(sign in url for sign in "?#"):
        raise AddressRefused(_("Give the address without “?”, “#” and what follows: it may hold a secret."))
    place = look(url, resolver=resolver)
    return place.host, place.port, place.address


def look(url: str, *, resolver: Resolver | None = None) -> outside.Place:
    """Where an https URL leads. Raises AddressRefused."""
    try:
        return outside.place_of(url, resolver=resolver or resolve, judge=is_outside)
    except outside.Refused as refused:
        raise AddressRefused(_refusal(refused.why, url)) from None


def _refusal(why: str, url: str) -> str:
    if why == "port":
        return _("The port of this address is not a number.")
    if why == "scheme":
        return _("Only addresses that begin with https:// can be imported.")
    if why == "secret":
        return _("Give the address without a name, a password or spaces in it.")
    words = {"host": (urlsplit(url).hostname or "")[:120]}
    if why == "host":
        return _("“%(host)s” is not a host's name as all programs write it.") % words
    return _("“%(host)s” leads into a private network; only public addresses can be imported.") % words


def from_https(
    target: Repository,
    url: str,
    *,
    resolver: Resolver = resolve,
    say: Say = silent,
    refspecs: Sequence[str] = REFSPECS,
    most_bytes: int | None = None,
) -> None:
    """Fetch all branches and tags. No redirects, no other protocol, no private address.

    Raises AddressRefused, BadSource, or OverQuota when the repository would grow by more than `most_bytes`.
    """
    host, port, address = check_address(url, resolver=resolver)
    pinned = f"[{address}]" if ":" in address else address
    options = ["-c", f"http.curloptResolve={host}:{port}:{pinned}", "-c", "http.followRedirects=false"]
    bound = _Bound(target, BOUNDLESS if most_bytes is None else most_bytes)
    _fetch(target, url, options=options, protocol="https", say=say, refspecs=refspecs, bound=bound)


def from_folder(target: Repository, source: Path) -> None:
    """Fetch all branches and tags of a repository on this machine."""
    _fetch(target, str(source), options=["-c", "protocol.file.allow=always"], protocol="file", say=silent)


class _Bound:
    """Watches a repository while git fills it, and stops git when it has grown by more than it may."""

    def __init__(self, target: Repository, most_bytes: int) -> None:
        self._target, self._most = target, most_bytes
        self._before = pools.size_bytes(target)
        self._over = threading.Event()
        self._full: DiskFull | None = None
        self._done = threading.Event()

    @contextmanager
    def watching(self, git: "subprocess.Popen[bytes]") -> Iterator[None]:
        """Look every half second, and once more at the end. Raises OverQuota."""
        watch = threading.Thread(target=self._watch, args=(git,), daemon=True)
        watch.start()
        try:
            yield
        finally:
            self._done.set()
            watch.join()
        if self._full is not None:
            raise self._full
        if self._over.is_set() or self._is_over():
            raise OverQuota(
                _("The source is larger than the %(n).1f MB that its owner has left here.") % {"n": self._most / 1e6}
            )

    def _watch(self, git: "subprocess.Popen[bytes]") -> None:
        while not self._done.wait(0.5):
            try:
                check_disk(self._target.path)
            except DiskFull as full:
                self._full = full
            if self._full is not None or self._is_over():
                self._over.set()
                process.stop(git)
                return

    def _is_over(self) -> bool:
        try:
            return pools.size_bytes(self._target) - self._before > self._most
        except FileNotFoundError:  # git moves and deletes folders while we walk them
            return False


def _fetch(
    target: Repository,
    source: str,
    *,
    options: Sequence[str],
    protocol: str,
    say: Say,
    refspecs: Sequence[str] = REFSPECS,
    bound: _Bound | None = None,
) -> None:
    arguments = [*options, "fetch", "--progress", "--no-auto-gc", "--no-write-fetch-head", "--no-recurse-submodules",
                 "--no-tags", "--end-of-options", source, *refspecs]  # fmt: skip
    env = environment.clean(GIT_ALLOW_PROTOCOL=protocol)
    with process.started(arguments, repository=target.path, env=env, wall_s=FETCH_WALL_S) as git:
        assert git.stderr is not None  # noqa: S101 a pipe was asked for
        with bound.watching(git) if bound else nullcontext():
            last = _follow(git.stderr, say)
            code = git.wait()
    if code != 0:
        raise BadSource(
            _("“%(source)s” could not be read as a git repository: %(words)s.") % {"source": source, "words": last}
        )


def _follow(stderr: IO[bytes], say: Say) -> str:
    """Tell how far git is, from what it prints; its last line."""
    last, rest = "", b""
    while piece := stderr.read1(4096):  # type: ignore[attr-defined]  # a buffered reader
        *lines, rest = (rest + piece).replace(b"\r", b"\n").split(b"\n")
        for line in lines:
            words = line.decode("utf-8", "replace").strip()
            if found := PROGRESS.match(words):
                low, high = STAGES.get(found[1], (0.0, 0.0))
                if high:
                    say(low + (high - low) * int(found[2]) / 100, said(TOLD[found[1]], n=found[3], all=found[4]))
            elif words:
                last = words
        rest = rest[-8192:]
    return process.last_line((last + "\n").encode() + rest)


def default_branch(source: Path) -> str:
    """The branch that a local repository's HEAD names, or nothing when it is detached."""
    _code, out, _err = process.attempt(["symbolic-ref", "--quiet", "--short", "HEAD"], repository=source)
    return out.decode("utf-8", "replace").strip()


def repository_in(folder: Path) -> Path | None:
    """The git directory of a bare repository or a work tree; None for a plain folder."""
    for candidate in (folder / ".git", folder):
        if (candidate / "HEAD").is_file() and (candidate / "objects").is_dir():
            return candidate
    return None


def choose_branch(repository: Repository, wanted: str) -> str:
    """The branch that the source calls its own, else main or master, else the first."""
    branches = [ref.removeprefix("refs/heads/") for ref in sorted(repository.refs()) if ref.startswith("refs/heads/")]
    return next((branch for branch in (wanted, "main", "master", *branches) if branch in branches), "")
