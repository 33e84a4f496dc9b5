"""Coverage: only evidence in the database raises it, and stale evidence lets it fall."""

import dataclasses
import datetime as dt

import pytest
from django.utils import timezone
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from commons import sockets
from commons.devices.models import Channel, Device, LastValue, Rollup
from commons.places.models import Place
from commons.sockets import Evidence
from tests.twin.conftest import Import, the_town
from twin.coverage import streams
from twin.coverage.cells import Cell, breadth, cells, collected, depth, level_now
from twin.coverage.figure import coverage
from twin.coverage.levels import standing
from twin.coverage.streams import system_of
from twin.coverage.supply import next_step
from twin.coverage.systems import SYSTEMS
from twin.models import Area, District, DistrictVersion, Scenario, ScenarioResult, ScenarioVersion, Service

NOW = dt.datetime(2026, 11, 22, tzinfo=dt.UTC)


PROOF = {
    "period_s": 600, "uptime": 0.95, "skill": 0.1, "days": 60, "oracle": "numbers", "uncertainty": "seeds",
    "expected": 2.0, "measured": 1.5, "unit": "kWh", "decision": "/decisions/1/",
}  # fmt: skip


def piece(system: str = "air", level: int = 1, count: int = 1, age_days: float | None = 0, **proof: object) -> Evidence:
    as_of = None if age_days is None else NOW - dt.timedelta(days=age_days)
    kept = {name: value for name, value in (PROOF | proof).items() if value is not None}
    return Evidence(system, level, "sensors", count, "test", as_of, "", kept)


@pytest.mark.parametrize(
    ("given_piece", "level"),
    [
        (piece(level=2), 2),
        (piece(level=2, age_days=8, period_s=1e9), 1),
        (piece(level=2, age_days=3700), 0),
        (piece(level=3, age_days=60), 3),
        (piece(level=3, age_days=120), 1),
        (piece(level=5, age_days=400), 1),
        (piece(level=1, age_days=3000), 1),
        (piece(level=4, age_days=None), 1),
        (piece(level=4, count=0), 0),
        (piece(level=9), 5),
        (piece(level=2, age_days=0.5), 1),
        (piece(level=2, age_days=0.5, period_s=86_400), 2),
        (piece(level=2, uptime=0.89), 1),
        (piece(level=2, uptime=None), 1),
        (piece(level=3, skill=0.0, uptime=None), 1),
        (piece(level=3, days=29, uptime=None), 1),
        (piece(level=3, skill=-0.2), 2),
        (piece(level=4, oracle="", skill=None), 2),
        (piece(level=4, uncertainty=None), 3),
        (piece(level=5, measured=None), 4),
        (piece(level=5, measured={"kwh": 1.0}, expected={"kwh": 2.0, "eur": 1.0}), 5),
        (piece(level=5, measured={"kwh": 1.0}, expected={"eur": 1.0}), 4),
        (piece(level=5, measured={"kwh": None}, expected={"kwh": 1.0}), 4),
        (piece(level=5, measured=True, uncertainty=None, days=0, uptime=0), 1),
        (piece(level=1, completeness=0.79), 0),
        (piece(level=1, completeness=0.8), 1),
    ],
)
def test_evidence_decays_step_by_step(given_piece: Evidence, level: int) -> None:
    assert level_now(given_piece, NOW) == level


def test_sixteen_systems_and_their_sums() -> None:
    assert len({s.slug for s in SYSTEMS}) == 16
    found = cells(
        [piece("air", 2), piece("air", 1), piece("noise", 4), piece("aliens", 5), piece("heat", 1, count=0)],
        NOW,
    )
    assert breadth(found) == 2
    assert depth(found) == pytest.approx(6 / 80)


calm = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
pieces = st.builds(
    piece,
    level=st.integers(0, 6),
    count=st.integers(0, 3),
    age_days=st.one_of(st.none(), st.floats(-1, 5000)),
    uptime=st.one_of(st.none(), st.floats(0, 1)),
    period_s=st.one_of(st.none(), st.floats(0, 1e6)),
    skill=st.one_of(st.none(), st.floats(-1, 1)),
    days=st.one_of(st.none(), st.integers(0, 400)),
    oracle=st.sampled_from([None, "", "numbers"]),
    uncertainty=st.sampled_from([None, "", "seeds"]),
    measured=st.one_of(st.none(), st.floats(-9, 9)),
    completeness=st.one_of(st.none(), st.floats(0, 1)),
)


@calm
@given(pieces, st.floats(0, 6000), st.floats(0, 6000))
def test_a_level_never_rises_by_time_alone(given_piece: Evidence, one: float, more: float) -> None:
    early, late = NOW + dt.timedelta(days=one), NOW + dt.timedelta(days=one + more)
    assert level_now(given_piece, late) <= level_now(given_piece, early) <= min(given_piece.level, 5)


@calm
@given(pieces, st.sampled_from(["completeness", "uptime", "skill", "days"]), st.floats(0, 400))
def test_better_proof_never_lowers_a_level(given_piece: Evidence, name: str, more: float) -> None:
    there = given_piece.proof.get(name)
    if there is None:
        return
    better = dataclasses.replace(given_piece, proof={**given_piece.proof, name: there + more})
    assert level_now(better, NOW) >= level_now(given_piece, NOW)


@calm
@given(st.lists(pieces, max_size=4), pieces)
def test_more_evidence_never_lowers_a_level(some: list[Evidence], another: Evidence) -> None:
    fewer, more = cells(some, NOW), cells([*some, another], NOW)
    assert all(b.level >= a.level for a, b in zip(fewer, more, strict=True))
    assert depth(more) >= depth(fewer)
    for cell in more:
        assert cell.level == 0 or cell.filled[cell.level - 1], "a level stands on evidence of just that level"


@calm
@given(pieces)
def test_what_falls_short_says_why(given_piece: Evidence) -> None:
    stood = standing(given_piece, NOW)
    assert bool(stood.why) == (stood.level < min(given_piece.level, 5))


def test_every_next_step_has_words_and_no_broken_page() -> None:
    district = District(slug="town", name="Town")
    for system in SYSTEMS:
        for level in range(5):
            step = next_step(Cell(system, level, ()), "", district)
            assert step is not None
            assert step.level == level + 1
            assert str(step.words)
    assert next_step(Cell(SYSTEMS[0], 5, ()), "", district) is None


@pytest.mark.parametrize(
    ("channel", "system"),
    [("x_pm25_ug_m3", "air"), ("x_laeq_db", "noise"), ("x_water_m3", "water"), ("power_w", None), ("x_color", None)],
)
def test_sensors_are_known_by_the_words_of_their_channels(channel: str, system: str | None) -> None:
    assert system_of(channel) == system


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


@pytest.mark.django_db
def test_a_sensor_is_live_while_it_is_heard_nine_tenths_of_a_week(place: Place) -> None:
    now = timezone.now()
    quarter = dt.timedelta(minutes=15)
    until = now - (now - dt.datetime.min.replace(tzinfo=dt.UTC)) % quarter
    sensor = Device.objects.create(kind="sensor", name="Air", place=place, public=True, last_seen_at=now)
    sensor.refresh_from_db()
    channel = Channel.objects.create(slug="x_pm25_ug_m3")
    LastValue.objects.create(device=sensor, channel=channel.pk, seq=1, ts=now, value=7.0)

    def quarters(first: int, last: int) -> None:
        Rollup.objects.bulk_create(
            Rollup(device=sensor, channel=channel.pk, step_s=900, start=until - i * quarter, count=3, total=21.0)
            for i in range(first, last)
        )

    quarters(1, 600)
    (found,) = streams.collect(place)
    assert (found.system, found.count, level_now(found, timezone.now())) == ("air", 1, 1)
    assert "heard 89" in str(standing(found, timezone.now()).why)
    quarters(600, 640)
    (found,) = streams.collect(place)
    assert level_now(found, timezone.now()) == 2
    assert level_now(found, timezone.now() + dt.timedelta(minutes=11)) == 1
    Device.objects.filter(pk=sensor.pk).update(public=False)
    assert not list(streams.collect(place)), "nobody could check it"


@pytest.mark.django_db
def test_a_listed_scenario_that_says_how_sure_it_is_can_be_asked_what_if(town: Import, place: Place) -> None:
    town(place=place)
    scenario = Scenario.objects.create(district=the_town(), title="Sun")
    version = ScenarioVersion.objects.create(scenario=scenario, number=1)
    figures = [
        {"group": "energy", "difference": 2.0, "low": 1.0, "high": 3.0},
        {"group": "traffic", "difference": -1.0, "low": None, "high": None},
        {"group": "access", "difference": 0.0, "low": 0.0, "high": 0.0},
    ]
    ScenarioResult.objects.create(version=version, inputs_hash="a", city_version=1, summary={"figures": figures})
    levels = {cell.system.slug: cell.level for cell in cells(collected(place), timezone.now())}
    assert (levels["electricity"], levels["solar"], levels["streets"], levels["walking"]) == (4, 4, 1, 1)
    Scenario.objects.update(listed=False)
    levels = {cell.system.slug: cell.level for cell in cells(collected(place), timezone.now())}
    assert levels["electricity"] == 0, "what nobody can find proves nothing"
