"""A design with everything that can hang on one, people in every relation to it, and a second design beside it."""

import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db import connection, transaction
from django.test import Client
from django.utils import timezone

from commons.notices.models import Notice
from commons.people.models import Organisation, Scope, User
from commons.people.services import create_organisation, create_token, create_user, revoke_token, set_role
from commons.reports import services as reports
from commons.runs.work import do
from designs import git
from designs.models import Blob, Collaborator, Design, MakePhoto
from designs.services import create_design, index_now, lfs, proposals, releases, write_files
from designs.services.collaborators import set_collaborator
from designs.services.collections import create_collection
from designs.services.makes import add_make, picture_path
from designs.services.previews import store
from designs.services.rights import declare_source
from designs.services.talk import say
from designs.services.transfers import offer
from tests.designs.conftest import cube_stl

#: Tables that nobody may touch with a call that is refused.
KEPT = ("designs_", "runs_", "notices_", "reports_", "people_handle", "people_membership")


@contextmanager
def taken_back() -> Iterator[None]:
    """What is written inside is taken back.

    The savepoint is released besides: one that is only rolled back to stays open, the next one lies inside it, and each
    that something was written below holds a lock until the end. Thousands of them fill PostgreSQL's table of locks.
    """
    savepoint = transaction.savepoint()
    kept = connection.run_on_commit
    connection.run_on_commit = []
    try:
        yield
    finally:
        transaction.set_rollback(False)
        transaction.savepoint_rollback(savepoint)
        transaction.savepoint_commit(savepoint)
        connection.run_on_commit = kept


@dataclass
class Thing:
    """A design and what routes name of it."""

    design: Design
    kwargs: dict[str, Any] = field(default_factory=dict)
    secrets: list[str] = field(default_factory=list)


@dataclass
class World:
    """All of it; `clients` by role, `tokens` by role for git clients and the API."""

    here: Thing
    other: Thing
    people: dict[str, User]
    clients: dict[str, Client]
    tokens: dict[str, str]
    numbers: dict[str, Any]
    keep: Path

    @contextmanager
    def undone(self) -> Iterator[None]:
        """What happens inside is taken back: rows at once, repositories and stores when `mend` is called."""
        with taken_back():
            yield

    def keep_files(self) -> None:
        """Remember repositories and stores as they are."""
        shutil.copytree(settings.REPOSITORIES_DIR, self.keep / "repositories")
        shutil.copytree(settings.LFS_DIR, self.keep / "lfs")

    def mend(self) -> None:
        """Repositories and large files as they were."""
        for name, live in (("repositories", settings.REPOSITORIES_DIR), ("lfs", settings.LFS_DIR)):
            shutil.rmtree(live)
            shutil.copytree(self.keep / name, live)

    def refs(self) -> str:
        """Every reference of both repositories, as stock git tells them."""
        return "".join(_stock(thing.design, "for-each-ref") for thing in (self.here, self.other))


def _stock(design: Design, *words: str) -> str:
    done = subprocess.run(
        ["git", "-c", "safe.directory=*", f"--git-dir={git.of(design.repository).path}", *words],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    return done.stdout


def furnish(design: Design, *, by: User, author: User, size: float, version: str, word: str) -> Thing:
    """Give a design files, a branch, changes, a release, talk, a make with a photo, sources, large files and locks.

    `word` stands in all of it, so that a test can look for it where it must not be.
    """
    write_files(
        design=design,
        files={
            "cube.stl": cube_stl(size), "README.md": f"# {word} readme\n".encode(),
            "bom.csv": f"name,quantity\n{word} screw,4\n".encode(),
        },
        message=f"{word} first", author=by, by=by,
    )  # fmt: skip
    base = git.of(design.repository).head("main")
    write_files(design=design, files={"cube.stl": cube_stl(size + 1)}, message=f"{word} second", author=by, by=by)
    _stock(design, "branch", "larger", "main")
    write_files(
        design=design, files={"more.txt": f"{word} more\n".encode()}, message=f"{word} more", author=author, by=None,
        branch="larger",
    )  # fmt: skip
    design = index_now(design=design, by=by)
    head = git.of(design.repository).head("main")
    blob = Blob.objects.get(oid=_stock(design, "rev-parse", "main:cube.stl").strip())
    for kind in ("png", "small", "glb"):
        path = store() / f"{word}.{kind}"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"drawn " + word.encode())
        setattr(blob, kind, path.name)
    blob.preview = Blob.Preview.READY
    blob.save()
    change = proposals.open_proposal(
        design=design, source=design, source_branch="larger", title=f"{word} change", body=f"{word} why", by=author
    )
    remark = proposals.say(proposal=change, by=author, body=f"{word} remark")
    said = say(design=design, author=author, body=f"{word} said")
    made = add_make(design=design, author=author, text=f"{word} made")
    photo = MakePhoto.objects.create(make=made, position=0, name=f"{made.pk:032x}", state=MakePhoto.State.READY)
    for kind in ("large", "small"):
        path = picture_path(photo, kind)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"\xff\xd8\xff" + word.encode())
    source = declare_source(
        design=design, by=by, title=f"{word} source", relation="adapted", licence="MIT", url="https://example.org/x"
    )
    release = releases.publish(design=design, version=version, notes=f"{word} notes", by=by)
    packing = releases.run_of(release)
    assert packing is not None
    do(packing.pk)
    file = Path(settings.LFS_DIR) / f"{word}.bin"
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(word.encode() * 100)
    large = lfs.add_file(design=design, source=file)
    held = lfs.lock(design=design, path="cube.stl", by=by)
    design.refresh_from_db()
    old = _stock(design, "rev-parse", f"{base}:cube.stl").strip()
    thing = Thing(design, {
        "owner": design.owner.name, "slug": design.slug, "number": change.number, "path": "README.md",
        "version": release.version, "source": source.pk, "make": made.pk, "photo": f"{photo.name}-large",
        "comment": said.pk, "remark": remark.pk, "blob": blob.oid, "large": large.oid, "lock": held.pk,
        "base": base, "head": head, "old": old, "new": blob.oid, "ref": "main",
    })  # fmt: skip
    thing.secrets = [word, thing.kwargs["slug"], base, head]
    return thing


def build(keep: Path) -> World:
    """The world of the matrix: an organisation's design, and a person's beside it."""
    boss = create_user(username="the-owner", name="Boss")
    organisation = create_organisation(handle="works", name="Works", kind=Organisation.Kind.ASSOCIATION, founder=boss)
    people = {"owner": boss} | {
        role: create_user(username=f"the-{role}", name=role.title(), is_staff=role == "staff")
        for role in ("manager", "member", "maintainer", "reader", "stranger", "staff", "neighbour")
    }
    set_role(organisation=organisation, user=people["manager"], role="manager")
    set_role(organisation=organisation, user=people["member"], role="member")
    design = create_design(owner=organisation.handle, name="Lamp", licence="MIT", by=boss)
    set_collaborator(design=design, person=people["maintainer"], role=Collaborator.Role.MAINTAINER, by=boss)
    set_collaborator(design=design, person=people["reader"], role=Collaborator.Role.READER, by=boss)
    here = furnish(design, by=boss, author=people["maintainer"], size=10, version="1.0.0", word="Zyxlamp")
    beside = create_design(owner=people["neighbour"].handle, name="Chair", licence="MIT", by=people["neighbour"])
    there = furnish(
        beside, by=people["neighbour"], author=people["neighbour"], size=30, version="9.9.9", word="Qwvchair"
    )
    clients = {"anonymous": Client()}
    tokens: dict[str, str] = {}
    for role, person in people.items():
        clients[role] = Client()
        clients[role].force_login(person)
        tokens[role] = create_token(user=person, name="git", scopes=["designs:write"])[1]
    for role, scopes in (("token-read", ["designs:read"]), ("token-other", [Scope.ENERGY_READ])):
        tokens[role] = create_token(user=boss, name=role, scopes=scopes)[1]
    row, tokens["token-revoked"] = create_token(user=boss, name="gone", scopes=["designs:write"])
    revoke_token(token=row)
    row, tokens["token-expired"] = create_token(user=boss, name="old", scopes=["designs:write"])
    type(row).objects.filter(pk=row.pk).update(expires_at=timezone.now() - timezone.timedelta(days=1))
    mine = create_collection(owner=organisation.handle, name="Shelf", by=boss, about="What lies there")
    gone = create_design(owner=organisation.handle, name="Gone", licence="MIT", by=boss)
    Design.objects.filter(pk=gone.pk).update(deleted_at=timezone.now(), deleted_by=boss)
    given = create_design(owner=people["neighbour"].handle, name="Given", licence="MIT", by=people["neighbour"])
    handed = offer(design=given, to=organisation.handle, by=people["neighbour"])
    case = reports.report(
        kind="designs.design", key=str(here.design.pk), reason="spam", words="Zyxlamp words", by=people["stranger"]
    ).case
    notice = Notice.objects.create(
        person=boss, kind="designs.comment", text="Zyxlamp notice", url=f"/designs/works/{here.design.slug}/"
    )
    numbers = {
        "collection": mine.slug, "deleted": gone.pk, "offer": handed.pk, "case": case.pk, "notice": notice.pk,
    }  # fmt: skip
    world = World(here, there, people, clients, tokens, numbers, keep)
    world.keep_files()
    return world


@contextmanager
def written() -> Iterator[set[str]]:
    """The tables of `KEPT` that are written inside."""
    touched: set[str] = set()

    def look(execute: Any, sql: Any, params: Any, many: bool, context: Any) -> Any:
        words = str(sql).split(None, 3)
        verb = words[0].upper() if words else ""
        table = {"INSERT": words[2:3], "UPDATE": words[1:2], "DELETE": words[2:3]}.get(verb, [])
        result = execute(sql, params, many, context)
        if table and table[0].strip('"').startswith(KEPT) and context["cursor"].rowcount:
            touched.add(table[0].strip('"'))
        return result

    with connection.execute_wrapper(look):
        yield touched
