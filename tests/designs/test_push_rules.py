"""What a push may not bring: broken objects, names that bite, too much. Stock git over HTTP; nothing is left behind."""

import io
import os
import re
import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from django.utils import timezone

from commons.people.models import User
from commons.people.services import create_token
from designs import git
from designs.git import commits, environment, incoming, serve
from designs.git.repository import Repository
from designs.models import Collaborator, Design
from designs.services.room import measure
from tests.designs.conftest import Git, address

EMPTY_BLOB = bytes.fromhex("e69de29bb2d1d6434b8b29ae775ad8c2e48c5391")
HOUSE = "100644"


class Maker:
    """Makes objects that git itself would not make."""

    def __init__(self, work: Path) -> None:
        self.work = work
        self.write("blob", b"")

    def write(self, kind: str, content: bytes) -> bytes:
        """The name of an object with these bytes, good or not."""
        done = subprocess.run(
            ["git", "hash-object", "-t", kind, "-w", "--literally", "--stdin"],
            cwd=self.work, input=content, capture_output=True, check=True,
        )  # fmt: skip
        return bytes.fromhex(done.stdout.decode().strip())

    def tree(self, *entries: tuple[str, str, bytes]) -> bytes:
        return self.write("tree", b"".join(f"{mode} {name}\0".encode() + oid for mode, name, oid in entries))

    def commit(self, tree: bytes, date: str = "1700000000 +0000", more: str = "") -> str:
        person = f"A <a@example.org> {date}"
        text = f"tree {tree.hex()}\n{more}author {person}\ncommitter {person}\n\nm\n"
        return self.write("commit", text.encode()).hex()

    def submodule(self, text: str, mode: str = HOUSE) -> str:
        return self.commit(self.tree((mode, ".gitmodules", self.write("blob", text.encode()))))


def module(name: str = "x", url: str = "https://example.org/x", path: str = "x", more: str = "") -> str:
    return f'[submodule "{name}"]\n\tpath = {path}\n\turl = {url}\n{more}'


BAD_OBJECTS: dict[str, Callable[[Maker], str]] = {
    "a folder called .git": lambda m: m.commit(m.tree(("40000", ".git", m.tree((HOUSE, "x", EMPTY_BLOB))))),
    "a file called .GIT": lambda m: m.commit(m.tree((HOUSE, ".GIT", EMPTY_BLOB))),
    "the DOS name of .git": lambda m: m.commit(m.tree((HOUSE, "git~1", EMPTY_BLOB))),
    "a hidden letter in .git": lambda m: m.commit(m.tree((HOUSE, ".g\u200cit", EMPTY_BLOB))),
    "two dots": lambda m: m.commit(m.tree(("40000", "..", m.tree((HOUSE, "x", EMPTY_BLOB))))),
    "one dot": lambda m: m.commit(m.tree(("40000", ".", m.tree((HOUSE, "x", EMPTY_BLOB))))),
    "a slash in a name": lambda m: m.commit(m.tree((HOUSE, "a/b", EMPTY_BLOB))),
    "a name twice": lambda m: m.commit(m.tree((HOUSE, "a", EMPTY_BLOB), (HOUSE, "a", EMPTY_BLOB))),
    "names out of order": lambda m: m.commit(m.tree((HOUSE, "b", EMPTY_BLOB), (HOUSE, "a", EMPTY_BLOB))),
    "a submodule address that is an option": lambda m: m.submodule(module(url="-u./payload")),
    "a submodule name that leaves": lambda m: m.submodule(module(name="../../hooks")),
    "a submodule path that is an option": lambda m: m.submodule(module(path="-x")),
    "a submodule that runs a program": lambda m: m.submodule(module(more="\tupdate = !touch /tmp/x\n")),
    "a .gitmodules that is a link": lambda m: m.commit(m.tree(("120000", ".gitmodules", m.write("blob", b"/etc/x")))),
    "a submodule over ext::": lambda m: m.submodule(module(url="ext::sh -c id")),
    "a submodule over ssh": lambda m: m.submodule(module(url="ssh://example.org/x")),
    "a submodule in a file of this machine": lambda m: m.submodule(module(url="file:///etc")),
    "a date that is none": lambda m: m.commit(m.tree((HOUSE, "a", EMPTY_BLOB)), date="99999999999999999999 +0000"),
    "a commit without an author": lambda m: m.write(
        "commit", f"tree {m.tree((HOUSE, 'a', EMPTY_BLOB)).hex()}\n\nm\n".encode()
    ).hex(),
    "lines in .gitattributes without an end": lambda m: m.commit(
        m.tree((HOUSE, ".gitattributes", m.write("blob", b"x" * 5000)))
    ),
    "a path of 800 bytes": lambda m: m.commit(m.tree((HOUSE, "n" * 800, EMPTY_BLOB))),
}
BAD_REFS = (
    "refs/heads/-x", "refs/heads/--output=x", "refs/heads/HEAD", "refs/tags/HEAD", "refs/replace/x", "refs/meta/config",
    "refs/notes/commits", "refs/internal/changes/1", "refs/pull/1/head", "refs/heads/ä", "refs/heads/a$(id)", "HEAD",
)  # fmt: skip


def inside(repository: Repository) -> set[tuple[str, int]]:
    """Every file of a repository with its size."""
    return {(str(path), path.stat().st_size) for path in repository.path.rglob("*") if path.is_file()}


@pytest.fixture
def work(live_city: Any, design: Design, git_client: Git, tmp_path: Path) -> Iterator[Path]:
    """A clone of the design, and afterwards proof that refusals left the repository as it was."""
    folder = tmp_path / "work"
    git_client("clone", address(live_city, design), str(folder))
    repository = git.of(design.repository)
    before, refs = inside(repository), repository.refs()
    yield folder
    assert inside(repository) == before and repository.refs() == refs


def refused(git_client: Git, work: Path, *words: str, says: str = "") -> str:
    said = git_client("push", *words, at=work, good=False).stderr
    assert re.search(says, said), said
    assert not re.search(r"repositories|Traceback|/git/", said), said
    return said


def test_broken_and_dangerous_objects_are_refused(
    live_city: Any, design: Design, token: str, git_client: Git, work: Path
) -> None:
    maker, accepted = Maker(work), []
    for what, make in BAD_OBJECTS.items():
        done = subprocess.run(
            ["git", "push", address(live_city, design, token), f"{make(maker)}:refs/heads/bad"],
            cwd=work, capture_output=True, check=False, env={**os.environ, "GIT_TERMINAL_PROMPT": "0"}, timeout=60,
        )  # fmt: skip
        said = done.stderr.decode()
        # git's own words (fsck), or ours.
        if done.returncode == 0 or not re.search(r"fsck|unpacker error|remote: |Living City:", said):
            accepted.append((what, said))
    assert accepted == []


def test_names_that_would_bite_later_are_refused(
    live_city: Any, design: Design, token: str, git_client: Git, work: Path
) -> None:
    for ref in BAD_REFS:
        says = "only branches and tags|hidden ref|funny refname"
        refused(git_client, work, address(live_city, design, token), f"main:{ref}", says=says)


def test_a_push_that_unpacks_to_more_than_a_file_may_have(
    live_city: Any, design: Design, token: str, git_client: Git, work: Path
) -> None:
    with (work / "zeros.bin").open("wb") as file:
        file.truncate(140_000_000)
    git_client("add", "-A", at=work)
    git_client("commit", "-m", "Zeros", at=work)
    refused(
        git_client, work, address(live_city, design, token), "main", says="zeros.bin: 140 MB is more than the 134 MB"
    )


def test_a_push_larger_than_a_push_may_be(
    live_city: Any, design: Design, token: str, git_client: Git, work: Path
) -> None:
    noise = os.urandom(1_000_000)
    for number in range(3):
        with (work / f"noise{number}.bin").open("wb") as file:
            for piece in range(95):
                file.write(bytes([number, piece]) + noise)
    git_client("-c", "core.compression=0", "add", "-A", at=work)
    git_client("commit", "-m", "Noise", at=work)
    options = ("-c", "pack.compression=0", "-c", "pack.window=0")
    said = git_client(*options, "push", address(live_city, design, token), "main", at=work, good=False).stderr
    assert "pack exceeds maximum allowed size" in said, said


def test_an_owner_without_room_is_told_so_by_git(
    live_city: Any, design: Design, maker: User, token: str, git_client: Git, work: Path
) -> None:
    measure(design=design)
    other = Design.objects.create(owner=maker.handle, name="Full", slug="full", licence="MIT", size_bytes=4_999_000_000)
    (work / "large.bin").write_bytes(os.urandom(2_000_000))
    git_client("add", "-A", at=work)
    git_client("commit", "-m", "Large", at=work)
    refused(
        git_client, work, address(live_city, design, token), "main", says=r"brings 2\.0 MB.*room for \d\.\d MB more"
    )
    Design.objects.filter(pk=other.pk).delete()


def test_who_may_push(live_city: Any, design: Design, neighbour: User, git_client: Git, work: Path) -> None:
    secret = create_token(user=neighbour, name="n", scopes=["designs:write"])[1]
    theirs = address(live_city, design, secret)
    row = Collaborator.objects.create(design=design, user=neighbour, role="reader")
    refused(git_client, work, theirs, "main:refs/heads/theirs", says="may read this design but not push")
    row.role = "maintainer"
    row.save()
    Design.objects.filter(pk=design.pk).update(archived_at=timezone.now())
    refused(git_client, work, theirs, "main:refs/heads/theirs", says="archived: it can be read")
    Design.objects.filter(pk=design.pk).update(archived_at=None)
    git_client("push", theirs, "main:refs/heads/theirs", at=work)
    git_client("push", theirs, ":refs/heads/theirs", at=work)
    row.delete()
    refused(git_client, work, theirs, "main:refs/heads/theirs", says="may read this design but not push")


def test_what_no_branch_leads_to_is_not_given(
    live_city: Any, design: Design, maker: User, git_client: Git, tmp_path: Path
) -> None:
    """Hidden refs and what was rewritten away lie in the store; protocol 2 would give them to who knows the name."""
    repository = git.of(design.repository)
    shown, oids = repository.head("main"), {}
    for kind, ref in (("hidden", "refs/internal/changes/1"), ("lost", None)):
        oid = commits.commit(
            repository, branch="aside", files={f"{kind}.txt": kind.encode()}, message=kind,
            author=commits.Author("A", "a@x"), at=timezone.now(),
        )  # fmt: skip
        oids[kind] = (oid, repository.entry("aside", f"{kind}.txt").oid)
        arguments = ["git", f"--git-dir={repository.path}", "-c", "safe.directory=*", "update-ref"]
        if ref:
            subprocess.run([*arguments, ref, oid], check=True)
        subprocess.run([*arguments, "-d", "refs/heads/aside"], check=True)
    work = tmp_path / "clone"
    git_client("clone", "--filter=blob:none", "--no-checkout", address(live_city, design), str(work))
    assert "refs/internal" not in git_client("ls-remote", address(live_city, design)).stdout
    for commit, blob in oids.values():
        for oid in (commit, blob):
            for version in ("2", "0"):
                said = git_client(
                    "-c", f"protocol.version={version}", "fetch", "origin", oid, at=work, good=False
                ).stderr
                assert re.search("not our ref|unadvertised object|does not allow request", said), said
    older = git_client("rev-parse", "main~1", at=work).stdout.strip()
    git_client("fetch", "origin", older, at=work)
    blob = git_client("rev-parse", "main~1:cube.stl", at=work).stdout.strip()
    assert git_client("cat-file", "-s", blob, at=work).stdout.strip() == "684"
    assert shown == git_client("rev-parse", "main", at=work).stdout.strip()
    # The pages show no such version either, but what a change keeps is a version that people talk about.
    assert repository.commit_of(oids["hidden"][0]) == oids["hidden"][0]
    from designs.errors import BadRevision

    with pytest.raises(BadRevision):
        repository.commit_of(oids["lost"][0])


def test_an_accepted_push_is_on_the_disk_before_the_answer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """strace counts what git forces to the disk: the pack, its index, the ref."""
    programs, trace = tmp_path / "programs", tmp_path / "trace"
    programs.mkdir()
    wrapper = (
        f'#!/bin/sh\nexec strace -f -y -e trace=fsync,fdatasync,rename,link -o {trace}.$$ {shutil.which("git")} "$@"\n'
    )
    (programs / "git").write_text(wrapper)
    (programs / "git").chmod(0o700)
    repository, body = git.create(os.urandom(16).hex()), a_push()
    monkeypatch.setenv("PATH", f"{programs}:{os.environ['PATH']}")
    done = serve.push(
        repository, body=body, encoding="", protocol="", rules=incoming.Rules(protected="refs/heads/main")
    )
    assert b"ok refs/heads/main" in done.answer
    seen = "".join(path.read_text() for path in tmp_path.glob("trace.*"))
    synced = re.findall(r"f(?:data)?sync\(\d+<([^>]*)>\)", seen)
    assert any("tmp_pack" in path or path.endswith(".pack") for path in synced)
    assert any("tmp_idx" in path or path.endswith(".idx") for path in synced)
    assert any("refs/heads/main" in path for path in synced)


def a_push(files: dict[str, bytes] | None = None) -> io.BytesIO:
    """What a client sends to push a branch with one commit."""
    source = git.create(os.urandom(16).hex())
    author = commits.Author("A", "a@x")
    files = files or {"a": b"a" * 5000}
    head = commits.commit(source, branch="main", files=files, message="m", author=author, at=timezone.now())
    pack = subprocess.run(
        ["git", "-c", "safe.directory=*", f"--git-dir={source.path}", "pack-objects", "--revs", "--stdout", "-q"],
        input=b"main\n", capture_output=True, check=True,
    ).stdout  # fmt: skip
    line = f"{'0' * 40} {head} refs/heads/main\0report-status agent=x".encode()
    return io.BytesIO(b"%04x" % (len(line) + 4) + line + b"0000" + pack)


def test_a_push_that_cannot_be_looked_at_is_refused_and_leaves_nothing() -> None:
    def nobody_answers(_oids: set[str]) -> set[str]:
        raise OSError("the database is away")

    repository = git.create(os.urandom(16).hex())
    before = inside(repository)
    pointer = f"version https://git-lfs.github.com/spec/v1\noid sha256:{'a' * 64}\nsize 5\n".encode()
    done = serve.push(
        repository, body=a_push({"large.stl": pointer}), encoding="", protocol="",
        rules=incoming.Rules(held=nobody_answers),
    )  # fmt: skip
    assert b"ng refs/heads/main pre-receive hook declined" in done.answer and not done.changed
    assert inside(repository) == before
    done = serve.push(
        repository, body=a_push({"large.stl": pointer}), encoding="", protocol="",
        rules=incoming.Rules(held=lambda oids: oids),
    )  # fmt: skip
    assert b"ok refs/heads/main" in done.answer


def test_folders_are_read_in_groups_and_up_to_a_bound(monkeypatch: pytest.MonkeyPatch) -> None:
    files = {f"{folder}/{name}": folder.encode() for folder in "abcdef" for name in "xyz"}

    def pushed() -> bytes:
        repository = git.create(os.urandom(16).hex())
        return serve.push(repository, body=a_push(files), encoding="", protocol="", rules=incoming.Rules()).answer

    read = list[int]()
    usual = incoming._names
    monkeypatch.setattr(incoming, "_names", lambda out: (read.append(len(out)), usual(out))[1])
    assert b"ok refs/heads/main" in pushed() and len(read) == 1, "all at once"
    monkeypatch.setattr(incoming, "TREES_AT_ONCE_BYTES", 200)
    assert b"ok refs/heads/main" in pushed() and len(read) > 2 and max(read[1:]) < read[0]
    monkeypatch.setattr(incoming, "TREES_AT_ONCE_BYTES", 100)
    assert b"ng refs/heads/main" in pushed(), "the first has 168 bytes"
    monkeypatch.undo()
    monkeypatch.setattr(incoming, "MAX_TREE_BYTES", 300)
    assert b"ng refs/heads/main" in pushed()


def test_a_push_past_the_city_is_refused(tmp_path: Path) -> None:
    """The hook lets nothing in that the process did not start which knows the rules."""
    repository, source = git.create(os.urandom(16).hex()), git.create(os.urandom(16).hex())
    author = commits.Author("A", "a@x")
    commits.commit(source, branch="main", files={"a": b"a"}, message="m", author=author, at=timezone.now())
    done = subprocess.run(
        ["git", "-c", "protocol.file.allow=always", f"--git-dir={source.path}", "push", "-q", repository.path, "main"],
        env=environment.clean(GIT_ALLOW_PROTOCOL="file"), capture_output=True, check=False, text=True,
    )  # fmt: skip
    assert done.returncode != 0 and "pushes come over HTTP" in done.stderr
    assert repository.refs() == {}


def test_a_body_that_breaks_off_leaves_nothing() -> None:
    """What reading it raises is raised again, whatever git made of the beginning."""

    class Broken(io.BytesIO):
        def read(self, size: int | None = -1, /) -> bytes:
            piece = super().read(min(size or 0, 300))
            if not piece:
                raise ConnectionError("gone")
            return piece

    repository = git.create(os.urandom(16).hex())
    before = inside(repository)
    body = Broken(a_push({"a": os.urandom(5000)}).getvalue()[:-2000])
    with pytest.raises(ConnectionError):
        serve.push(repository, body=body, encoding="", protocol="", rules=incoming.Rules())
    assert {path for path, _size in inside(repository) - before if "incoming" not in path} == set()
    assert repository.refs() == {}
