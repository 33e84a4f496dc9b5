"""Releases never change: not by the ORM, not by SQL, not by a push; their archive is made again from git."""

import base64
import hashlib
import subprocess
import xml.etree.ElementTree as ET
import zipfile
from pathlib import Path
from typing import Any

import pytest
import yaml
from django.db import IntegrityError, connection, transaction
from django.test import Client

from commons.people.models import User
from commons.people.services import create_token
from commons.runs.models import Run
from commons.runs.work import do
from designs import git, queries
from designs.errors import Archived, BadVersion, BranchMoved, LicenceForbids, NothingToRelease, NotYours, VersionTaken
from designs.git import process, tags
from designs.models import Collaborator, Design, Release
from designs.queries import releases as reads
from designs.queries.lineage import url_of
from designs.services import create_design, delete_design, fork_design, index_now, release_archives, write_files
from designs.services import releases as services
from designs.services.rights import declare_source
from tests.designs.conftest import Git, address, cube_stl, make

pytestmark = pytest.mark.django_db


def published(design: Design, by: User, version: str = "1.0.0", **more: Any) -> Release:
    """A release with its archive, made as a worker makes it."""
    release = services.publish(design=design, version=version, notes=more.pop("notes", "First"), by=by, **more)
    run = services.run_of(release)
    assert run is not None and do(run.pk)
    run.refresh_from_db()
    assert run.status == Run.Status.DONE, run.error
    release.refresh_from_db()
    return release


def unpacked(release: Release, folder: Path) -> Path:
    path = release_archives.path_of(release)
    assert path is not None
    with zipfile.ZipFile(path) as archive:
        assert archive.testzip() is None
        archive.extractall(folder)
    return folder / f"{release.design.slug}-{release.version}"


def test_the_archive_holds_all_files_and_checks_out(design: Design, maker: User, tmp_path: Path) -> None:
    release = published(design, maker)
    folder = unpacked(release, tmp_path)
    checked = subprocess.run(
        ["sha256sum", "-c", "--strict", "MANIFEST.sha256"], cwd=folder, capture_output=True, text=True, check=False
    )
    assert checked.returncode == 0, checked.stdout + checked.stderr
    named = {line.split("  ", 1)[1] for line in (folder / "MANIFEST.sha256").read_text().splitlines()}
    there = {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}
    assert there == named | {"MANIFEST.sha256"}
    assert {"README.md", "cube.stl", "CITATION.cff"} <= named
    assert (folder / "cube.stl").read_bytes() == cube_stl(12)
    path = release_archives.path_of(release)
    assert path is not None and hashlib.sha256(path.read_bytes()).hexdigest() == release.sha256
    assert path.stat().st_size == release.size


def test_the_archive_is_made_again_from_git(design: Design, maker: User, tmp_path: Path) -> None:
    """By us after a rename of the design and with the archive lost, and by a second program from what is documented."""
    release = published(design, maker)
    path = release_archives.path_of(release)
    assert path is not None
    first = path.read_bytes()
    path.unlink()
    Design.objects.filter(pk=design.pk).update(slug="another-name", name="Another")
    release = reads.find(Design.objects.get(pk=design.pk), "1.0.0")
    assert release_archives.rebuild(release, tmp_path / "again.zip") == release.sha256
    assert (tmp_path / "again.zip").read_bytes() == first
    # The recipe of docs/releases.md, with nothing of ours but the added texts.
    recipe = tmp_path / "recipe.zip"
    files = {e.path: e.oid for e in git.of(design.repository).files(release.commit)}
    bodies = {p: git.of(design.repository).read(o, limit=10**6) for p, o in files.items()}
    bodies |= {name: text.encode() for name, text in release.manifest["added"].items()}
    order = sorted(bodies, key=str.encode)
    bodies["MANIFEST.sha256"] = "".join(
        f"{hashlib.sha256(bodies[p]).hexdigest()}  {p}\n" for p in order
    ).encode()  # fmt: skip
    with zipfile.ZipFile(recipe, "w") as archive:
        for name in [*order, "MANIFEST.sha256"]:
            entry = zipfile.ZipInfo("test-cube-1.0.0/" + name, (1980, 1, 1, 0, 0, 0))
            entry.external_attr = 0o100644 << 16
            archive.writestr(entry, bodies[name])
    assert hashlib.sha256(recipe.read_bytes()).hexdigest() == release.sha256


def test_a_design_that_has_files_of_our_names_keeps_them(maker: User, tmp_path: Path) -> None:
    original = make(maker, name="Original")
    design = create_design(owner=maker.handle, name="Own", licence="MIT", by=maker)
    files = {"MANIFEST.sha256": b"mine", "CITATION.cff": b"mine too", "attribution.md": b"and this", "a\\b.txt": b"x"}
    write_files(design=design, files=dict(files), message="First", author=maker, by=maker)
    declare_source(design=design, by=maker, title="", relation="adapted", url=url_of(original))
    release = published(index_now(design=design, by=maker), maker)
    folder = unpacked(release, tmp_path)
    assert (folder / "MANIFEST.sha256").read_bytes() == b"mine"
    assert (folder / "CITATION.cff").read_bytes() == b"mine too"
    assert "Original" in (folder / "ATTRIBUTION-2.md").read_text()
    assert release.manifest["manifest"] == "MANIFEST-2.sha256"
    checked = subprocess.run(["sha256sum", "-c", "--strict", "MANIFEST-2.sha256"], cwd=folder, check=False)
    assert checked.returncode == 0


@pytest.mark.parametrize(
    "change",
    ["version = '2'", "commit = repeat('0', 40)", "licence = 'MIT-0'", "notes = ''", "sha256 = ''",
     "archive = 'x'", "manifest = '{}'", "size = 1", "created_at = now()", "name = 'x'"],
)  # fmt: skip
def test_the_database_lets_nobody_change_a_release(design: Design, maker: User, change: str) -> None:
    release = published(design, maker)
    with pytest.raises(IntegrityError), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(f"UPDATE designs_release SET {change} WHERE id = %s", [release.pk])  # noqa: S608 of this test


def test_a_release_goes_only_with_its_design(design: Design, maker: User) -> None:
    release = published(design, maker)
    with pytest.raises(IntegrityError), transaction.atomic():
        Release.objects.get(pk=release.pk).delete()
        with connection.cursor() as cursor:
            cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
    assert Release.objects.filter(pk=release.pk).exists()
    delete_design(design=Design.objects.get(pk=design.pk), by=None)
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
    assert not Release.objects.filter(pk=release.pk).exists()


@pytest.mark.parametrize(
    ("text", "version"),
    [("v1.2.0", "1.2.0"), (" V2 ", "2"), ("V. 3.1", "3.1"), ("vice", "vice"), ("1.0+a", "1.0+a")],
)
def test_versions_are_normalised(text: str, version: str) -> None:
    assert services.normalise_version(text) == version


@pytest.mark.parametrize("text", ["", "-x", "a/b", "1..2", "1.0.lock", "new", "LATEST", "1.zip", "x" * 61, "ä", "a~1"])
def test_what_cannot_be_a_version(text: str) -> None:
    with pytest.raises(BadVersion):
        services.normalise_version(text)


@pytest.mark.parametrize(("text", "could"), [("1 0", ("1.0", "1-0")), ("v 1  2", ("1.2", "1-2")), ("a b", ("a-b",))])
def test_a_version_with_a_space_is_asked_for_again_and_never_bent(text: str, could: tuple[str, ...]) -> None:
    with pytest.raises(BadVersion) as refused:
        services.normalise_version(text)
    assert all(f"“{word}”" in str(refused.value.sentence) for word in could)
    assert all(services.normalise_version(word) == word for word in could)


def test_a_version_is_used_once(design: Design, maker: User) -> None:
    published(design, maker, "1.0.0-RC")
    for again in ("1.0.0-RC", "v1.0.0-rc"):
        with pytest.raises(VersionTaken):
            services.publish(design=design, version=again, notes="", by=maker)
    assert services.next_version(design) == ""
    published(design, maker, "1.0.9")
    assert services.next_version(design) == "1.0.10"


def test_who_may_release(design: Design, maker: User, neighbour: User) -> None:
    with pytest.raises(NotYours):
        services.publish(design=design, version="1", notes="", by=neighbour)
    Collaborator.objects.create(design=design, user=neighbour, role="maintainer")
    assert published(design, neighbour, "1").created_by == neighbour
    Design.objects.filter(pk=design.pk).update(archived_at="2026-01-01T00:00:00Z")
    design.refresh_from_db()
    with pytest.raises(Archived):
        services.publish(design=design, version="2", notes="", by=maker)


def test_an_empty_design_has_nothing_to_release(maker: User) -> None:
    design = create_design(owner=maker.handle, name="Empty", licence="MIT", by=maker)
    with pytest.raises(NothingToRelease):
        services.publish(design=design, version="1", notes="", by=maker)


def test_the_tag_is_annotated_and_fixed(design: Design, maker: User) -> None:
    release = published(design, maker, notes="What is new")
    repository = git.of(design.repository)
    kind = process.run(["cat-file", "-t", "refs/tags/1.0.0"], repository=repository.path).decode().strip()
    text = process.run(["cat-file", "tag", "refs/tags/1.0.0"], repository=repository.path).decode()
    assert kind == "tag"
    assert f"object {release.commit}" in text and "What is new" in text and "tagger Aila" in text
    assert tags.is_fixed(repository, "1.0.0")
    assert repository.commit_of("1.0.0") == release.commit


def test_a_tag_that_is_elsewhere_refuses_and_changes_nothing(design: Design, maker: User) -> None:
    repository = git.of(design.repository)
    older = repository.history(design.head, limit=2)[1].oid
    process.run(["update-ref", "refs/tags/1.0", older], repository=repository.path)
    with pytest.raises(BranchMoved):
        services.publish(design=design, version="1.0", notes="", by=maker)
    assert not design.releases.exists()
    assert not tags.is_fixed(repository, "1.0")
    assert published(design, maker, "1.0", ref=older).commit == older


def test_a_release_survives_a_rewritten_history(design: Design, maker: User, tmp_path: Path) -> None:
    """Its tag and its branch gone, and everything collected: the hidden ref keeps it."""
    release = published(design, maker)
    path = git.of(design.repository).path
    process.run(["update-ref", "-d", "refs/heads/main"], repository=path)
    process.run(["update-ref", "-d", "refs/tags/1.0.0"], repository=path)
    process.run(["gc", "--prune=now", "--quiet"], repository=path, timeout_s=60)
    assert release_archives.rebuild(release, tmp_path / "again.zip") == release.sha256


def test_origins_name_the_release(design: Design, maker: User) -> None:
    old, new = hashlib.sha256(cube_stl(10)).hexdigest(), hashlib.sha256(cube_stl(12)).hexdigest()
    first = git.of(design.repository).history(design.head, limit=2)[1].oid
    assert queries.origins(sha256=old)[0].release == ""
    published(design, maker, "1.0", ref=first)
    published(design, maker, "2.0")
    assert queries.origins(sha256=old)[0].release == "1.0"
    assert queries.origins(sha256=new)[0].release == "2.0"


def test_pages_and_archive(client: Client, design: Design, maker: User) -> None:
    release = published(design, maker, notes="# New\n\nA **larger** cube <script>alert(1)</script>")
    for page in ("releases/", "releases/1.0.0/", "releases/v1.0.0/", "rights/"):
        answer = client.get(f"/designs/aila/test-cube/{page}")
        assert answer.status_code == (404 if "v1" in page else 200), page
        assert "<script>alert" not in answer.content.decode()
    shown = client.get("/designs/aila/test-cube/releases/1.0.0/").content.decode()
    assert release.sha256 in shown and "<strong>larger</strong>" in shown and "@misc{test-cube-1-0-0" in shown
    assert client.get("/designs/aila/test-cube/releases/latest/")["Location"].endswith("/releases/1.0.0/")
    assert "Release 1.0.0" in client.get("/designs/aila/test-cube/").content.decode()

    zipped = client.get("/designs/aila/test-cube/releases/1.0.0.zip")
    body = b"".join(zipped)  # type: ignore[arg-type]
    digest = base64.b64encode(hashlib.sha256(body).digest()).decode()
    assert zipped["Content-Digest"] == zipped["Repr-Digest"] == f"sha-256=:{digest}:"
    assert int(zipped["Content-Length"]) == len(body) == release.size
    for asked, first, last in (("bytes=10-19", 10, 19), ("bytes=-7", len(body) - 7, len(body) - 1),
                               ("bytes=30-", 30, len(body) - 1), (f"bytes=5-{10**12}", 5, len(body) - 1)):  # fmt: skip
        part = client.get("/designs/aila/test-cube/releases/1.0.0.zip", headers={"Range": asked})
        assert part.status_code == 206, asked
        assert b"".join(part) == body[first : last + 1]  # type: ignore[arg-type]
        assert part["Content-Range"] == f"bytes {first}-{last}/{len(body)}"
        assert "Content-Digest" not in part and part["Repr-Digest"] == zipped["Repr-Digest"]
    for asked in (f"bytes={len(body)}-", "bytes=9-3", "bytes=-0"):
        assert client.get("/designs/aila/test-cube/releases/1.0.0.zip", headers={"Range": asked}).status_code == 416
    same = client.get("/designs/aila/test-cube/releases/1.0.0.zip", headers={"If-None-Match": zipped["ETag"]})
    assert same.status_code == 304


def test_the_form_of_a_release(client: Client, design: Design, maker: User, neighbour: User) -> None:
    address = "/designs/aila/test-cube/releases/new/"
    assert client.get(address).status_code == 302
    client.force_login(neighbour)
    assert client.get(address).status_code == 403
    client.force_login(maker)
    shown = client.get(address).content.decode()
    assert "No file holds the licence" in shown
    refused = client.post(address, {"version": "a/b"})
    assert refused.status_code == 422 and "cannot be a version" in refused.content.decode()
    assert client.post(address, {"version": "1.0"})["Location"] == "/designs/aila/test-cube/releases/1.0/"
    assert "being packed" in client.get("/designs/aila/test-cube/releases/").content.decode()
    assert client.get("/designs/aila/test-cube/releases/1.0.zip").status_code == 404


def test_api(client: Client, design: Design, token: str, maker: User) -> None:
    address = "/api/v1/designs/aila/test-cube/releases/"
    sent = {"version": "v1.0", "notes": "First"}
    assert client.post(address, sent, content_type="application/json").status_code in {401, 403}
    headers = {"Authorization": f"Bearer {token}"}
    made = client.post(address, sent, content_type="application/json", headers=headers)
    assert made.status_code == 201, made.content
    assert made.json()["version"] == "1.0" and made.json()["archive"] is None and made.json()["files"] is None
    again = client.post(address, sent, content_type="application/json", headers=headers)
    assert (again.status_code, again.json()["code"]) == (409, "design:version-taken")
    run = services.run_of(Release.objects.get())
    assert run is not None and do(run.pk)
    read = client.get(address + "1.0/").json()
    assert {file["path"] for file in read["files"]} == {"README.md", "cube.stl", "CITATION.cff", "okh.toml"}
    assert [each["sha256"] for each in client.get(address).json()["results"]] == [read["sha256"]]


def test_private_releases_are_not_there_for_others(
    client: Client, private: Design, maker: User, neighbour: User
) -> None:
    published(private, maker)
    missing = client.get("/api/v1/designs/aila/nothing/releases/1.0.0/").json()["code"]
    client.force_login(neighbour)
    for page in ("/designs/aila/secret-cube/releases/", "/designs/aila/secret-cube/releases/1.0.0/",
                    "/designs/aila/secret-cube/releases/1.0.0.zip", "/designs/aila/secret-cube/releases.atom",
                    "/designs/aila/secret-cube/rights/", "/designs/aila/secret-cube/releases/new/"):  # fmt: skip
        assert client.get(page).status_code == 404, page
    for page in ("releases/", "releases/1.0.0/", "lineage/"):
        answer = client.get(f"/api/v1/designs/aila/secret-cube/{page}")
        assert (answer.status_code, answer.json()["code"]) == (404, missing)
    assert "Secret" not in client.get("/designs/releases.atom").content.decode()
    client.logout()
    _row, secret = create_token(user=maker, name="read", scopes=["designs:read"])
    answer = client.get("/designs/aila/secret-cube/releases/1.0.0.zip", headers={"Authorization": f"Bearer {secret}"})
    assert answer.status_code == 200 and answer["Cache-Control"].startswith("private")


ATOM = "{http://www.w3.org/2005/Atom}"


def parsed(feed: bytes) -> ET.Element:
    return ET.fromstring(feed)  # noqa: S314 our own


def test_feeds(client: Client, design: Design, maker: User) -> None:
    empty = client.get("/designs/aila/test-cube/releases.atom")
    assert parsed(empty.content).findall(f"{ATOM}entry") == []
    published(design, maker, "1.0", notes="One & <two>")
    published(design, maker, "2.0")
    for page in ("/designs/aila/test-cube/releases.atom", "/designs/releases.atom"):
        feed = parsed(client.get(page).content)
        titles = [entry.findtext(f"{ATOM}title") for entry in feed.findall(f"{ATOM}entry")]
        assert titles == ["Test cube 2.0", "Test cube 1.0"]
        links = [link.get("href") or "" for link in feed.iter(f"{ATOM}link") if link.get("rel") == "enclosure"]
        assert links[0].endswith("/designs/aila/test-cube/releases/2.0.zip")


def test_the_citation_file_is_what_cff_asks_for(design: Design, maker: User, tmp_path: Path) -> None:
    """Citation File Format 1.2.0: required keys, and values that any YAML reader takes."""
    Design.objects.filter(pk=design.pk).update(name='A "quoted": cube # 1', summary="yes")
    design.refresh_from_db()
    release = published(design, maker, "1.0")
    cff = yaml.safe_load((unpacked(release, tmp_path) / "CITATION.cff").read_text())
    assert {"cff-version", "message", "title", "authors"} <= set(cff)
    assert (cff["cff-version"], cff["title"], cff["version"]) == ("1.2.0", 'A "quoted": cube # 1', "1.0")
    assert cff["license"] == "MIT" and cff["commit"] == release.commit
    assert cff["authors"] == [{"name": "Aila"}]


# --- licences ----------------------------------------------------------------------------------------------------


def test_a_release_whose_licence_the_parent_forbids_is_refused(design: Design, maker: User) -> None:
    Design.objects.filter(pk=design.pk).update(licence="CERN-OHL-S-2.0")
    design.refresh_from_db()
    fork = fork_design(design=design, owner=maker.handle, by=maker, name="Fork", slug="forked")
    Design.objects.filter(pk=fork.pk).update(licence="MIT")
    fork.refresh_from_db()
    with pytest.raises(LicenceForbids, match=r"Test cube.*CERN-OHL-S-2\.0.*3\.3\(d\)"):
        services.publish(design=fork, version="1.0", notes="", by=maker)
    assert not fork.releases.exists()


def test_a_file_of_the_parent_cannot_be_laundered_by_a_header(maker: User) -> None:
    parent = create_design(owner=maker.handle, name="Parent", licence="CC-BY-SA-4.0", by=maker)
    write_files(design=parent, files={"a.stl": cube_stl(3), "b.txt": b"b"}, message="1", author=maker, by=maker)
    fork = fork_design(
        design=index_now(design=parent, by=maker), owner=maker.handle, by=maker, name="Fork", slug="forked"
    )
    claim = {"a.stl.license": b"SPDX-License-Identifier: CC0-1.0\n", "new.txt": b"SPDX-License-Identifier: MIT\n"}
    write_files(design=fork, files=dict(claim), message="Claim", author=maker, by=maker)
    fork = index_now(design=fork, by=maker)
    with pytest.raises(LicenceForbids, match=r"^a\.stl: .*3\(b\)\(1\)"):
        services.publish(design=fork, version="1.0", notes="", by=maker)
    write_files(design=fork, files={"a.stl.license": None}, message="No claim", author=maker, by=maker)
    release = published(index_now(design=fork, by=maker), maker, "1.0")
    licences = {row["path"]: row.get("licence") for row in release.manifest["files"]}
    assert (licences["a.stl"], licences["new.txt"]) == ("CC-BY-SA-4.0", "MIT")
    assert "forked from **Parent** by Aila (CC-BY-SA-4.0)" in release.manifest["added"]["ATTRIBUTION.md"]


def test_a_push_cannot_touch_the_tag_of_a_release(
    live_city: Any, design: Design, token: str, maker: User, git_client: Git, tmp_path: Path
) -> None:
    """Stock git moves, deletes and makes it anew: refused in words, while other tags stay free."""
    release = services.publish(design=design, version="1.0", notes="", by=maker)
    work = tmp_path / "work"
    git_client("clone", address(live_city, design), str(work))
    assert git_client("rev-parse", "1.0^{commit}", at=work).stdout.strip() == release.commit
    there = address(live_city, design, token)
    for update in ("+HEAD~1:refs/tags/1.0", ":refs/tags/1.0", "+HEAD:refs/tags/1.0"):
        said = git_client("push", there, update, at=work, good=False)
        assert "this tag is a release, which never changes" in said.stderr, update
    git_client("push", there, "HEAD~1:refs/tags/other", at=work)
    git_client("push", there, "+HEAD:refs/tags/other", at=work)
    assert git.of(design.repository).commit_of("1.0") == release.commit
