"""Coverage: only evidence in the database raises it, and stale evidence lets it fall."""

import datetime as dt

import pytest
from django.utils import timezone

from commons import sockets
from commons.places.models import Place
from commons.sockets import Evidence
from tests.twin.conftest import Import, the_town
from twin.coverage.cells import breadth, cells, collected, depth, level_now
from twin.coverage.figure import coverage
from twin.coverage.systems import SYSTEMS
from twin.models import Area, DistrictVersion, Service

NOW = dt.datetime(2026, 11, 22, tzinfo=dt.UTC)


def piece(system: str = "air", level: int = 1, count: int = 1, age_days: float | None = 0) -> Evidence:
    as_of = None if age_days is None else NOW - dt.timedelta(days=age_days)
    return Evidence(system, level, "sensors", count, "test", as_of)


@pytest.mark.parametrize(
    ("given", "level"),
    [
        (piece(level=2), 2),
        (piece(level=2, age_days=8), 1),
        (piece(level=2, age_days=3700), 0),
        (piece(level=3, age_days=60), 3),
        (piece(level=3, age_days=120), 1),
        (piece(level=5, age_days=400), 1),
        (piece(level=1, age_days=3000), 1),
        (piece(level=4, age_days=None), 1),
        (piece(level=4, count=0), 0),
        (piece(level=9), 5),
    ],
)
def test_evidence_decays_step_by_step(given: Evidence, level: int) -> None:
    assert level_now(given, NOW) == level


def test_sixteen_systems_and_their_sums() -> None:
    assert len({s.slug for s in SYSTEMS}) == 16
    found = cells(
        [piece("air", 2), piece("air", 1), piece("noise", 4), piece("aliens", 5), piece("heat", 1, count=0)],
        NOW,
    )
    assert breadth(found) == 2
    assert depth(found) == pytest.approx(6 / 80)


@pytest.mark.django_db
def test_coverage_rises_only_with_evidence(town: Import, place: Place) -> None:
    nothing = coverage(place)
    assert nothing.value is None
    town(place=None)
    assert coverage(place).value is None, "a district without a place never enters the figures"
    town(place=place)
    figure = coverage(place)
    assert {row["system"] for row in figure.evidence if row["level"]} == {
        "buildings",
        "streets",
        "walking",
        "green",
        "services",
    }
    assert (figure.numerator, figure.denominator, figure.value) == (5.0, 16, 5 / 16)
    assert figure.sentence == "5 of 16 city systems are modelled; depth 6 %."
    Area.objects.filter(kind="green").delete()
    assert coverage(place).numerator == 4.0
    Service.objects.filter(kind="school").delete()
    assert coverage(place).numerator == 3.0


@pytest.mark.django_db
def test_data_without_a_licence_or_too_old_are_no_evidence(town: Import, place: Place) -> None:
    town(place=place, licence="")
    assert coverage(place).value is None
    town(place=place)
    assert coverage(place).numerator == 5.0
    DistrictVersion.objects.filter(pk=the_town().current_id).update(
        dated_at=timezone.now() - dt.timedelta(days=11 * 365)
    )
    old = coverage(place)
    assert old.numerator == 0.0
    assert "Stale" in str(old.notes[0])


@pytest.mark.django_db
def test_a_city_is_the_mean_of_its_neighbourhoods(town: Import, place: Place) -> None:
    town(place=place)
    assert place.parent is not None
    assert coverage(place.parent).numerator == 5.0
    Place.objects.create(slug="other", name="Other", parent=place.parent)
    city = coverage(place.parent)
    assert (city.numerator, city.completeness) == (2.5, 0.5)


@pytest.mark.django_db
def test_every_room_may_bring_evidence(place: Place) -> None:
    """What a room brings through the socket raises the level of its system."""
    found = sockets.SystemEvidence("test-room", lambda where: [piece("electricity", 2)] if where == place else [])
    sockets.evidence.register(found)
    try:
        levels = {cell.system.slug: cell.level for cell in cells(collected(place), NOW)}
    finally:
        del sockets.evidence._plugs["test-room"]
    assert levels["electricity"] == 2
