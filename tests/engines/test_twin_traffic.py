"""Roads, trips and sums of a district against hand-made streets and against what must be conserved."""

from dataclasses import replace

import numpy as np
import pytest

from twin import assumptions as forms
from twin.engine import demand, network, traffic
from twin.engine.assignment import Demand, assign
from twin.engine.model import CityModel, Thing
from twin.engine.network import CONNECTOR, OUTSIDE, ROAD, road_network

LON, LAT = 24.94, 60.17
STEP_LON, STEP_LAT = 0.0018, 0.0009  # about 100 m each
METRES = 100.0


def street(key: str, a: tuple[int, int], b: tuple[int, int], **more: object) -> Thing:
    """A piece of street between two places of a grid."""
    line = [[LON + x * STEP_LON, LAT + y * STEP_LAT] for x, y in (a, b)]
    about = {
        "car": True, "foot": True, "highway": "residential", "class": "residential", "name": f"{key} street",
        "a": a[0] * 100 + a[1], "b": b[0] * 100 + b[1], "oneway": 0, "lanes": 2.0, "speed_kmh": 36.0,
        "capacity_veh_h": 500.0, "length_m": METRES,
    }  # fmt: skip
    return Thing(key, {"type": "LineString", "coordinates": line}, {**about, **more})


def house(key: str, x: float, y: float, **more: object) -> Thing:
    lon, lat = LON + x * STEP_LON, LAT + y * STEP_LAT
    ring = [[lon, lat], [lon + 0.0002, lat], [lon + 0.0002, lat + 0.0001], [lon, lat + 0.0001], [lon, lat]]
    return Thing(
        key, {"type": "MultiPolygon", "coordinates": [[ring]]}, {"use": "apartments", "height_m": 20.0, **more}
    )


def town(side: int = 5) -> CityModel:
    """A grid of streets, each block's street in two pieces, houses and offices in the blocks; ends at the rim."""
    model = CityModel(epsg=3067)
    for x in range(0, 2 * side + 1):
        for y in range(0, 2 * side + 1, 2):
            if x < 2 * side:
                model.streets.append(street(f"h{x}.{y}", (x, y), (x + 1, y)))
            if x < 2 * side:
                model.streets.append(street(f"v{y}.{x}", (y, x), (y, x + 1)))
    for y in (2, 4, 6):  # out to the world on both sides
        model.streets.append(street(f"west{y}", (-1, y), (0, y), highway="primary"))
        model.streets.append(street(f"east{y}", (2 * side, y), (2 * side + 1, y), highway="primary"))
    for x in range(1, 2 * side, 2):
        for y in range(1, 2 * side, 2):
            model.buildings.append(house(f"b{x}.{y}", x, y, use="apartments" if x < side else "office"))
    model.services.append(
        Thing("shop", {"type": "Point", "coordinates": [LON + 3 * STEP_LON, LAT + 3 * STEP_LAT]}, {"kind": "grocery"})
    )
    return model


def test_pieces_of_one_street_become_one_link_and_nothing_else_changes() -> None:
    model = town()
    merged, apart = road_network(model), road_network(model, merge=False)
    roads = int((merged.kind == ROAD).sum())
    assert roads < (apart.kind == ROAD).sum()
    assert merged.length_m[merged.kind == ROAD].sum() == pytest.approx(apart.length_m[apart.kind == ROAD].sum())
    assert sorted(k for names in merged.pieces for k in names) == sorted(k for names in apart.pieces for k in names)
    stations = [zone.node for zone in merged.zones if zone.station]
    others = [zone.node for zone in apart.zones if zone.station]
    pairs = [(i, j) for i in range(len(stations)) for j in range(len(stations)) if i != j]
    cars = np.full(len(pairs), 90.0)
    here, there = (
        assign(net, Demand(np.array([at[i] for i, _ in pairs]), np.array([at[j] for _, j in pairs]), cars), gap=1e-9)
        for net, at in ((merged, stations), (apart, others))
    )
    assert here.objective == pytest.approx(there.objective, rel=1e-8)
    assert here.pair_cost_s == pytest.approx(there.pair_cost_s, rel=1e-6)


def test_a_oneway_street_goes_one_way_and_a_blind_one_way_end_is_left_out() -> None:
    model = town(2)
    model.streets.append(street("trap", (4, 4), (9, 9), oneway=1, highway="service", **{"class": "service"}))
    model.streets[0].properties["oneway"] = -1
    net = road_network(model)
    assert "trap" not in {key for names in net.pieces for key in names}
    assert net.kept_share < 1
    first = model.streets[0].key
    (only,) = net.of([first])
    assert not net.forward[only] or net.pieces[only][0] != first


def test_zones_are_not_passed_and_stations_reach_each_other_outside() -> None:
    net = road_network(town())
    links = net.links()
    zones = [zone.node for zone in net.zones if not zone.station]
    assert zones
    assert not links.through[zones].any()
    assert sum(zone.station for zone in net.zones) == 6
    assert (net.kind == OUTSIDE).sum() == 12
    assert (net.kind == CONNECTOR).any()
    closed = net.close([key for names in net.pieces for key in names])
    assert closed.closed.sum() == (net.kind == ROAD).sum()


def test_of_many_ends_at_the_rim_those_that_carry_most_are_stations(monkeypatch: pytest.MonkeyPatch) -> None:
    model = town()
    for piece in model.streets:
        if piece.key.startswith("west"):
            piece.properties["capacity_veh_h"] = 900.0
    ends = {zone.xy_m for zone in road_network(model).zones if zone.station and zone.capacity_out == 900}
    assert len(ends) == 3
    monkeypatch.setattr(network, "MOST_STATIONS", 3)
    assert {zone.xy_m for zone in road_network(model).zones if zone.station} == ends
    monkeypatch.setattr(network, "RIM_MOST_M", -1.0)
    assert not [zone for zone in road_network(model).zones if zone.station]


def test_closing_and_calming_change_a_copy() -> None:
    model = town()
    solved = traffic.solve(model, demand.Assumptions())
    net, found = solved.network, solved.found
    inner = [i for i, names in enumerate(net.pieces) if names and names[0][0] in "hv"]
    key = net.pieces[max(inner, key=lambda i: found.flow[i])][0]
    shut = net.close([key])
    assert not net.closed.any()
    after = assign(shut, solved.od, gap=1e-7, start=found)
    assert after.flow[shut.of([key])].max() == 0
    assert after.total_travel_time > found.total_travel_time
    slow = net.calm([key], speed_kmh=18.0, capacity_share=0.5)
    there = net.of([key])
    assert slow.free_flow_s[there] == pytest.approx(2 * net.free_flow_s[there])
    assert slow.capacity_veh_h[there] == pytest.approx(net.capacity_veh_h[there] / 2)
    calmer = assign(slow, solved.od, gap=1e-7, start=found)
    assert calmer.flow[there].sum() < found.flow[there].sum()
    with pytest.raises(ValueError, match="close it"):
        net.calm([key], speed_kmh=0)


def test_trips_are_those_that_people_and_jobs_make() -> None:
    """Every car that leaves or comes is in the table once; who passes is as the share says."""
    model, assumed = town(), demand.Assumptions()
    net = road_network(model)
    od = demand.trips(model, assumed, net)
    goes_on = demand.activity(model, net.zones, assumed)
    by_car = assumed.share_car / assumed.people_per_car * assumed.peak_share
    made = goes_on.people.sum() * 2.7 * by_car
    others = (goes_on.jobs.sum() * 2.0 + goes_on.visits.sum() * 2.0) * by_car
    part = demand.part_of(net, od)
    ends = 2 * od.trips[part == demand.WITHIN].sum() + od.trips[part == demand.EXCHANGE].sum()
    assert ends == pytest.approx(made + others, rel=1e-6)
    inward = sum(zone.capacity_in for zone in net.zones)
    assert od.trips[part == demand.THROUGH].sum() == pytest.approx(inward * assumed.through_share, rel=1e-6)
    assert goes_on.visits.sum() == demand.VISITS["grocery"]
    area = sum(demand._area_m2(b) for b in model.buildings if b.properties["use"] == "apartments")
    assert goes_on.people.sum() == pytest.approx(area * 20 / 3.3 * 0.85 / 40)


def test_a_population_grid_counts_instead_of_floors() -> None:
    model = town()
    low, high = [LON - 0.01, LAT - 0.01], [LON + 3.9 * STEP_LON, LAT + 0.1]
    ring = [low, [high[0], low[1]], high, [low[0], high[1]], low]
    cell = Thing("c", {"type": "Polygon", "coordinates": [ring]}, {"population": 321.0})
    net = road_network(model)

    crowd = CityModel(
        buildings=model.buildings, streets=model.streets, services=model.services, people=[cell], epsg=model.epsg
    )
    goes_on = demand.activity(crowd, net.zones, demand.Assumptions())
    assert goes_on.known == "grid"
    assert goes_on.people.sum() == pytest.approx(321)


def test_furness_meets_both_sums() -> None:
    dice = np.random.default_rng(1)
    kernel, rows, columns = dice.uniform(0.1, 1, (6, 6)), dice.uniform(1, 9, 6), dice.uniform(1, 9, 6)
    columns *= rows.sum() / columns.sum()
    table = demand.furness(kernel, rows, columns)
    assert table.sum(axis=1) == pytest.approx(rows)
    assert table.sum(axis=0) == pytest.approx(columns, rel=1e-6)
    # the odds of the kernel stay: the table nearest to it
    assert table[0, 0] * table[1, 1] / (table[0, 1] * table[1, 0]) == pytest.approx(
        kernel[0, 0] * kernel[1, 1] / (kernel[0, 1] * kernel[1, 0])
    )


def test_counts_pull_the_trips_towards_them() -> None:
    """Counts made of twice the through traffic are met, and it is the through traffic that doubles."""
    model, assumed = town(), demand.Assumptions(share_car=0.1)
    net = road_network(model)
    doubled = demand.trips(model, replace(assumed, through_share=2 * assumed.through_share), net)
    truth = assign(net, doubled, gap=1e-6)
    keys = [net.pieces[i][0] for i in np.flatnonzero(net.kind == ROAD)[:60]]
    counts = {key: float(truth.flow[net.of([key])].sum()) for key in keys}
    od = demand.trips(model, assumed, net)
    before = assign(net, od, gap=1e-6)
    _now, found, fit = demand.calibrated(net, od, counts)
    wrong = sum(abs(before.flow[net.of([key])].sum() - count) for key, count in counts.items())
    left = sum(abs(found.flow[net.of([key])].sum() - count) for key, count in counts.items())
    assert left < 0.5 * wrong  # a grid has many ways alike, so single streets differ
    assert fit.factors[2] == pytest.approx(2.0, rel=0.15)


def test_the_answer_adds_up() -> None:
    model, assumed = town(), demand.Assumptions()
    found = traffic.traffic(model, assumed)
    s = found.summary
    assert s["gap"] <= 1e-6
    assert s["co2_kg"] == pytest.approx(s["vehicle_km"] * 0.15)
    assert s["vehicles"] == pytest.approx(sum(s["trips"].values()))
    assert s["speed_kmh"] == pytest.approx(s["vehicle_km"] / s["vehicle_h"])
    assert s["unserved"] == 0
    by_street = dict(zip(found.streets["key"], found.streets["flow"], strict=True))
    km = sum(by_street[x.key] * x.properties["length_m"] for x in model.streets if x.key in by_street) / 1000
    assert km == pytest.approx(s["vehicle_km"], rel=1e-3)
    assert sum(zone["people"] for zone in found.zones) == pytest.approx(s["people"], abs=len(found.zones))
    assert found.svg.startswith("<svg")
    assert 'id="flows"' in found.svg
    assert traffic.traffic(model, assumed) == found


def test_no_street_for_cars_is_said() -> None:
    model = town(2)
    for each in model.streets:
        each.properties["car"] = False
    with pytest.raises(ValueError, match="no street is open to cars"):
        road_network(model)


def test_forms_and_engine_have_the_same_assumptions() -> None:
    from dataclasses import fields

    ours = {
        f.name: (f.default, f.metadata["low"], f.metadata["high"]) for f in fields(demand.Assumptions) if f.metadata
    }
    assert ours == {f.name: (f.default, f.low, f.high) for f in forms.FIELDS}


@pytest.mark.parametrize(
    ("given", "says"),
    [({"share_car": 2}, "from 0 to 1"), ({"x": 1}, "no assumption"), ({"share_car": 0.9}, "more than 1"),
     ({"counts": {"a": -1}}, "counts"), ({"share_car": True}, "number")],
)  # fmt: skip
def test_assumptions_that_cannot_be_are_refused(given: dict[str, object], says: str) -> None:
    with pytest.raises(ValueError, match=says):
        demand.assumptions(given)
