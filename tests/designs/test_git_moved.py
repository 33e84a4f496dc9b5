"""Stock git clients and designs that were renamed or archived."""

from pathlib import Path
from typing import Any

from commons.people.models import User
from designs.models import Design
from designs.services.lifecycle import archive
from designs.services.renaming import rename
from tests.designs.conftest import Git, address, head_of


def test_git_follows_a_rename_and_hears_that_a_design_is_archived(
    live_city: Any, design: Design, maker: User, token: str, git_client: Git, tmp_path: Path
) -> None:
    work, copy = tmp_path / "work", tmp_path / "copy"
    old = address(live_city, design, token)
    git_client("clone", old, str(work))
    rename(design=design, by=maker, slug="better-cube")
    git_client("clone", old, str(copy))
    assert head_of(git_client, copy) == head_of(git_client, work)
    (work / "n.txt").write_text("n")
    git_client("add", "-A", at=work)
    git_client("commit", "-m", "n", at=work)
    git_client("push", old, "main", at=work)
    git_client("pull", old, "main", at=copy)
    assert head_of(git_client, copy) == head_of(git_client, work), "pushed and pulled by the old address"
    design.refresh_from_db()
    archive(design=design, by=maker)
    (work / "n.txt").write_text("m")
    git_client("commit", "-am", "m", at=work)
    refused = git_client("push", old, "main", at=work, good=False)
    assert refused.returncode != 0
    git_client("clone", address(live_city, design), str(tmp_path / "still"))
