"""The demo's designs have stable hashes, come once, show the forge alive, and go whole."""

from pathlib import Path

import pytest
from django.conf import settings

from commons.notices.models import Notice
from commons.runs.models import Run
from commons.runs.work import do
from designs import git
from designs.demo import remove, seed
from designs.demo.forge import FORKS
from designs.demo.life import MAKES, STARS, TALK
from designs.demo.stock import STOCK
from designs.models import (
    Blob,
    Check,
    Collection,
    Comment,
    Design,
    FileVersion,
    Make,
    MakePhoto,
    Proposal,
    Release,
    ShapeDiff,
    Star,
)
from designs.okh.check import check
from designs.queries import lineage
from designs.queries.bom import rolled, wanted
from designs.services.release_archives import path_of

pytestmark = pytest.mark.django_db(transaction=True)


def _work() -> None:
    """Everything that a worker would do, until nothing is left."""
    while waiting := list(Run.objects.filter(status=Run.Status.QUEUED).order_by("created_at")):
        for run in waiting:
            do(run.pk)


def _on_disk() -> set[str]:
    """Files of designs under the media root and in the repositories."""
    roots = [Path(settings.MEDIA_ROOT), Path(settings.REPOSITORIES_DIR)]
    return {str(path) for root in roots if root.exists() for path in root.rglob("*") if path.is_file()}


def test_the_demo_comes_once_with_the_same_commits_and_goes_whole() -> None:
    before = _on_disk()
    said: list[str] = []
    seed(said.append)
    heads = dict(Design.objects.values_list("slug", "head"))
    assert set(heads) == {stock.slug for stock in STOCK} | {fork.slug for fork in FORKS}
    assert all(Design.objects.values_list("demo", flat=True))
    assert FileVersion.objects.filter(design__slug="balcony-rail-clamp", path="body.stl").count() == 2
    seed(said.append)
    assert len(said) == len(STOCK) + len(FORKS)
    assert Comment.objects.filter(proposal=None).count() == len(TALK)
    assert Make.objects.count() == len(MAKES)
    assert Star.objects.count() == sum(len(names) for names in STARS.values())
    remove(said.append)
    for model in (Design, Blob, Collection, Comment, Make, Proposal, Release, ShapeDiff, Notice):
        assert not model.objects.exists(), model
    assert _on_disk() == before
    seed(said.append)
    assert dict(Design.objects.values_list("slug", "head")) == heads
    remove(said.append)


def test_the_demo_shows_the_forge_alive() -> None:
    seed(lambda _line: None)
    _work()
    clamp = Design.objects.get(slug="balcony-rail-clamp")
    opened = Proposal.objects.get(design=clamp, state=Proposal.State.OPEN)
    states = dict(Check.objects.filter(proposal=opened).values_list("name", "state"))
    assert states["walls"] == Check.State.WARNING, states
    assert states["merges"] == states["closed"] == states["volumes"] == states["licence"] == Check.State.PASSED, states
    assert len(opened.versions) == 2
    anchors = [c.anchor for c in opened.comments.all() if c.anchor]
    assert {"line", "point"} <= {key for anchor in anchors for key in anchor}
    shape = ShapeDiff.objects.get(method="boolean")
    assert shape.figures["removed_mm3"] > 0, shape.figures
    assert Proposal.objects.filter(state=Proposal.State.MERGED).count() == 1
    assert {path_of(release) is not None for release in Release.objects.all()} == {True}
    assert Release.objects.count() == 4
    assert set(MakePhoto.objects.values_list("state", flat=True)) == {MakePhoto.State.READY}
    assert [link.title for link in lineage.chain(Design.objects.get(slug="wide-rail-clamp"))] == [
        "Wide rail clamp", "Balcony rail clamp", "C-clamp study",
    ]  # fmt: skip
    case = Design.objects.get(slug="air-sensor-case")
    whole = rolled(case, case.head, wanted(case, case.head), None)
    # 30 + 15 + 19 + 4 x 0.4 + 3 and the clamp's 92 + 10 + 28 + 5 + 8; roof and clamp are in by a change and at 2.0
    assert whole.totals.mass_g == pytest.approx(68.6 + 143.0), whole
    entry = git.of(clamp.repository).entry(clamp.head, "okh.toml")
    assert check(git.of(clamp.repository).read(entry.oid, limit=100_000), "okh.toml").is_good
    remove(lambda _line: None)
