"""The power goes while people push: every push that was acknowledged is there afterwards, and no object is empty.

The city is stopped in the middle of what it does (SIGSTOP) and its repositories are copied as the disk would have them:
the kernel says of each file whether it still has pages that are only in memory (cachestat), and a file that does comes
out empty, as in a cut after the file's name was written and before its bytes.
"""

import ctypes
import hashlib
import io
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from commons.people.services import create_token, create_user
from commons.web.disk import put
from designs.models import Design
from designs.services import lfs
from designs.services.makes import add_make
from labs.services.equipment import add_manual
from livingcity.dev.processes import Child, spawn, stop
from livingcity.dev.web import web_argv
from tests.backups.conftest import at_home
from tests.conftest import _answers, free_port
from tests.designs.conftest import make, wait_for
from tests.figures_said import figure
from tests.ground.test_services import family
from tests.labs.conftest import lab, machine

pytestmark = pytest.mark.drill

CACHESTAT = 451
_libc = ctypes.CDLL(None, use_errno=True)


class _Span(ctypes.Structure):
    _fields_ = (("start", ctypes.c_uint64), ("length", ctypes.c_uint64))


class _Pages(ctypes.Structure):
    _fields_ = tuple((name, ctypes.c_uint64) for name in ("cached", "dirty", "writing", "evicted", "lately"))


def only_in_memory(path: Path) -> bool:
    """Whether pages of the file have not been written to the disk."""
    span, pages = _Span(0, 0), _Pages()
    with path.open("rb") as file:
        refused = _libc.syscall(CACHESTAT, file.fileno(), ctypes.byref(span), ctypes.byref(pages), 0)
    if refused:
        raise OSError(ctypes.get_errno(), "cachestat")
    return bool(pages.dirty or pages.writing)


@pytest.fixture
def disk() -> Iterator[Path]:
    """A folder on a real disk, of whose pages the kernel can tell."""
    folder = Path("/var/tmp") / f"lc-power-{os.getpid()}"
    folder.mkdir()
    try:
        probe = folder / "probe"
        probe.write_bytes(b"x" * 10_000)
        try:
            before = only_in_memory(probe)
            with probe.open("rb") as file:
                os.fsync(file.fileno())
            told = before and not only_in_memory(probe)
        except OSError:
            told = False
        if not told:
            pytest.skip("this kernel or disk does not say which pages are only in memory (cachestat, Linux 6.5)")
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@dataclass
class Pushing:
    """A person who pushes one version after the other, and what was acknowledged to them."""

    branch: str
    work: Path
    url: str
    acknowledged: list[str] = field(default_factory=list)
    ended: threading.Event = field(default_factory=threading.Event)

    def go(self) -> None:
        """Until it is enough, or the power goes."""
        number = 0
        while not self.ended.is_set():
            number += 1
            (self.work / f"{self.branch}-{number}.bin").write_bytes(os.urandom(2000 + 40_000 * (number % 3)))
            self._git("add", "-A")
            self._git("commit", "-q", "-m", str(number))
            oid = self._git("rev-parse", "HEAD").stdout.strip()
            pushed = self._git("push", "-q", self.url, f"HEAD:refs/heads/{self.branch}", good=False)
            if pushed.returncode == 0 and not self.ended.is_set():
                self.acknowledged.append(oid)

    def _git(self, *words: str, good: bool = True) -> "subprocess.CompletedProcess[str]":
        env = {
            "PATH": os.environ["PATH"], "HOME": "/nonexistent", "GIT_CONFIG_NOSYSTEM": "1", "GIT_TERMINAL_PROMPT": "0",
            "GIT_AUTHOR_NAME": "A", "GIT_AUTHOR_EMAIL": "a@example.org", "GIT_COMMITTER_NAME": "A",
            "GIT_COMMITTER_EMAIL": "a@example.org",
        }  # fmt: skip
        done = subprocess.run(["git", *words], cwd=self.work, env=env, capture_output=True, text=True, check=False)
        assert done.returncode == 0 or not good, done.stderr
        return done


@pytest.fixture
def served(
    disk: Path, settings: Any, city_environment: dict[str, str], transactional_db: None
) -> Iterator[tuple[str, Child]]:
    """The site with its repositories on that disk."""
    data = disk / "data"
    data.mkdir()
    at_home(settings, data)
    port = free_port()
    url = f"http://localhost:{port}"
    env = {**city_environment, "LIVINGCITY_DATA": str(data), "PORT": str(port), "PUBLIC_URL": url}
    child = spawn(web_argv(port=port), death_signal=signal.SIGKILL, env=env, log=disk / "web.log")
    until = time.monotonic() + 90
    while not _answers(url):
        assert child.poll() is None and time.monotonic() < until, (disk / "web.log").read_text()[-2000:]
        time.sleep(0.1)
    yield url, child
    stop(child, signal.SIGKILL)


def stand_still(child: Child) -> set[int]:
    """Stop it with all that it has started, also what was just starting; what was stopped."""
    stopped: set[int] = set()
    while young := set(family(child.pid)) - stopped:
        for pid in young:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGSTOP)
        stopped |= young
    return stopped


def cut(child: Child, source: Path, target: Path) -> int:
    """What the disk would hold if the power went now; how many files lost their bytes."""
    stopped, lost = stand_still(child), 0
    try:
        for path in sorted(source.rglob("*")):
            copy = target / path.relative_to(source)
            if path.is_dir():
                copy.mkdir(parents=True, exist_ok=True)
            elif only_in_memory(path):
                lost += 1
                copy.touch()
            else:
                shutil.copyfile(path, copy)
    finally:
        for pid in stopped:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGCONT)
    return lost


def has(repository: Path, oid: str) -> bool:
    """Whether the version and all that it is made of can be read."""
    asked = subprocess.run(
        ["git", "-c", "safe.directory=*", f"--git-dir={repository}", "rev-list", "--objects", "--quiet", oid],
        capture_output=True, check=False,
    )  # fmt: skip
    return asked.returncode == 0


@pytest.mark.parametrize("cuts", [2, pytest.param(15, marks=pytest.mark.drill)])
def test_what_was_acknowledged_is_there_after_a_power_cut(
    served: tuple[str, Child], disk: Path, cuts: int, capsys: pytest.CaptureFixture[str]
) -> None:
    url, child = served
    maker = create_user(username="aila")
    token = create_token(user=maker, name="git", scopes=["designs:write"])[1]
    design: Design = make(maker)
    address = f"{url.replace('://', f'://x:{token}@')}/designs/{design.owner.name}/{design.slug}.git"
    people = []
    for number in range(3):
        work = disk / f"work{number}"
        subprocess.run(["git", "clone", "-q", address, str(work)], check=True)
        people.append(Pushing(f"p{number}", work, address))
    threads = [threading.Thread(target=person.go, daemon=True) for person in people]
    for thread in threads:
        thread.start()
    lost = total = 0
    try:
        for number in range(cuts):
            wait_for(lambda least=3 * number + 3: sum(len(person.acknowledged) for person in people) >= least)
            time.sleep(0.37 * number % 1.1)
            acknowledged = [(person.branch, list(person.acknowledged)) for person in people]
            after = disk / f"after{number}"
            lost += cut(child, disk / "data" / "repositories", after)
            repository = next(after.rglob(f"{design.repository}.git"))
            assert (repository / "HEAD").read_text().startswith("ref: "), "without HEAD it is no repository"
            assert [path for path in repository.rglob("objects/??/*") if not path.stat().st_size] == [], "empty objects"
            assert [path for path in repository.glob("objects/pack/*.pack") if not path.stat().st_size] == [], (
                "empty packs"
            )
            missing = [oid for _branch, oids in acknowledged for oid in oids[-1:] if not has(repository, oid)]
            figure("power_cut_lost", len(missing), f"after {number + 1} cuts")
            assert missing == [], f"cut {number}: acknowledged, and gone"
            total = sum(len(oids) for _branch, oids in acknowledged)
            shutil.rmtree(after)
    finally:
        for person in people:
            person.ended.set()
        for thread in threads:
            thread.join(60)
    assert total >= cuts, "too few pushes came through for this to say anything"
    with capsys.disabled():
        sys.stdout.write(f"\n{cuts} cuts, {total} acknowledged pushes, all there; {lost} files of unended ones lost\n")


def test_files_that_were_acknowledged_are_on_the_disk(disk: Path, settings: Any, transactional_db: None) -> None:
    """A large file, a photo, a manual and a picture that was drawn: no byte of them is only in memory."""
    at_home(settings, disk / "data")
    maker, large = create_user(username="aila"), os.urandom(50_000)
    design: Design = make(maker)
    lfs.take(design=design, oid=hashlib.sha256(large).hexdigest(), body=io.BytesIO(large), by=maker)
    photo = SimpleUploadedFile("made.png", b"\x89PNG\r\n\x1a\n" + os.urandom(20_000))
    add_make(design=design, author=maker, photos=[photo])
    manual = SimpleUploadedFile("manual.pdf", b"%PDF-1.7\n" + os.urandom(20_000))
    add_manual(machine=machine(lab("guild")), title="Manual", by=maker, sent=manual)
    put(os.urandom(20_000), disk / "data" / "media" / "drawn.png")
    files = [path for name in ("lfs", "media") for path in (disk / "data" / name).rglob("*") if path.is_file()]
    assert len(files) == 4
    assert [path for path in files if only_in_memory(path)] == []
