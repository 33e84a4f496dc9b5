"""Forks cost kilobytes, and nothing that happens to the parent or to another fork can take anything from them."""

import os
import subprocess
from pathlib import Path
from typing import Any

import pytest
from django.test import Client

from commons.people.models import User
from commons.people.services import create_token
from designs import git, queries
from designs.errors import DesignNotFound, NameTaken, NotYours, OverQuota
from designs.git import commits, pools
from designs.git.repository import Repository
from designs.models import Collaborator, Design, LfsLink
from designs.services import delete_design, fork_design, set_visibility, write_files
from designs.services.room import check_room, measure
from tests.designs.conftest import make

pytestmark = pytest.mark.django_db(transaction=True)


def stock(repository: Repository, *arguments: str, fails: bool = False) -> str:
    """Stock git on a repository of ours, without our configuration."""
    done = subprocess.run(
        ["git", "-c", "safe.directory=*", f"--git-dir={repository.path}", *arguments], capture_output=True, check=False
    )
    assert fails or done.returncode == 0, done.stderr.decode()
    return done.stdout.decode() + done.stderr.decode()


def disk(repository: Repository) -> int:
    """What `du` says, in bytes."""
    out = subprocess.run(["du", "-sk", repository.path], capture_output=True, check=True).stdout
    return int(out.split()[0]) * 1024


@pytest.fixture
def large(maker: User) -> Design:
    """A design of 12 MB that cannot be compressed, in three versions."""
    design = make(maker, name="Large")
    for number in range(3):
        files = {f"part{number}.bin": os.urandom(4_000_000)}
        write_files(design=design, files=files, message=f"Part {number}", author=maker, by=maker)
    measure(design=design)
    return design


def fork(design: Design, person: User, **more: Any) -> Design:
    made = fork_design(design=design, owner=person.handle, by=person, **more)
    made.refresh_from_db()
    return made


def test_a_fork_has_everything_and_costs_kilobytes(large: Design, neighbour: User) -> None:
    source, made = git.of(large.repository), fork(large, neighbour)
    copy = git.of(made.repository)
    assert copy.refs() == source.refs() and copy.head("main") == made.forked_at == source.head("main")
    assert copy.read(copy.entry("main", "part1.bin").oid, limit=10**7) == source.read(
        source.entry("main", "part1.bin").oid, limit=10**7
    )
    assert disk(source) > 12_000_000
    assert disk(copy) < 200_000
    assert made.size_bytes < 200_000
    stock(copy, "fsck", "--strict")
    large.refresh_from_db()
    assert (made.forked_from, made.licence, large.fork_count) == (large, large.licence, 1)
    assert made.pool == large.pool != ""


def test_nothing_done_to_the_parent_can_harm_a_fork(large: Design, maker: User, neighbour: User) -> None:
    """The parent is rewritten, packed, pruned by stock git, deleted, like the other fork. Every byte is there."""
    source, first = git.of(large.repository), fork(large, neighbour)
    second = fork(large, maker, slug="second")
    made = git.of(first.repository)
    write_files(design=first, files={"own.bin": os.urandom(300_000)}, message="Own", author=neighbour, by=neighbour)
    before = stock(made, "rev-list", "--objects", "--all")
    # Rewrite the parent from nothing, as a force-push would, and throw away what is left over everywhere.
    tree = stock(source, "rev-parse", "main~2^{tree}").strip()
    lonely = commits.commit_tree(
        source, tree=tree, parents=(), message="New past", author=commits.Author("a", "b"), at=large.created_at
    )
    stock(source, "update-ref", "refs/heads/main", lonely)
    members = [source, git.of(second.repository), made]
    for member in members:
        pools.absorb(pools.of(large.pool), member)
    pools.pack(pools.of(large.pool), is_pool=True)
    for member in members:
        pools.pack(member)
        stock(member, "-c", "gc.auto=0", "gc", "--prune=now", "--quiet")
    pools.pack(pools.of(large.pool), is_pool=True)
    assert disk(source) < 500_000, "the parent reads what it shares from the pool"
    delete_design(design=large, by=maker)
    delete_design(design=second, by=maker)
    assert not source.path.exists()
    stock(made, "fsck", "--strict")
    assert stock(made, "rev-list", "--objects", "--all") == before
    sizes = stock(made, "cat-file", "--batch-check", "--batch-all-objects")
    assert sizes.count(" blob ") >= 6
    out = subprocess.run(
        ["git", "-c", "safe.directory=*", "clone", "-q", "--no-local", made.path, made.path.parent / "clone"],
        capture_output=True, check=False,
    )  # fmt: skip
    assert out.returncode == 0, out.stderr
    first.refresh_from_db()
    assert first.forked_from is None and pools.of(first.pool).path.exists()
    delete_design(design=first, by=neighbour)
    assert not pools.of(first.pool).path.exists(), "a pool goes with its last member"


def test_the_pool_shares_and_does_not_copy(large: Design, neighbour: User, maker: User) -> None:
    """Ten forks after the first take what ten empty repositories take, and all of it moves as one folder."""
    repositories = git.of(large.repository).path.parents[1]
    made = [fork(large, neighbour, slug=f"fork-{n}") for n in range(4)]
    total = int(subprocess.run(["du", "-sk", repositories], capture_output=True, check=True).stdout.split()[0]) * 1024
    assert total < 12_500_000 + 5 * 200_000, "hard links: the objects are on the disk once"
    moved = repositories.with_name("elsewhere")
    repositories.rename(moved)
    stock(Repository(moved / git.of(made[2].repository).path.relative_to(repositories)), "fsck")
    moved.rename(repositories)


def test_a_push_to_a_fork_and_its_own_fork_share_too(large: Design, maker: User, neighbour: User) -> None:
    first = fork(large, neighbour)
    write_files(design=first, files={"own.bin": os.urandom(2_000_000)}, message="Own", author=neighbour, by=neighbour)
    second = fork(first, maker, slug="grandchild")
    assert disk(git.of(second.repository)) < 200_000
    delete_design(design=first, by=neighbour)
    stock(git.of(second.repository), "fsck", "--strict")
    assert git.of(second.repository).entry("main", "own.bin").size == 2_000_000


def test_private_designs_share_with_nobody(private: Design, maker: User, neighbour: User) -> None:
    with pytest.raises(DesignNotFound):
        fork(private, neighbour)
    Collaborator.objects.create(design=private, user=neighbour, role="reader")
    made = fork(private, neighbour)
    assert (made.visibility, made.pool, private.pool) == ("private", "", "")
    copy = git.of(made.repository)
    assert not pools.is_member(copy)
    git.of(private.repository).remove()
    stock(copy, "fsck", "--strict")
    with pytest.raises(NotYours):
        set_visibility(design=made, visibility="public")


def test_a_design_that_becomes_private_leaves_the_pool_whole(large: Design, maker: User, neighbour: User) -> None:
    made = fork(large, neighbour)
    pool = pools.of(made.pool)
    kept = set_visibility(design=made, visibility="private")
    repository = git.of(kept.repository)
    assert kept.pool == "" and not pools.is_member(repository) and disk(repository) > 12_000_000
    assert kept.size_bytes > 12_000_000
    large.refresh_from_db()
    assert large.fork_count == 0
    set_visibility(design=large, visibility="private")
    assert not pool.path.exists()
    stock(repository, "fsck", "--strict")
    stock(git.of(large.repository), "fsck", "--strict")


def test_the_settings_page_makes_private_and_public_as_it_should(
    large: Design, private: Design, maker: User, neighbour: User, client: Client
) -> None:
    """Not only the word in a column: objects are taken out of the pool, counts follow, secrets stay secret."""
    made = fork(large, neighbour)
    client.force_login(neighbour)
    page = f"/designs/niko/{made.slug}/settings/"
    sent = {"do": "about", "name": made.name, "licence": made.licence}
    assert client.post(page, sent | {"visibility": "private"}).status_code == 302
    made.refresh_from_db(), large.refresh_from_db()
    repository = git.of(made.repository)
    assert (made.visibility, made.pool, large.fork_count) == ("private", "", 0) and not pools.is_member(repository)
    stock(repository, "fsck", "--strict")
    assert client.post(page, sent | {"visibility": "public"}).status_code == 302
    made.refresh_from_db(), large.refresh_from_db()
    assert (made.visibility, large.fork_count) == ("public", 1)
    Collaborator.objects.create(design=private, user=neighbour, role="reader")
    secret = fork(private, neighbour)
    answer = client.post(f"/designs/niko/{secret.slug}/settings/", sent | {"visibility": "public"})
    secret.refresh_from_db()
    assert (answer.status_code, secret.visibility) == (403, "private")
    assert "is private; only its owner" in answer.content.decode()


def test_a_fork_that_cannot_be_leaves_nothing(large: Design, neighbour: User, maker: User, settings: Any) -> None:
    fork(large, neighbour)
    before = (Design.objects.count(), sorted(Path(settings.REPOSITORIES_DIR).glob("*/*.git")))
    with pytest.raises(NameTaken):
        fork(large, neighbour)
    with pytest.raises(NotYours):
        fork_design(design=large, owner=maker.handle, by=neighbour)
    assert (Design.objects.count(), sorted(Path(settings.REPOSITORIES_DIR).glob("*/*.git"))) == before


def test_the_room_of_an_owner_is_what_their_designs_take_on_disk(large: Design, maker: User, settings: Any) -> None:
    assert large.size_bytes == disk(git.of(large.repository))
    settings.OWNER_QUOTA_BYTES = large.size_bytes + 50_000
    check_room(owner=maker.handle, more_bytes=1000)
    with pytest.raises(OverQuota, match="steward"):
        check_room(owner=maker.handle, more_bytes=100_000)


def test_forks_over_the_api(design: Design, private: Design, neighbour: User, client: Client) -> None:
    secret = create_token(user=neighbour, name="t", scopes=["designs:write"])[1]
    head = {"HTTP_AUTHORIZATION": f"Bearer {secret}"}
    where = "/api/v1/designs/aila/test-cube/fork/"
    answer = client.post(where, {"name": "My cube", "slug": "mine"}, content_type="application/json", **head)
    assert answer.status_code == 201
    assert answer.json()["forked_from"] == "aila/test-cube" and answer.json()["slug"] == "mine"
    assert client.get(where).json()["results"][0]["slug"] == "mine"
    assert client.get("/api/v1/designs/aila/test-cube/").json()["fork_count"] == 1
    again = client.post(where, {"slug": "mine"}, content_type="application/json", **head)
    assert (again.status_code, again.json()["code"]) == (409, "design:name-taken")
    assert client.post(where, {}, content_type="application/json").status_code in {401, 403}
    hidden = client.post("/api/v1/designs/aila/secret-cube/fork/", {}, content_type="application/json", **head)
    missing = client.post("/api/v1/designs/aila/no-cube/fork/", {}, content_type="application/json", **head)
    assert (hidden.status_code, missing.status_code) == (404, 404)
    reader = create_token(user=neighbour, name="r", scopes=["designs:read"])[1]
    sent = client.post(where, {}, content_type="application/json", HTTP_AUTHORIZATION=f"Bearer {reader}")
    assert sent.status_code == 403


def test_the_pages_of_forks(design: Design, private: Design, neighbour: User, maker: User, client: Client) -> None:
    assert client.get("/designs/aila/test-cube/fork/").status_code == 302
    assert b"Nobody has forked it yet" in client.get("/designs/aila/test-cube/forks/").content
    client.force_login(neighbour)
    assert b"/designs/aila/test-cube/fork/" in client.get("/designs/aila/test-cube/").content
    answer = client.post("/designs/aila/test-cube/fork/", {"name": "Test cube", "slug": ""})
    assert (answer.status_code, answer.url) == (302, "/designs/niko/test-cube/")
    made = queries.find(owner="niko", slug="test-cube", visitor=None)
    assert b"Fork of" in client.get("/designs/niko/test-cube/").content
    assert b"/designs/niko/test-cube/" in client.get("/designs/aila/test-cube/forks/").content
    assert b"1 fork" in client.get("/designs/aila/test-cube/").content
    assert b"You have forked it already" in client.get("/designs/aila/test-cube/fork/").content
    assert client.post("/designs/aila/test-cube/fork/", {"name": "Test cube"}).status_code == 422
    assert client.get("/designs/aila/secret-cube/fork/").status_code == 404
    assert client.get("/designs/aila/secret-cube/forks/").status_code == 404
    assert maker.notices.count() == 1 if hasattr(maker, "notices") else made.forked_from == design


def test_large_files_come_along(design: Design, neighbour: User, tmp_path: Path, settings: Any) -> None:
    from designs.services import lfs

    settings.LFS_DIR = tmp_path / "lfs"
    (tmp_path / "big.bin").write_bytes(b"big" * 1000)
    kept = lfs.add_file(design=design, source=tmp_path / "big.bin")
    made = fork(design, neighbour)
    assert LfsLink.objects.filter(design=made, object=kept).exists()
