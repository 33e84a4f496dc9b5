"""The corpus of hostile files through the served site, sent over HTTP and pushed with stock git, drawn by a real worker
whose whole family is weighed meanwhile. Each must end as its class says, the benign ones exactly, and the site must
answer before, between and after. So must it after a push of every odd name that git itself would let through.
"""

import http.client
import json
import os
import subprocess
import threading
import time
import urllib.request
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit

import pytest

from commons.people.models import User
from designs.models import Design
from designs.services import create_design
from tests.conftest import LiveCity
from tests.designs.conftest import Git, address
from tests.designs.hostile import OK, REJECT, Canary
from tests.designs.test_hostile import CASES, canary, controls, watched
from tests.designs.test_push_rules import EMPTY_BLOB, HOUSE, Maker
from tests.figures_said import figure

__all__ = ["canary"]

#: One of each reader and of each way to hurt it.
SOME = (
    "stl-cut-off", "3mf-67-million-boxes", "gltf-reads-a-file", "gltf-calls-out", "glb-million-nodes", "step-in-itself",
    "step-200000-brackets", "svg-laughs", "svg-reads-a-file-and-calls-out", "dxf-empty", "3mf-names-that-climb",
    "3mf-deep",
)  # fmt: skip
MOST_BYTES, LEAST_BYTES = int(1.5 * 1024**3), 50 * 1024**2


class Scales:
    """The memory of a process and all that descend from it, as their shares of it (PSS), at its highest."""

    def __init__(self, pid: int) -> None:
        self.pid, self.peak, self._done = pid, 0, threading.Event()
        self._thread = threading.Thread(target=self._weigh, daemon=True)
        self._thread.start()

    def _weigh(self) -> None:
        while not self._done.wait(0.2):
            self.peak = max(self.peak, sum(map(_pss, self._family())))

    def _family(self) -> set[int]:
        parents = {}
        for stat in Path("/proc").glob("[0-9]*/stat"):
            with suppress(OSError, ValueError):
                parents[int(stat.parent.name)] = int(stat.read_text().rpartition(")")[2].split()[1])
        found = {self.pid}
        while more := {pid for pid, parent in parents.items() if parent in found} - found:
            found |= more
        return found

    def stop(self) -> int:
        """The highest, in bytes."""
        self._done.set()
        self._thread.join()
        return self.peak


def _pss(pid: int) -> int:
    with suppress(OSError):
        for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
            if line.startswith("Pss:"):
                return int(line.split()[1]) * 1024
    return 0


class Site:
    """The served site with a token; every status that it gave."""

    def __init__(self, city: LiveCity, token: str) -> None:
        self.where, self.token, self.statuses = urlsplit(city.url), token, list[int]()

    def ask(self, method: str, path: str, body: bytes | None = None) -> tuple[int, Any]:
        """Status and document."""
        line = http.client.HTTPConnection(self.where.hostname or "", self.where.port, timeout=120)
        headers = {"Authorization": f"Bearer {self.token}", "Content-Type": "application/octet-stream"}
        line.request(method, path, body=body, headers=headers)
        answer = line.getresponse()
        content = answer.read()
        line.close()
        self.statuses.append(answer.status)
        return answer.status, json.loads(content) if "json" in (answer.getheader("Content-Type") or "") else content

    @property
    def faults(self) -> int:
        """Answers of 5xx."""
        return sum(status >= 500 for status in self.statuses)


@pytest.fixture
def scales(worker: Any) -> Iterator[Scales]:
    made = Scales(worker.pid)
    yield made
    made.stop()


def files_of(site: Site, base: str) -> dict[str, dict[str, Any]]:
    """The files of a design as the API lists them, by their names."""
    _status, listed = site.ask("GET", f"/api/v1{base}/files/")
    return {entry["path"].rsplit(".", 1)[0]: entry for entry in listed["results"]}


def settled(site: Site, base: str, expected: int, seconds: float) -> dict[str, dict[str, Any]]:
    """The files, when each is drawn or was given up."""
    until = time.monotonic() + seconds
    while True:
        found = files_of(site, base)
        waiting = [name for name, entry in found.items() if entry["preview"]["status"] in {"pending", "none"}]
        if len(found) >= expected and not waiting:
            return found
        assert time.monotonic() < until, f"{len(found)} of {expected} there, not drawn: {waiting}"
        time.sleep(0.5)


def unlike(name: str, entry: dict[str, Any]) -> str:
    """How a file ended otherwise than its class says; nothing if as it should."""
    status, reason = entry["preview"]["status"], entry["preview"].get("reason") or ""
    if name.startswith("good-"):
        exact = status == "ready" and entry["facts"]["triangles"] == 320
        return "" if exact else f"the benign {name}: {status}, {reason}, {entry.get('facts')}"
    allowed = {REJECT: {"failed"}, OK: {"ready"}}.get(CASES[name].expected, {"ready", "failed"})
    if status not in allowed:
        return f"{name}: {status}, {reason}"
    if status == "failed" and not (reason.endswith(".") and len(reason) > 15):
        return f"{name}: no sentence: {reason!r}"
    return ""


def push(git: Git, city: LiveCity, design: Design, token: str, files: dict[str, bytes], work: Path) -> None:
    """Clone, add and push, as anybody does."""
    git("clone", address(city, design), str(work))
    for name, body in files.items():
        (work / name).write_bytes(body)
    git("add", "-A", at=work)
    git("commit", "-m", "Files", at=work)
    git("push", address(city, design, token), "HEAD:main", at=work)


@pytest.mark.parametrize(
    ("names", "kinds", "ways"),
    [
        pytest.param(SOME, ("stl", "3mf", "step"), ("sent", "pushed"), id="some"),
        pytest.param(tuple(CASES), None, ("sent",), id="all-sent", marks=pytest.mark.drill),
        pytest.param(tuple(CASES), None, ("pushed",), id="all-pushed", marks=pytest.mark.drill),
    ],
)
def test_hostile_files_sent_and_pushed(
    names: tuple[str, ...], kinds: tuple[str, ...] | None, ways: tuple[str, ...], live_city: LiveCity, scales: Scales,
    maker: User, token: str, git_client: Git, canary: Canary, tmp_path: Path,
) -> None:  # fmt: skip
    site = Site(live_city, token)
    design = create_design(owner=maker.handle, name="Hostile", licence="MIT", by=maker)
    base = f"/designs/{maker.handle.name}/{design.slug}"
    good = {name: body for name, body in controls().items() if kinds is None or name in kinds}
    files = {f"{name}.{CASES[name].format}": CASES[name].content(canary) for name in names}
    files |= {f"good-{name}.{name.partition('_')[0]}": body for name, body in good.items()}
    parts = {way: dict(list(files.items())[number :: len(ways)]) for number, way in enumerate(ways)}
    for name, body in parts.get("sent", {}).items():
        status, said = site.ask("PUT", f"/api/v1{base}/files/{quote(name)}", body)
        assert status == 200, (name, said)
    if "pushed" in parts:
        push(git_client, live_city, design, token, parts["pushed"], tmp_path / "work")
    found = settled(site, base, len(files), 120 + 15 * len(files))
    wrong = [said for name, entry in found.items() if (said := unlike(name, entry))]
    for name, entry in found.items():
        site.ask("GET", f"{base}/files/{quote(entry['path'])}")
        drawn = site.ask("GET", f"{base}/previews/{entry['blob']}.glb")[0]
        if name.startswith("good-") and drawn != 200:
            wrong.append(f"the benign {name} has no model: {drawn}")
    after = b"after".ljust(80) + good["stl"][80:]
    status, said = site.ask("PUT", f"/api/v1{base}/files/good-after.stl", after)
    assert status == 200, said
    last = settled(site, base, len(files) + 1, 180)["good-after"]
    wrong += [said for said in [unlike("good-after", last)] if said]
    assert site.ask("GET", "/healthz")[0] == 200
    peak = scales.stop()
    right = len(files) + 1 - len(wrong)
    way = "_".join(ways)
    figure(f"hostile_{way}", right, f"of {len(files) + 1} files, {site.faults} answers of 5xx")
    figure(f"hostile_{way}_memory", peak / 2**20, "MB at most, all of the worker")
    assert not wrong, "\n".join(wrong)
    assert not site.faults
    assert LEAST_BYTES < peak < MOST_BYTES


# --- what the test above needs to be able to fail ---------------------------------------------------------------------


def test_the_judge_sees_what_ended_wrongly() -> None:
    ready = {"preview": {"status": "ready"}, "facts": {"triangles": 320}}
    silent = {"preview": {"status": "failed", "reason": "no"}}
    said = {"preview": {"status": "failed", "reason": "The file is cut off in its 3rd triangle."}}
    assert unlike("stl-cut-off", ready) and unlike("stl-cut-off", silent) and not unlike("stl-cut-off", said)
    assert unlike("good-stl", said) and not unlike("good-stl", ready)
    assert unlike("good-stl", {"preview": {"status": "ready"}, "facts": {"triangles": 319}})
    assert set(SOME) <= set(CASES)


def test_a_reader_without_walls_is_heard(tmp_path: Path) -> None:
    """What a careless reader would do with two of the corpus: the canary is read, and hears."""
    with watched(tmp_path) as (bird, calls):
        files = (CASES[name].content(bird) for name in ("gltf-reads-a-file", "gltf-calls-out"))
        reads, calls_out = (json.loads(file)["buffers"][0]["uri"] for file in files)
        with urllib.request.urlopen(reads) as file:
            assert bird.secret in file.read().decode()
        with suppress(OSError, http.client.HTTPException):
            urllib.request.urlopen(calls_out, timeout=10)
        for _try in range(100):
            if calls:
                break
            time.sleep(0.05)
        assert calls


# --- names ------------------------------------------------------------------------------------------------------------

#: Names of files in a tree as bytes: options, lines, directions of writing, what is no text, what a shell would run.
ODD_NAMES = (
    b"--upload-pack=x", b"a\nb.stl", "photo\u202egpj.exe".encode(), b"\xff\xfe.stl", b"\x01\x1b[31m.txt",
    b"%2e%2e%2fx.stl", b"$(id).stl", b"x<script>alert(1)<.svg", b"C:\\x.stl", b"?ref=main#x.stl",
    b"-x", b"a\tb.stl", b"a\rb", b"n" * 255 + b".stl", b"n" * 4096, b"`id`.md", b"'\"; drop table.csv", b"NUL.stl",
    b" .stl", b"a b .stl ", "\ufb00\u200b\ufeff.stl".encode(), b"*.[a-z]", b":(glob)x", b"@{-1}", b"HEAD",
    "\U0001f525.glb".encode(), b"a.stl.", b"~", b"!x", b"=1+1.csv",
)  # fmt: skip


@pytest.mark.parametrize(
    "names", [pytest.param(ODD_NAMES[:10], id="some"), pytest.param(ODD_NAMES, id="all", marks=pytest.mark.drill)]
)
def test_odd_names_are_refused_in_words_or_every_page_of_them_answers(
    names: tuple[bytes, ...], live_city: LiveCity, maker: User, token: str, git_client: Git, tmp_path: Path
) -> None:
    site, taken = Site(live_city, token), 0
    work = tmp_path / "work"
    work.mkdir()
    git_client("init", "-q", "-b", "main", ".", at=work)
    objects = Maker(work)
    design = create_design(owner=maker.handle, name="Names", licence="MIT", by=maker)
    base = f"/designs/{maker.handle.name}/{design.slug}"
    for number, name in enumerate((b"plain.stl", *names)):
        tree = objects.write("tree", HOUSE.encode() + b" " + name + b"\0" + EMPTY_BLOB)
        commit, branch = objects.commit(tree), f"odd-{number}"
        done = subprocess.run(
            ["git", "push", address(live_city, design, token), f"{commit}:refs/heads/{branch}"],
            cwd=work, capture_output=True, check=False, timeout=120, env={**os.environ, "GIT_TERMINAL_PROMPT": "0"},
        )  # fmt: skip
        said = done.stderr.decode(errors="replace")
        if done.returncode:
            assert "remote: " in said or "fsck" in said, (name, said)
            assert "Traceback" not in said and "500" not in said, (name, said)
            continue
        taken += 1
        path = quote(name)
        asked = [
            f"{base}/?ref={branch}", f"{base}/files/{path}?ref={branch}", f"{base}/raw/{branch}/{path}",
            f"{base}/archive/{branch}.zip", f"{base}/compare/?base=odd-0&head={branch}",
            f"/api/v1{base}/files/?ref={branch}",
        ]  # fmt: skip
        for one in asked:
            status, answer = site.ask("GET", one)
            assert status < 500, (name, one, answer[:300])
        assert site.statuses[-1] == 200, name
    refused = len(names) + 1 - taken
    figure("hostile_names_faults", site.faults, f"answers of 5xx to {taken} names; {refused} refused in words")
    assert site.ask("GET", f"{base}/files/plain.stl?ref=odd-0")[0] == 200
    assert taken > 1 and refused
