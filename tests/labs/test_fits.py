"""“Fits 2 machines” beside a file's facts: by box and working volume, turned by right angles."""

import pytest
from django.test import RequestFactory

from designs.git.repository import Entry
from designs.models import Blob
from designs.queries.files import File
from labs.models import Machine
from labs.plugs import fits
from labs.queries.matching import machines_for
from tests.labs.conftest import lab, machine

pytestmark = pytest.mark.django_db


def file(extents: list[float] | None, name: str = "part.stl", file_format: str = "stl") -> File:
    blob = Blob(oid="a" * 40, format=file_format, facts=extents and {"extents_mm": extents, "watertight": True})
    return File(Entry(path=name, oid="a" * 40, size=1, mode="100644"), blob)


@pytest.fixture
def machines() -> list[Machine]:
    place = lab()
    small = machine(place, "Small", volume_x_mm=100, volume_y_mm=100, volume_z_mm=100)
    tall = machine(place, "Tall", volume_x_mm=200, volume_y_mm=200, volume_z_mm=400)
    cutter = machine(place, "Cutter", cls="laser-cutter", volume_x_mm=600, volume_y_mm=400, volume_z_mm=None)
    broken = machine(place, "Broken", volume_x_mm=900, volume_y_mm=900, volume_z_mm=900)
    Machine.objects.filter(pk=broken.pk).update(state=Machine.State.REPAIR)
    return [small, tall, cutter, broken]


@pytest.mark.parametrize(
    ("extents", "names"),
    [
        ([90, 90, 90], ["Small", "Tall"]),
        ([390, 150, 150], ["Tall"]),  # lying in the file, standing in the machine
        ([390, 250, 150], []),
        ([100, 100, 100], ["Small", "Tall"]),
        ([140, 1, 1], ["Small", "Tall"]),  # from corner to corner
        ([142, 1, 1], ["Tall"]),
    ],
)
def test_a_box_fits_where_it_can_be_turned_to_fit(
    machines: list[Machine], extents: list[float], names: list[str]
) -> None:
    found = machines_for(file(extents))
    assert found is not None
    assert [m.name for m in found] == names


def test_a_drawing_is_for_the_cutter(machines: list[Machine]) -> None:
    found = machines_for(file([500, 300, 0], "plate.dxf", "dxf"))
    assert found is not None
    assert [m.name for m in found] == ["Cutter"]


def test_a_file_that_could_not_be_read_is_for_no_machine(machines: list[Machine]) -> None:
    """Its box may be known from an older engine; what it would make is not."""
    torn = file([90, 90, 90])
    assert torn.blob is not None
    assert machines_for(torn)
    torn.blob.preview = Blob.Preview.FAILED
    assert machines_for(torn) is None
    assert fits(RequestFactory().get("/"), torn) is None


def test_where_size_or_format_are_unknown_nothing_is_claimed(machines: list[Machine]) -> None:
    assert machines_for(file(None)) is None
    assert machines_for(file([1, 1, 1], "x.md", "markdown")) is None
    request = RequestFactory().get("/")
    assert fits(request, file(None)) is None
    said = fits(request, file([90, 90, 90]))
    assert said is not None
    assert (said["count"], said["more"]) == (2, 0)
