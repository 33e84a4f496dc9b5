"""The demo's designs have stable hashes, come once, and go whole."""

import pytest

from designs.demo import remove, seed
from designs.demo.stock import STOCK
from designs.models import Blob, Design, FileVersion

pytestmark = pytest.mark.django_db


def test_the_demo_comes_once_with_the_same_commits_and_goes_whole() -> None:
    said: list[str] = []
    seed(said.append)
    heads = dict(Design.objects.values_list("slug", "head"))
    assert set(heads) == {stock.slug for stock in STOCK}
    assert all(Design.objects.values_list("demo", flat=True))
    assert FileVersion.objects.filter(design__slug="balcony-rail-clamp", path="body.stl").count() == 2
    seed(said.append)
    assert len(said) == len(STOCK)
    remove(said.append)
    assert not Design.objects.exists()
    assert not Blob.objects.exists()
    seed(said.append)
    assert dict(Design.objects.values_list("slug", "head")) == heads
