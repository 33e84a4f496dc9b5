"""Designs from elsewhere: a repository with its whole history, a folder, an archive; nothing is left of what is refused."""

import subprocess
import zipfile
from pathlib import Path

import pytest
from django.conf import settings

from commons.people.models import User
from designs import git
from designs.errors import AddressRefused, BadSource
from designs.models import Design
from designs.services import import_design

pytestmark = pytest.mark.django_db


def run(*words: str, at: Path) -> str:
    env = {"PATH": "/usr/local/bin:/usr/bin:/bin", "HOME": str(at)}
    who = ["-c", "user.name=A", "-c", "user.email=a@b", "-c", "init.defaultBranch=trunk"]
    return subprocess.run(["git", *who, *words], cwd=at, env=env, check=True, capture_output=True, text=True).stdout


@pytest.fixture
def source(tmp_path: Path) -> Path:
    folder = tmp_path / "my thing"
    folder.mkdir()
    run("init", "-q", at=folder)
    for number in range(3):
        (folder / f"part{number}.txt").write_text(f"{number}")
        (folder / "LICENSE").write_text("MIT License\n\nCopyright")
        run("add", "-A", at=folder)
        run("commit", "-qm", f"Version {number}", at=folder)
    run("tag", "-a", "v1", "-m", "one", at=folder)
    return folder


def test_a_repository_keeps_its_history_branch_and_tags(source: Path, maker: User) -> None:
    design = import_design(source=str(source), owner=maker.handle, by=None)
    assert (design.slug, design.default_branch, design.licence) == ("my-thing", "trunk", "MIT")
    repository = git.of(design.repository)
    assert [c.oid for c in repository.history("trunk", limit=9)] == run("log", "--format=%H", at=source).split()
    assert set(repository.refs()) == {"refs/heads/trunk", "refs/tags/v1"}
    assert design.file_versions.count() == 4


def test_a_folder_and_an_archive_become_a_first_version(tmp_path: Path, maker: User) -> None:
    folder = tmp_path / "plain"
    (folder / "sub").mkdir(parents=True)
    (folder / "sub" / "a.txt").write_text("a")
    (folder / "b.txt").write_text("b")
    (folder / "link").symlink_to("/etc/passwd")
    archive = tmp_path / "packed.zip"
    with zipfile.ZipFile(archive, "w") as out:
        out.write(folder / "b.txt", "top/b.txt")
        out.write(folder / "sub/a.txt", "top/sub/a.txt")
    for source in (folder, archive):
        design = import_design(source=str(source), owner=maker.handle, by=None)
        files = {e.path: e for e in git.of(design.repository).files(design.head)}
        assert sorted(files) == ["b.txt", "sub/a.txt"]
        assert design.licence == "LicenseRef-Unknown"


def test_what_is_refused_leaves_nothing(tmp_path: Path, maker: User) -> None:
    evil, empty = tmp_path / "evil.zip", tmp_path / "empty"
    empty.mkdir()
    with zipfile.ZipFile(evil, "w") as out:
        out.writestr("../../escaped.txt", "x")
    for source in (str(evil), str(empty), str(tmp_path / "absent"), "http://example.org/x.git", "file:///etc"):
        with pytest.raises(BadSource):
            import_design(source=source, owner=maker.handle, by=None)
    with pytest.raises(AddressRefused):
        import_design(source="https://127.0.0.1/x.git", owner=maker.handle, by=None)
    with pytest.raises(BadSource, match="https://"):
        import_design(source=str(tmp_path), owner=maker.handle, by=maker)
    assert Design.objects.count() == 0
    assert not list(Path(settings.REPOSITORIES_DIR).glob("*/*.git"))
    assert not (tmp_path.parent / "escaped.txt").exists()
