"""Measures and what they make of a small town: properties, hand-made sums and the energy room's rules as oracles."""

import datetime as dt
import json

import numpy as np
import pytest

from energy.engine import pv, sharing
from energy.engine.community import Community, Member
from tests.engines.test_twin_traffic import LAT, LON, STEP_LAT, STEP_LON, town
from twin.engine import measures, scenario, supposed
from twin.engine.measures import MEASURES, Refused
from twin.engine.measures.base import Changes
from twin.engine.model import CityModel, Thing
from twin.engine.typical import cloudless
from twin.engine.whatif import draws, energy, traffic, who
from twin.sumo import paired

SHOP_AT = [LON + 7 * STEP_LON, LAT + 7 * STEP_LAT]
FIRST, LAST = [LON + 2 * STEP_LON, LAT + 2 * STEP_LAT], [LON + 8 * STEP_LON, LAT + 8 * STEP_LAT]


@pytest.fixture(scope="module")
def of() -> scenario.Base:
    """The town of the traffic tests with a park, people of all ages, and a year of even use under a clear sky."""
    model = town()
    for i, street in enumerate(model.streets):
        street.properties["bicycle"] = i % 7 != 0
    ring = [[LON, LAT], [LON + 12 * STEP_LON, LAT], [LON + 12 * STEP_LON, LAT + 12 * STEP_LAT], [LON, LAT]]
    cell = {"type": "Polygon", "coordinates": [ring]}
    model.people.append(Thing("p", cell, {"population": 1000.0, "over_65": 200.0, "under_15": 100.0}))
    for building in model.buildings:
        building.properties["levels"] = 5
    even = np.full(8760, 1 / 8760)
    return scenario.base(model, weather=cloudless(60.17, 24.94, 2025), shares={"home": even, "work": even})


@pytest.fixture(scope="module")
def today(of: scenario.Base) -> scenario.Outcome:
    return scenario.reckon(of, [])


def beside(of: scenario.Base, today: scenario.Outcome, *given: dict[str, object]) -> scenario.Comparison:
    checked = measures.checked(list(given))
    return scenario.compare(of, today, scenario.reckon(of, checked, beside=today))


def differences(found: scenario.Comparison) -> dict[str, float]:
    return {figure["key"]: figure["difference"] for figure in found.figures}


# --- no measure, and the same again -------------------------------------------------------------------------
def test_no_measure_is_exactly_no_difference(of: scenario.Base, today: scenario.Outcome) -> None:
    alone, started = scenario.reckon(of, []), scenario.reckon(of, [], beside=today)
    for outcome in (alone, started):
        found = scenario.compare(of, today, outcome)
        assert {figure["difference"] for figure in found.figures} == {0.0}
        assert {figure[end] for figure in found.figures for end in ("low", "high")} <= {0.0, None}
        assert not found.who
        assert not any(found.buildings["cost"])
        assert not any(found.streets["flow"])


def test_the_same_question_twice_is_the_same_answer_byte_for_byte(of: scenario.Base) -> None:
    asked = measures.checked(
        [
            {"kind": "solar", "share_percent": 40},
            {"kind": "home_battery", "share_percent": 50},
            {"kind": "close_street", "street": "h5.4"},
            {"kind": "sharing_rule", "rule": "mid-market"},
        ]
    )

    def once() -> bytes:
        now = scenario.reckon(of, [])
        found = scenario.compare(of, now, scenario.reckon(of, asked, beside=now))
        return json.dumps([found.document(), found.buildings, found.streets], sort_keys=True).encode()

    assert once() == once()


# --- energy -------------------------------------------------------------------------------------------------
def test_more_solar_never_makes_less_and_holds_every_roof_of_less(of: scenario.Base, today: scenario.Outcome) -> None:
    before, roofs = -1.0, set[str]()
    for share in (0, 10, 35, 60, 100):
        outcome = scenario.reckon(of, measures.checked([{"kind": "solar", "share_percent": share}]), beside=today)
        made = outcome.figures["made_kwh"]
        assert made is not None
        assert made >= before
        on = {key for key, kwh in zip(of.houses.keys, outcome.buildings["made_kwh"], strict=True) if kwh > 0}
        assert roofs <= on
        before, roofs = made, on
    assert roofs == {key for key, kwh in zip(of.houses.keys, of.houses.roof_kwh, strict=True) if kwh > 0}
    assert before == pytest.approx(float(of.houses.roof_kwh.sum()))


def test_every_kilowatt_hour_is_bought_or_made(of: scenario.Base, today: scenario.Outcome) -> None:
    outcome = scenario.reckon(of, measures.checked([{"kind": "solar", "share_percent": 80}]), beside=today)
    f = outcome.figures
    assert f["used_kwh"] + f["export_kwh"] == pytest.approx(f["import_kwh"] + f["made_kwh"], rel=1e-5)
    assert f["used_kwh"] == pytest.approx(float(of.houses.power_kwh.sum()), rel=1e-5)


def test_the_bill_of_a_flat_price_is_use_times_price(of: scenario.Base, today: scenario.Outcome) -> None:
    assert today.figures["cost"] == pytest.approx(float(of.houses.power_kwh.sum()) * 0.20, rel=1e-5)
    dearer = beside(of, today, {"kind": "tariff", "price": "flat", "buy_ct": 30})
    assert differences(dearer)["cost"] == pytest.approx(float(of.houses.power_kwh.sum()) * 0.10, rel=1e-5)


def test_batteries_take_sun_into_the_night(of: scenario.Base, today: scenario.Outcome) -> None:
    sun = {"kind": "solar", "share_percent": 100}
    bare, stored = beside(of, today, sun), beside(of, today, sun, {"kind": "community_battery", "kwh": 500, "kw": 250})
    assert differences(stored)["export_kwh"] < differences(bare)["export_kwh"]
    assert differences(stored)["import_kwh"] < differences(bare)["import_kwh"]
    assert differences(stored)["outage_grid"] > differences(bare)["outage_grid"]


def test_heat_pumps_trade_burnt_heat_for_less_power(of: scenario.Base, today: scenario.Outcome) -> None:
    found = differences(beside(of, today, {"kind": "heat_pumps", "share_percent": 50}))
    heat = float(of.houses.heat_kwh.sum()) / 2
    assert found["carbon_buildings"] == pytest.approx(-heat * 0.15 / 1000, rel=1e-6)
    assert heat / 6 < found["used_kwh"] < heat / 1.5


def test_electric_cars_charge_what_they_drive(of: scenario.Base, today: scenario.Outcome) -> None:
    found = differences(beside(of, today, {"kind": "electric_cars", "share_percent": 100}))
    homes = float((of.houses.floor_m2 * of.houses.home_share).sum()) / 75
    assert found["used_kwh"] == pytest.approx(homes * 0.5 * 12_000 * 0.18, rel=1e-5)
    assert found["carbon_mobility"] == pytest.approx(-homes * 0.5 * 12_000 * 0.16 / 1000, rel=1e-5)


@pytest.mark.parametrize("rule", ["equal", "proportional", "mid-market", "owen"])
def test_sharing_is_that_of_the_energy_room(of: scenario.Base, rule: str) -> None:
    """The same members in hours, through `energy.engine.sharing` with its table of everybody's flows."""
    made = measures.changes(measures.checked([{"kind": "solar", "share_percent": 50}]))
    draw = draws.draws(of.energy, 0)[0]
    large = draw.sun * 6
    has = energy.stock(of.model, of.houses, made, {}, draws.Draw(0, of.energy, sun=large))
    alone = energy.year(of.houses, has, made, of.weeks, draw)
    made.sharing = rule
    shared = energy.year(of.houses, has, made, of.weeks, draw)
    load, solar = energy.series(of.houses, has, of.weeks, draw, slice(0, len(of.houses.keys)))
    net = load.astype(np.float64) - solar.astype(np.float64)
    buy, sell = energy.prices(made, of.weeks, draw)
    start = dt.datetime(2025, 1, 1, tzinfo=dt.UTC)
    members = tuple(Member(key, key) for key in of.houses.keys)
    community = Community(
        "", "", "UTC", start, 60, members, load.astype(np.float64), solar.astype(np.float64), buy, sell
    )
    total = net.sum(axis=0)
    grid = float((np.maximum(total, 0) * buy - np.maximum(-total, 0) * sell).sum())
    costs = (np.maximum(net, 0) * buy - np.maximum(-net, 0) * sell).sum(axis=1)
    table = sharing.Table(community, net, load.sum(axis=1, dtype=np.float64), costs, float(costs.sum()) - grid, None)
    expected = sharing.share(rule, table).savings * of.weeks.scale
    assert table.total_saving > 1
    assert alone.cost - shared.cost == pytest.approx(expected, rel=1e-4, abs=0.5)


def test_labs_move_what_they_measured_and_no_more(of: scenario.Base) -> None:
    office = next(i for i, group in enumerate(of.houses.group) if group == "office")
    made = measures.changes(measures.checked([{"kind": "lab_hours"}]))
    draw = draws.draws(of.energy, 0)[0]
    has = energy.stock(of.model, of.houses, made, {of.houses.keys[office]: 500.0}, draw)
    load, _solar = energy.series(of.houses, has, of.times, draw, slice(0, len(of.houses.keys)))
    assert load[office].sum(dtype=np.float64) == pytest.approx(float(of.houses.power_kwh[office]), rel=1e-4)
    assert (load >= 0).all()
    by_hour = load[office].reshape(-1, 24).sum(axis=0, dtype=np.float64)
    assert by_hour[12] > by_hour[3]


# --- streets ------------------------------------------------------------------------------------------------
def test_closing_a_street_moves_its_cars_and_never_helps_all_at_the_optimum(
    of: scenario.Base, today: scenario.Outcome
) -> None:
    """By Braess the time of an equilibrium may fall; Beckmann's objective, of which it is the minimum, cannot."""
    for key in ("h5.4", "v4.5", "h2.2"):
        outcome = scenario.reckon(of, measures.checked([{"kind": "close_street", "street": key}]), beside=today)
        assert outcome.hour is not None
        assert today.hour is not None
        if outcome.hour.unserved == 0:
            assert outcome.hour.found.objective >= today.hour.found.lower_bound * (1 - 1e-9)
        place = [street.key for street in of.model.streets].index(key)
        assert outcome.streets["flow"][place] == 0


def test_both_sides_reach_the_same_gap_with_the_same_trips(of: scenario.Base, today: scenario.Outcome) -> None:
    outcome = scenario.reckon(of, measures.checked([{"kind": "close_street", "street": "h5.4"}]), beside=today)
    assert outcome.roads is not None
    assert of.roads is not None
    assert outcome.roads.od is of.roads.od
    assert max(outcome.hour.found.gap, today.hour.found.gap) <= 1e-6  # type: ignore[union-attr]


def test_a_large_city_is_drawn_a_few_times_and_its_draws_keep_no_ways(
    of: scenario.Base, today: scenario.Outcome, monkeypatch: pytest.MonkeyPatch
) -> None:
    closed = measures.checked([{"kind": "close_street", "street": "h5.4"}])
    kept = scenario.compare(of, today, scenario.reckon(of, closed, beside=today))
    monkeypatch.setattr(traffic, "MOST_KEPT", 0)
    light = scenario.reckon(of, [])
    assert [len(hour.found.ways.pair) > 0 for hour in light.hours] == [True] + [False] * traffic.FEW
    parts: list[float] = []
    shut = scenario.reckon(of, closed, beside=light, say=lambda part, _stage: parts.append(part))
    assert parts == sorted(parts)
    for ours, theirs in zip(scenario.compare(of, light, shut).figures, kept.figures, strict=True):
        assert (ours["baseline"], ours["difference"]) == (theirs["baseline"], theirs["difference"])
        if ours["group"] == "traffic" or ours["key"] in {"carbon", "carbon_mobility"}:
            assert ours["how"] == scenario.FEW and ours["low"] <= ours["difference"] <= ours["high"]
            key = ours["key"]
            off = [b[key] - a[key] for a, b in zip(light.draws, shut.draws, strict=True) if key in a]
            assert len(off) == traffic.FEW + 1
            near = 1e-4 * max(abs(ours["baseline"]), 0.1)
            wide = [ours["difference"] + end(each - off[0] for each in off) for end in (min, max)]
            assert [ours["low"], ours["high"]] == pytest.approx(wide, abs=near)
        else:
            assert (ours["how"], ours["low"], ours["high"]) == (theirs["how"], theirs["low"], theirs["high"])
    nothing = scenario.compare(of, light, scenario.reckon(of, [], beside=light))
    assert {figure["difference"] for figure in nothing.figures} == {0.0}


def test_a_street_that_is_calm_already_changes_nothing(of: scenario.Base, today: scenario.Outcome) -> None:
    calm = beside(of, today, {"kind": "calm_street", "street": "h5.4", "to": "30"})
    assert differences(calm)["vehicle_h"] != 0
    for street in of.model.streets:
        street.properties.setdefault("speed_kmh", 36.0)
    again = scenario.reckon(of, measures.checked([{"kind": "shift_trips", "percent": 0}]), beside=today)
    assert set(differences(scenario.compare(of, today, again)).values()) == {0.0}


def test_shifted_trips_are_taken_from_who_begins_or_ends_here(of: scenario.Base, today: scenario.Outcome) -> None:
    outcome = scenario.reckon(of, measures.checked([{"kind": "shift_trips", "percent": 20}]), beside=today)
    assert of.roads is not None
    assert outcome.roads is not None
    ours = of.roads.part < 2
    before, after = of.roads.od.trips, outcome.roads.od.trips
    assert after[ours] == pytest.approx(before[ours] * 0.8)
    assert after[~ours] == pytest.approx(before[~ours])


def test_a_new_street_shortens_ways(of: scenario.Base, today: scenario.Outcome) -> None:
    outcome = scenario.reckon(
        of, measures.checked([{"kind": "new_street", "from": FIRST, "to": LAST, "bridge": True}]), beside=today
    )
    assert outcome.hour is not None
    assert today.hour is not None
    assert len(outcome.hour.found.flow) == len(today.hour.found.flow) + 2
    assert outcome.hour.found.objective <= today.hour.found.objective * (1 + 1e-6)
    assert differences(scenario.compare(of, today, outcome))["walk_min"] <= 0


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"kind": "new_street", "from": [25.5, 60.9], "to": SHOP_AT}, "too far"),
        ({"kind": "new_street", "from": SHOP_AT, "to": SHOP_AT}, "same crossing"),
    ],
)
def test_a_street_to_nowhere_is_refused(of: scenario.Base, given: dict[str, object], words: str) -> None:
    with pytest.raises(Refused, match=words):
        scenario.reckon(of, measures.checked([given]))


def test_closing_every_street_is_refused(of: scenario.Base) -> None:
    every = [{"kind": "close_street", "street": street.key} for street in of.model.streets]
    with pytest.raises(Refused, match="every street"):
        scenario.reckon(of, [dict(each) for each in every])


def test_a_street_is_closed_by_its_name(of: scenario.Base) -> None:
    assert of.keys("h5.4 street") == ["h5.4"]
    assert of.keys("h5.4") == ["h5.4"]
    assert of.keys("nowhere") == []


# --- places -------------------------------------------------------------------------------------------------
def test_a_new_shop_brings_a_shop_nearer_and_takes_none_away(of: scenario.Base, today: scenario.Outcome) -> None:
    found = beside(of, today, {"kind": "new_service", "service": "grocery", "at": SHOP_AT})
    assert differences(found)["walk_min"] < 0
    assert max(found.buildings["walk_min"]) <= 0
    gains = [row for row in found.who if row["figure"] == "walk_min"]
    assert {row["by"] for row in gains} == {"use", "member", "age"}
    assert all(row["gain"] + row["lose"] + row["same"] == row["count"] for row in gains)
    assert not any(row["lose"] for row in gains)
    assert sum(row["count"] for row in gains if row["by"] == "age") <= 1000


def test_trees_and_green_roofs_only_cool(of: scenario.Base, today: scenario.Outcome) -> None:
    for given in ({"kind": "trees", "at": SHOP_AT, "count": 500}, {"kind": "green_roof", "share_percent": 100}):
        outcome = scenario.reckon(of, measures.checked([given]), beside=today)
        assert (outcome.buildings["heat"] <= today.buildings["heat"]).all()


def test_a_building_of_more_storeys_takes_more_and_brings_more_trips(
    of: scenario.Base, today: scenario.Outcome
) -> None:
    at = of.houses.group.index("office")
    found = beside(of, today, {"kind": "change_building", "building": of.houses.keys[at], "levels": 10})
    assert differences(found)["used_kwh"] == pytest.approx(float(of.houses.power_kwh[at]), rel=1e-4)
    assert differences(found)["vehicle_km"] > 0


# --- ranges, registry ---------------------------------------------------------------------------------------
def test_ranges_hold_the_difference_and_are_of_what_is_unsure_alone(of: scenario.Base, today: scenario.Outcome) -> None:
    found = beside(of, today, {"kind": "solar", "share_percent": 30}, {"kind": "close_street", "street": "h5.4"})
    for figure in found.figures:
        if figure["low"] is None:
            assert figure["how"] in {scenario.EXACT, scenario.MIDDLE}
        else:
            assert figure["low"] <= figure["difference"] <= figure["high"]
    by = {figure["key"]: figure for figure in found.figures}
    assert by["made_kwh"]["low"] < by["made_kwh"]["high"]
    assert by["vehicle_km"]["low"] < by["vehicle_km"]["high"]
    assert by["walk_min"]["low"] is None


def test_draws_are_the_same_for_ever_and_begin_with_ours() -> None:
    ours, *others = draws.draws(supposed.Energy())
    assert ours == draws.Draw(0, supposed.Energy())
    assert len(others) == 20
    assert others == draws.draws(supposed.Energy())[1:]
    assert len({draw.load for draw in others}) == 20


def test_every_measure_has_words_defaults_and_can_be_reckoned(of: scenario.Base, today: scenario.Outcome) -> None:
    fill = {"street": "h5.4", "building": of.houses.keys[1], "at": SHOP_AT, "from": FIRST, "to": LAST}
    for kind, measure in MEASURES.items():
        asked = {
            field.name: fill[field.name] for field in measure.fields if field.kind in {"street", "building", "place"}
        }
        kept = measures.checked([{"kind": kind, **asked}])
        assert measures.checked(kept) == kept
        assert measure.title
        assert measure.limits
        assert {field.default for field in measure.fields if field.kind == "number" and field.required}.isdisjoint(
            {None}
        )
        found = beside(of, today, *kept)
        assert set(measure.limits) <= set(found.limits)


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ([], "at least one measure"),
        ("solar", "at least one measure"),
        ([{"kind": "moon"}], "“moon”, is not one we have. There are calm_street"),
        (["solar"], "“None”, is not one we have"),
        ([{"kind": "solar", "share_percent": 140}], "from 0 to 100, not “140”"),
        ([{"kind": "solar", "share_percent": True}], "must be a number"),
        ([{"kind": "solar", "share_percent": float("nan")}], "must be a number"),
        ([{"kind": "solar", "share": 4}], "has no field “share”"),
        ([{"kind": "solar", "uses": ["moon"]}], "must list some of"),
        ([{"kind": "close_street"}], "needs “street”"),
        ([{"kind": "trees", "at": [1], "count": 3}], "longitude, latitude"),
        ([{"kind": "trees", "at": SHOP_AT, "count": 3.5}], "whole number"),
        ([{"kind": "tariff", "price": "free"}], "cannot be “free”; there are flat, dynamic"),
        ([{"kind": "electric_cars", "v2g": "yes"}], "true or false"),
        ([{"kind": "solar"}] * 41, "at most 40"),
    ],
)
def test_what_cannot_be_is_refused_with_a_sentence(given: object, words: str) -> None:
    with pytest.raises(Refused, match=words):
        measures.checked(given)


def test_measures_are_reckoned_one_after_the_other() -> None:
    made = measures.changes(
        measures.checked(
            [
                {"kind": "heat_pumps", "share_percent": 10},
                {"kind": "heat_pumps", "share_percent": 60},
                {"kind": "community_battery", "kwh": 100, "kw": 50},
                {"kind": "community_battery", "kwh": 200, "kw": 50},
            ]
        )
    )
    assert isinstance(made, Changes)
    assert made.heat_pumps == 0.6
    assert made.community_battery == (300.0, 100.0)


@pytest.mark.parametrize(
    ("before", "after", "db"), [(100, 200, 3.01), (100, 100, 0), (0, 5, 0), (0, 100, 10), (1000, 0, -20)]
)
def test_noise_follows_the_number_of_cars(before: float, after: float, db: float) -> None:
    assert float(who.decibels(np.array([float(before)]), np.array([float(after)]))[0]) == pytest.approx(db, abs=0.01)


def test_a_district_without_streets_still_has_energy() -> None:
    model = CityModel(epsg=3067, buildings=town().buildings)
    even = np.full(8760, 1 / 8760)
    of = scenario.base(model, weather=cloudless(60.17, 24.94, 2025), shares={"home": even, "work": even})
    now = scenario.reckon(of, [])
    found = beside(of, now, {"kind": "solar", "share_percent": 30})
    assert {figure["group"] for figure in found.figures} == {"energy", "carbon", "risk"}
    assert scenario.NO_ROADS in found.limits


def test_the_roofs_run_is_read_where_it_is_there(of: scenario.Base) -> None:
    known = energy.Known({of.houses.keys[0]: 4.0}, {of.houses.keys[0]: 3500.0})
    weather = cloudless(60.17, 24.94, 2025)
    houses = energy.houses(of.model, of.shapes, known, energy.kwh_of_a_kwp(weather))
    assert houses.roof_kwh[0] == 3500
    assert not houses.roof_kwh[1:].any()
    lone = pv.year([pv.Roof(1.0, 10.0)], weather)[0].sum()
    assert of.houses.roof_kwh[0] == pytest.approx(of.houses.roof_kwp[0] * lone)


def test_sides_of_a_sumo_run_have_their_share_of_the_same_trips(of: scenario.Base, today: scenario.Outcome) -> None:
    outcome = scenario.reckon(of, measures.checked([{"kind": "shift_trips", "percent": 25}]), beside=today)
    assert of.roads is not None
    assert outcome.roads is not None
    od, (before, after) = paired.joint(of.roads.od, outcome.roads.od)
    assert od.trips == pytest.approx(of.roads.od.trips)
    assert set(before.tolist()) == {1.0}
    assert after @ od.trips == pytest.approx(outcome.roads.od.trips.sum())
