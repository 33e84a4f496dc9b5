"""Access gains, criticality, power cuts, heat, rain and carbon against brute force and by hand."""

import heapq
import math

import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from twin.demo import extract
from twin.engine import carbon, criticality, gains, heat, outage, rain, reading
from twin.engine.access import EVERYDAY, SPEED_M_S, minutes
from twin.engine.district import access, walk_graph
from twin.engine.errors import Unreadable
from twin.engine.model import CityModel, Thing
from twin.engine.walk import graph

LON, LAT = 24.94, 60.17


def town(side: int = 4, **street: object) -> CityModel:
    """A grid of streets, a house at each crossing, a shop in one corner."""
    step_lon, step_lat = 0.0018, 0.0009
    at = [(LON + i % side * step_lon, LAT + i // side * step_lat) for i in range(side * side)]
    model = CityModel(epsg=3067)
    for n, (lon, lat) in enumerate(at):
        ring = [[lon, lat], [lon + 1e-5, lat], [lon + 1e-5, lat + 1e-5], [lon, lat + 1e-5], [lon, lat]]
        model.buildings.append(Thing(f"h{n}", {"type": "MultiPolygon", "coordinates": [[ring]]}, {"height_m": 9.0}))
        for m in ([n + 1] if (n + 1) % side else []) + ([n + side] if n + side < side * side else []):
            about = {"a": n, "b": m, "length_m": 100.0, "foot": True, "car": True, "name": f"s{n}-{m}", **street}
            line = {"type": "LineString", "coordinates": [list(at[n]), list(at[m])]}
            model.streets.append(Thing(f"s{n}-{m}", line, about))
    model.services.append(Thing("shop", {"type": "Point", "coordinates": list(at[0])}, {"kind": "grocery"}))
    return model


# --- access -------------------------------------------------------------------------------------------------
def test_a_new_shop_brings_gains_and_no_loss() -> None:
    model = town()
    far = model.streets[-1].geometry["coordinates"][1]
    shop = Thing("new", {"type": "Point", "coordinates": far}, {"kind": "grocery"})
    found = gains.gains(model, added=[shop])
    assert found.by_kind["grocery"].farther == 0
    assert found.by_kind["grocery"].nearer == 6  # the corner's half of the square; on the diagonal nothing changes
    assert found.change_min["grocery"][-1] == pytest.approx(-6 * 100 / SPEED_M_S / 60, abs=0.05)
    back = gains.compare(access(gains.changed(model, added=[shop])), access(model))
    np.testing.assert_allclose(back.change_min["grocery"], -found.change_min["grocery"])
    assert (back.by_kind["grocery"].farther, back.by_kind["grocery"].nearer) == (6, 0)


def test_a_lost_kind_and_a_closed_city_are_told_apart() -> None:
    model = town()
    gone = gains.gains(model, removed=["shop"])
    assert gone.by_kind["grocery"].lost == 16
    model.services.append(Thing("school", model.services[0].geometry, {"kind": "school"}))
    gone = gains.gains(model, removed=["shop"])
    assert np.isinf(gone.change_min["grocery"]).all()
    assert gone.by_kind["grocery"].lost == 16
    assert gone.by_kind["school"].same == 16
    shut = gains.gains(model, closed=[street.key for street in model.streets])
    assert shut.by_kind["grocery"].lost == shut.by_kind["school"].lost == 16
    assert shut.city[15] == (None, None)  # there never were all seven kinds


def test_bicycles_go_only_where_streets_say_so() -> None:
    assert gains.by_bicycle(town()) is None
    ridden = gains.by_bicycle(town(bicycle=True))
    walked = access(town())
    assert ridden is not None
    ratio = walked.minutes["grocery"][5:] / ridden.minutes["grocery"][5:]
    np.testing.assert_allclose(ratio, gains.BICYCLE_M_S / SPEED_M_S)
    assert gains.city_shares(walked.minutes, ["grocery"])[15] == 1.0
    assert gains.city_shares(walked.minutes, ["library"])[15] is None


# --- criticality --------------------------------------------------------------------------------------------
EDGES = st.lists(st.tuples(st.integers(0, 11), st.integers(0, 11), st.integers(20, 300)), min_size=14, max_size=30)


@settings(max_examples=60, deadline=None)
@given(EDGES, st.lists(st.integers(0, 11), min_size=1, max_size=3), st.integers(0, 2**31))
def test_each_piece_closed_by_itself_gives_what_a_new_search_gives(
    edges: list[tuple[int, int, int]], shops: list[int], seed: int
) -> None:
    dice = np.random.default_rng(seed)
    xy = dice.uniform(0, 500, (12, 2))
    pairs = {(min(a, b), max(a, b)): float(length) for a, b, length in edges if a != b}
    if not pairs:
        return
    a, b = (np.array([pair[i] for pair in pairs]) for i in (0, 1))
    walk = graph(a, b, np.array([*pairs.values()]), xy[a], xy[b])
    shop_m = xy[shops] + 3.0
    kinds = ["grocery", "school", "grocery"][: len(shops)]
    found = {(row.a, row.b): row for row in criticality.leaning(walk, xy, shop_m, kinds)}
    before = minutes(walk, xy, shop_m, kinds)
    dense = walk.lengths_m.toarray()
    n = len(dense)
    at, out_m = walk.snap(xy)
    node, in_m = walk.snap(shop_m)
    for u in range(n):
        for v in range(u + 1, n):
            if dense[u, v] == 0:
                continue
            hit: dict[int, float] = {}
            for kind in before:
                far = np.full(n, np.inf)
                heap = [(max(in_m[k], 1e-3), int(node[k])) for k in range(len(shops)) if kinds[k] == kind]
                heapq.heapify(heap)
                while heap:
                    d, y = heapq.heappop(heap)
                    if d >= far[y]:
                        continue
                    far[y] = d
                    for x in np.flatnonzero(dense[y]):
                        if {int(x), y} != {u, v}:
                            heapq.heappush(heap, (d + dense[y, x], int(x)))
                more = (out_m + far[at]) / SPEED_M_S / 60 - before[kind]
                for i in np.flatnonzero(more > criticality.FARTHER_MIN + 1e-9).tolist():
                    hit[i] = max(hit.get(i, 0.0), float(more[i]))
            ours = found.get((u, v), criticality.Lean(u, v, 0, 0, 0.0))
            finite = [detour for detour in hit.values() if detour < np.inf]
            assert (ours.buildings, ours.cut) == (len(hit), len(hit) - len(finite))
            assert ours.worst_min == pytest.approx(max(finite, default=0.0), abs=1e-9)


def test_the_only_bridge_carries_everybody_behind_it() -> None:
    model = town(2)
    lon, lat = model.streets[-1].geometry["coordinates"][1]
    bridge = Thing("bridge", {"type": "LineString", "coordinates": [[lon, lat], [lon + 0.004, lat]]}, {})
    bridge.properties.update(a=3, b=9, length_m=220.0, foot=True, car=False, name="Bridge")
    model.streets.append(bridge)
    ring = [[lon + 0.004, lat], [lon + 0.0041, lat], [lon + 0.0041, lat + 1e-4], [lon + 0.004, lat]]
    model.buildings.append(Thing("isle", {"type": "MultiPolygon", "coordinates": [[ring]]}, {}))
    key, row = criticality.of_district(model)[0]
    assert (key, row.buildings, row.cut) == ("bridge", 1, 1)


def test_in_helsinki_a_closed_piece_takes_from_as_many_as_a_new_reckoning_says() -> None:
    source = extract()
    assert source is not None
    model = reading.read([(source, source.name)])
    before = access(model)
    rows, whole = criticality.of_district(model), len(walk_graph(model).ids)
    checked = 0
    for key, row in rows[:6]:
        shut = gains.changed(model, closed=[key])
        if len(walk_graph(shut).ids) < whole:  # what is cut off is anchored anew there, and is not walked around here
            continue
        checked += 1
        found = gains.compare(before, access(shut))
        far = np.max([found.change_min[kind] for kind in EVERYDAY], axis=0)
        assert (far > criticality.FARTHER_MIN).sum() == row.buildings
        assert far.max() == pytest.approx(row.worst_min, abs=1e-6)
    assert checked >= 2


# --- power cut ----------------------------------------------------------------------------------------------
def test_a_battery_lasts_as_long_as_division_says() -> None:
    load, none = np.full((1, 240), 1.0), np.zeros((1, 240))
    found = outage.supplied(load, none, np.array([10.0]), held=1.0, most=48)
    assert set(found.hours[0]) == {math.floor(10 * outage.EFFICIENCY_ONE_WAY)}
    assert set(outage.supplied(load, none, np.array([10.0]), held=1.0, essential=0.25).hours[0]) == {38.0}
    weak = outage.supplied(load, none, np.array([10.0]), held=1.0, storage_kw=np.array([0.5]))
    assert set(weak.hours[0]) == {0.0}
    day = np.tile(np.r_[np.zeros(12), np.full(12, 3.0)], 10)[None]
    sunny = outage.supplied(load, day, np.array([40.0]), held=1.0, most=72)
    assert set(sunny.hours[0]) == {72.0}
    assert sunny.share(72)[0] == 1.0
    dark = outage.supplied(load, day, np.array([0.0]), starts=np.arange(24))
    assert dark.hours[0].tolist() == [0.0] * 12 + [12.0 - k for k in range(12)]


@settings(max_examples=30, deadline=None)
@given(st.floats(0, 30), st.floats(0, 30), st.integers(0, 2**31))
def test_more_storage_and_company_never_shorten_the_worst(small: float, more: float, seed: int) -> None:
    dice = np.random.default_rng(seed)
    load, solar = dice.uniform(0.2, 2, (3, 168)), dice.uniform(0, 3, (3, 168)) * (np.arange(168) % 24 > 8)
    kwh = np.array([small, small / 2, 0.0])
    little = outage.supplied(load, solar, kwh)
    assert (outage.supplied(load, solar, kwh + more).hours >= little.hours).all()
    zeros = np.zeros(3, dtype=np.int64)
    shared = outage.supplied(
        outage.together(load, zeros, 1), outage.together(solar, zeros, 1), outage.together(kwh, zeros, 1)
    )
    assert (shared.hours[0] >= little.hours.min(axis=0)).all()
    assert (little.quantile(0.1) <= little.quantile(0.5)).all()


@settings(max_examples=30, deadline=None)
@given(st.lists(st.integers(0, 4), max_size=6), st.integers(0, 2**31))
def test_a_tally_of_parts_says_what_all_cuts_together_say(sizes: list[int], seed: int) -> None:
    dice = np.random.default_rng(seed)
    parts = [outage.Supply(dice.integers(0, 73, (size, 9)).astype(float), 72) for size in sizes]
    tally = outage.Tally.empty()
    for part in parts:
        tally.add(part)
    hours = np.concatenate([part.hours for part in parts]) if parts else np.zeros((0, 9))
    for limit in (0, 4, 24, 72):
        assert tally.share(limit) == pytest.approx((hours >= limit).mean() if hours.size else 0.0)
    assert tally.median() == (np.median(hours) if hours.size else 0.0)


# --- heat ---------------------------------------------------------------------------------------------------
def test_heat_is_the_same_however_many_buildings_are_asked_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    dice = np.random.default_rng(4)
    houses = [shapely.box(x, y, x + w, y + w) for x, y, w in dice.uniform(0, 400, (25, 3)) * [1, 1, 0.1]]
    parks = [shapely.box(x, y, x + 60, y + 60) for x, y in dice.uniform(0, 400, (3, 2))]
    planted = dice.random(25) < 0.3
    found = []
    for at_once in (1000, 7, 25):
        monkeypatch.setattr(heat, "AT_ONCE", at_once)
        found.append(heat.exposure(houses, np.linspace(3, 30, 25), parks, planted=planted))
    for other in found[1:]:
        for name in ("built", "green", "height_m", "level"):
            np.testing.assert_array_equal(getattr(other, name), getattr(found[0], name))
    assert heat.exposure([], np.zeros(0), []).level.tolist() == []


def test_dense_without_green_is_strong_and_a_park_cools_it() -> None:
    block = [shapely.box(x, y, x + 15, y + 15) for x in range(0, 600, 20) for y in range(0, 600, 20)]
    tall = np.full(len(block), 20.0)
    bare = heat.exposure(block, tall, [])
    middle = block.index(shapely.box(300, 300, 315, 315))
    assert bare.built[middle] == pytest.approx(0.5625, abs=0.05)
    assert bare.level[middle] == heat.STRONG
    assert bare.height_m[middle] == pytest.approx(20)
    park = heat.exposure(block, tall, [shapely.box(0, 0, 600, 600)])
    assert park.green[middle] == pytest.approx(1 - park.built[middle])
    assert park.level[middle] == heat.MODERATE
    lone = heat.exposure([*block[:1], shapely.box(900, 900, 910, 910)], np.array([20.0, 5.0]), [])
    assert lone.level[1] == heat.WEAK


# --- rain ---------------------------------------------------------------------------------------------------
BOWL = """ncols 5
nrows 5
xllcorner 100
yllcorner 200
cellsize 10
NODATA_value -9
9 9 9 9 9
9 5 5 5 9
9 5 2 5 7
9 5 5 5 9
9 9 9 9 9
"""


def test_a_bowl_fills_to_its_lowest_rim_and_runs_out_there() -> None:
    grid = rain.read_ascii(BOWL, "bowl.asc")
    found = rain.runoff(grid)
    assert found.depth_m[2].tolist() == [0, 2, 5, 2, 0]
    assert found.upstream[2, 4] == 25  # everything runs into the bowl and out of its gap
    assert [int(v[0]) for v in grid.at(np.array([[141.0, 229.0]]))] == [2, 4]
    assert [int(v[0]) for v in grid.at(np.array([[99.0, 229.0]]))] == [-1, -1]


@pytest.mark.parametrize(
    "text", ["", "ncols 2\nnrows 2\ncellsize 1\n1 2 3 4", BOWL[:-3], BOWL.replace("ncols 5", "ncols five"), "x" + BOWL]
)
def test_a_broken_grid_says_so(text: str) -> None:
    with pytest.raises(Unreadable):
        rain.read_ascii(text, "grid.asc")


@settings(max_examples=40, deadline=None)
@given(st.integers(3, 9), st.integers(3, 9), st.integers(0, 2**31), st.booleans())
def test_water_stands_as_high_as_the_lowest_pass_and_none_is_lost(
    rows: int, columns: int, seed: int, holes: bool
) -> None:
    dice = np.random.default_rng(seed)
    z = dice.integers(0, 6, (rows, columns)).astype(float)
    if holes:
        z[dice.random(z.shape) < 0.1] = np.nan
    found = rain.runoff(rain.Grid(z, 0, 0, 1))
    # the lowest pass by relaxation until nothing changes
    open_ = np.pad(z, 1, constant_values=np.nan)
    level = np.full(open_.shape, np.inf)
    level[np.isnan(open_)] = -np.inf
    for _ in range(rows * columns + 1):
        around = np.min([np.roll(level, (dr, dc), (0, 1)) for dr in (-1, 0, 1) for dc in (-1, 0, 1)], axis=0)
        level = np.where(np.isnan(open_), -np.inf, np.minimum(level, np.maximum(open_, around)))
    known = ~np.isnan(z)
    np.testing.assert_allclose((z + found.depth_m)[known], level[1:-1, 1:-1][known])
    assert np.isnan(found.depth_m[~known]).all()
    assert (found.upstream[known] >= 1).all()
    assert found.upstream[known].max(initial=1) <= known.sum()


# --- carbon -------------------------------------------------------------------------------------------------
def test_the_ledger_adds_up_and_counts_production_once() -> None:
    plain = carbon.ledger(heat_kwh=1000.0, power_kwh=500.0, people=10.0, home_floor_m2=0.0)
    parts = {line.part: line.kg.middle for line in plain.lines}
    assert parts["buildings"] == pytest.approx(1000 * carbon.HEAT.kg.middle)
    assert parts["mobility"] == pytest.approx(10 * 4500 * carbon.CAR.kg.middle)
    assert plain.total_kg.middle == pytest.approx(sum(parts.values()))
    assert plain.total_kg.low < plain.total_kg.middle < plain.total_kg.high
    made = carbon.ledger(heat_kwh=1000.0, power_kwh=500.0, people=10.0, home_floor_m2=0.0, production_kwh=200.0)
    assert made.total_kg.middle == pytest.approx(plain.total_kg.middle)
    driven = carbon.ledger(heat_kwh=0, power_kwh=0, people=None, home_floor_m2=400, vehicle_km=100.0)
    assert driven.total_kg.middle == pytest.approx(100 * carbon.CAR.kg.middle)
    with pytest.raises(ValueError, match="does not hold"):
        carbon.Span(2, 1, 3)
