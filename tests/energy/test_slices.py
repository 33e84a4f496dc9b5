"""A large community in slices: the same answer as in one piece, through workers and by oneself."""

from typing import Any

import pytest

from commons.runs import services as runs
from commons.runs.models import Run
from commons.runs.work import do
from energy import services
from energy.engine import slices as engine
from energy.engine.strategies import STRATEGIES
from energy.models import CommunityVersion, Simulation, SimulationPart
from energy.tasks import slices


def test_the_room_knows_the_engines_strategies() -> None:
    assert services.STRATEGIES == STRATEGIES


@pytest.fixture
def small_slices(monkeypatch: pytest.MonkeyPatch, version: CommunityVersion) -> None:
    """Sixteen members a slice, so that seventeen are two."""
    monkeypatch.setattr(engine, "MOST_VALUES", 16 * version.steps // 2)
    monkeypatch.setattr(engine, "bounds", lambda members, _steps, _most: [(0, 16), (16, members - 16)])


@pytest.fixture
def silence(monkeypatch: pytest.MonkeyPatch) -> None:
    """No bell rings: a worker of another test, still alive, would take the run or its slices."""
    monkeypatch.setattr(runs, "ring", lambda _run: None)
    monkeypatch.setattr(slices, "_ring", lambda _children: None)


def simulated(version: CommunityVersion, **asked: Any) -> Run:
    run = services.start_simulation(version=version, full=True, **asked)
    do(run.pk)
    return runs.wait(run=run, timeout_s=120)


def alike(one: Any, other: Any) -> None:
    for part in ("totals", "separate"):
        for name, value in one[part].items():
            assert other[part][name] == (pytest.approx(value, rel=1e-9, abs=1e-9) if value is not None else None)
    for a, b in zip(one["members"], other["members"], strict=True):
        assert b["saving"] == pytest.approx(a["saving"], abs=1e-9)


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("asked", [{"control": "none"}, {"control": "rule", "strategy": "time-of-use"}])
def test_slices_answer_what_one_piece_does(
    version: CommunityVersion, request: pytest.FixtureRequest, asked: dict[str, str]
) -> None:
    whole = simulated(version, **asked, sharing="proportional").result
    request.getfixturevalue("small_slices")
    done = simulated(version, **asked)
    assert done.status == Run.Status.DONE, done.error
    assert done.result is not None
    assert done.result["engine"]["slices"] == 2
    alike(whole, done.result)
    assert Simulation.objects.count() == 2
    assert not SimulationPart.objects.exists()
    assert not Run.objects.filter(kind=slices.KIND).exists()


@pytest.mark.django_db(transaction=True)
def test_a_second_attempt_goes_on_where_the_first_died(
    version: CommunityVersion, small_slices: None, silence: None
) -> None:
    """What was finished is not done again."""
    run = services.start_simulation(version=version, control="none", full=True)
    asked = {"version": version.pk, "run": str(run.pk), "control": "none", "strategy": "self-consumption"}
    first, second = slices._children(run, asked, [(0, 16), (16, 1)])
    do(first.pk)
    assert [child.pk for child in slices._children(run, asked, [(0, 16), (16, 1)])] == [first.pk, second.pk]
    fence = runs.wait(run=first).fence
    kept = SimulationPart.objects.get(number=0).pk
    held = runs.claim(run_id=str(run.pk))
    assert held is not None
    slices._work(_Job(held), [first, second])
    first.refresh_from_db()
    assert first.fence == fence
    assert SimulationPart.objects.get(number=0).pk == kept
    assert SimulationPart.objects.count() == 2


@pytest.mark.django_db(transaction=True)
def test_a_stopped_slice_ends_the_whole(version: CommunityVersion, small_slices: None, silence: None) -> None:
    run = services.start_simulation(version=version, control="none", full=True)
    asked = {"version": version.pk, "run": str(run.pk), "control": "none", "strategy": "self-consumption"}
    children = slices._children(run, asked, [(0, 16), (16, 1)])
    for child in children:
        runs.cancel(run=child)
    stopped = simulated_run(run)
    assert stopped.status == Run.Status.FAILED
    assert stopped.error_code == "energy:slice-failed"
    assert not Simulation.objects.exists()


def simulated_run(run: Run) -> Run:
    do(run.pk)
    return runs.wait(run=run, timeout_s=120)


@pytest.mark.django_db(transaction=True)
def test_what_needs_all_steps_at_once_is_refused(version: CommunityVersion, small_slices: None) -> None:
    refused = simulated(version, control="none", sharing="owen")
    assert (refused.status, refused.error_code) == (Run.Status.FAILED, "energy:not-yet")
    assert not Run.objects.filter(kind=slices.KIND).exists()


class _Job:
    """A job of a run that this test holds."""

    seed = 0

    def __init__(self, run: Run) -> None:
        self.run = run

    def progress(self, share: float, stage: str = "") -> None:
        runs.report(run=self.run, share=share, stage=stage)
