"""The nightly round packs, checks, and says what is damaged."""

from typing import Any

import pytest
from django.utils import timezone

from commons.people.models import User
from commons.people.services import create_user
from commons.runs.models import Run
from commons.runs.work import do
from designs import git, tasks
from designs.git import pools
from designs.models import Design, RepositoryHealth
from designs.services import fork_design, upkeep, write_files
from tests.designs.test_forks import stock

pytestmark = pytest.mark.django_db(transaction=True)


def night() -> Run:
    """What beat rings, done by this process."""
    tasks.night()
    run = Run.objects.filter(kind="designs.upkeep").latest("created_at")
    do(run.pk)
    run.refresh_from_db()
    assert run.status == Run.Status.DONE, run.error
    return run


def test_a_round_packs_what_is_scattered_and_writes_down_what_it_found(
    design: Design, maker: User, neighbour: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(upkeep, "MANY_LOOSE", 10)
    for number in range(6):
        write_files(design=design, files={"n.txt": b"%d" % number}, message="n", author=maker, by=maker)
    fork = fork_design(design=design, owner=neighbour.handle, by=neighbour)
    fork.refresh_from_db()
    repository, before = git.of(design.repository), stock(git.of(design.repository), "rev-list", "--objects", "--all")
    assert pools.loose(repository) > 15
    run = night()
    assert run.result == {"repositories": 3, "damaged": 0}
    assert RepositoryHealth.objects.filter(fault="").count() == 3
    assert pools.loose(repository) == 0 and pools.packs(pools.of(fork.pool)) == 1
    assert stock(repository, "rev-list", "--objects", "--all") == before
    assert (pools.of(fork.pool).path / "objects/info/commit-graph").exists()
    for each in (repository, git.of(fork.repository)):
        stock(each, "fsck", "--strict")
    assert night().result["repositories"] == 0, "what was looked at today is not looked at again"
    assert upkeep.check_repositories().ok


def test_a_damaged_repository_is_found_and_the_stewards_are_told(design: Design, maker: User) -> None:
    chief = create_user(username="chief", is_staff=True)
    repository = git.of(design.repository)
    lost = repository.entry("main", "cube.stl").oid
    (repository.path / "objects" / lost[:2] / lost[2:]).unlink()
    assert night().result == {"repositories": 1, "damaged": 1}
    found = RepositoryHealth.objects.get()
    assert found.repository == design.repository and "missing" in found.fault
    assert list(chief.notices.values_list("kind", flat=True)) == ["designs.damaged"]
    health = upkeep.check_repositories()
    assert health.data["damaged"] == 1 and design.repository[:8] in health.sentence


def test_records_of_what_is_gone_go_too(design: Design, maker: User, settings: Any) -> None:
    night()
    from designs.services import delete_design

    delete_design(design=design, by=maker)
    RepositoryHealth.objects.update(checked_at=timezone.now() - upkeep.FRESH * 2)
    night()
    assert not RepositoryHealth.objects.exists()
