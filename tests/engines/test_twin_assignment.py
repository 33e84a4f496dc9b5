"""User equilibrium: by hand, by an independent quadratic programme (HiGHS), by the variational inequality with
another program's shortest ways (scipy), and against published objectives where the networks are at hand.
"""

import os
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.sparse import csr_array
from scipy.sparse.csgraph import dijkstra

from twin.engine import tntp
from twin.engine.assignment import Assignment, Demand, Links, assign

BRAESS_NET = """<NUMBER OF ZONES> 2
<NUMBER OF NODES> 4
<FIRST THRU NODE> 1
<NUMBER OF LINKS> 5
<END OF METADATA>

~ init_node term_node capacity length free_flow_time b power speed toll link_type ;
 1 3 1 100 0.00000001 1000000000 1 0 0 1 ;
 1 4 1 100 50 0.02 1 0 0 1 ;
 3 2 1 100 50 0.02 1 0 0 1 ;
 3 4 1 100 10 0.1 1 0 0 1 ;
 4 2 1 100 0.00000001 1000000000 1 0 0 1;
"""
BRAESS_TRIPS = """<NUMBER OF ZONES> 2
<TOTAL OD FLOW> 6.0
<END OF METADATA>

Origin 1
 1 : 0.0; 2 : 6.0;
"""


def links(rows: list[tuple[int, int, float, float, float, float]], nodes: int, **more: object) -> Links:
    """Links of (tail, head, free flow, capacity, b, power)."""
    table = np.array(rows, dtype=float).reshape(-1, 6)
    made = Links(
        nodes=nodes,
        tail=table[:, 0].astype(np.int64),
        head=table[:, 1].astype(np.int64),
        free_flow=table[:, 2].copy(),
        capacity=table[:, 3].copy(),
        b=table[:, 4].copy(),
        power=table[:, 5].copy(),
        fixed=np.zeros(len(table)),
        through=np.ones(nodes, dtype=bool),
        closed=np.zeros(len(table), dtype=bool),
    )
    return replace(made, **more)


def demand(*trips: tuple[int, int, float]) -> Demand:
    table = np.array(trips, dtype=float).reshape(-1, 3)
    return Demand(table[:, 0].astype(np.int64), table[:, 1].astype(np.int64), table[:, 2].copy())


def costs(network: Links, flow: np.ndarray) -> np.ndarray:
    """The cost function as the form of the files defines it, written again here."""
    capacity = np.where(network.capacity > 0, network.capacity, 1.0)
    return network.fixed + network.free_flow * (1 + network.b * (flow / capacity) ** network.power)


def certified(network: Links, od: Demand, found: Assignment, gap: float) -> None:
    """Flows that some trips really make, whose total time is within the gap of everybody's shortest way (scipy)."""
    ways = found.ways
    rebuilt, carried = np.zeros(len(network.tail)), np.zeros(len(ways.origin))
    for p, q in enumerate(ways.pair):
        way = ways.link[ways.first[p] : ways.first[p + 1]]
        assert network.tail[way[0]] == ways.origin[q]
        assert network.head[way[-1]] == ways.destination[q]
        assert (network.head[way[:-1]] == network.tail[way[1:]]).all()
        assert network.through[network.tail[way[1:]]].all()
        assert not network.closed[way].any()
        assert ways.flow[p] >= 0
        np.add.at(rebuilt, way, ways.flow[p])
        carried[q] += ways.flow[p]
    assert found.flow == pytest.approx(rebuilt, rel=1e-9, abs=1e-9)
    cost = costs(network, found.flow)
    assert found.cost_s == pytest.approx(cost, rel=1e-9)
    shortest = shortest_by_scipy(network, cost)
    least = 0.0
    for o, d, n in zip(od.origin, od.destination, od.trips, strict=True):
        if o != d and n > 0 and np.isfinite(shortest[o, d]):
            least += n * shortest[o, d]
    total = float(found.flow @ cost)
    assert found.total_travel_time == pytest.approx(total, rel=1e-9)
    assert total - least <= (gap + 1e-9) * max(total, 1e-9)
    served = {(int(o), int(d)): n for o, d, n in zip(ways.origin, ways.destination, carried, strict=True)}
    for o, d, n in zip(od.origin, od.destination, od.trips, strict=True):
        if o != d and n > 0:
            wanted = n if np.isfinite(shortest[o, d]) else 0.0
            assert served[int(o), int(d)] == pytest.approx(wanted, rel=1e-9)


def shortest_by_scipy(network: Links, cost: np.ndarray) -> np.ndarray:
    """All shortest ways; nodes that nobody passes are split in two (scipy knows no such nodes)."""
    n, best = network.nodes, {}
    for t, h, c, closed in zip(network.tail, network.head, cost, network.closed, strict=True):
        to = int(h) if network.through[h] else int(h) + n
        if not closed and t != h:
            best[int(t), to] = min(best.get((int(t), to), np.inf), c + 1e-15)
    rows, columns = [k[0] for k in best], [k[1] for k in best]
    graph = csr_array((list(best.values()), (rows, columns)), shape=(2 * n, 2 * n))
    distance = dijkstra(graph)
    return np.where(network.through, distance[:n, :n], distance[:n, n:])


def test_two_ways_by_hand() -> None:
    """Times 10 + x and 20 + x/2 with 30 trips: x = 50/3, equal times 80/3."""
    network = links([(0, 1, 10, 10, 1, 1), (0, 1, 20, 40, 1, 1)], 2)
    found = assign(network, demand((0, 1, 30)), gap=1e-12)
    assert found.flow == pytest.approx([50 / 3, 40 / 3], rel=1e-9)
    assert found.cost_s == pytest.approx([80 / 3, 80 / 3], rel=1e-9)
    assert found.objective == pytest.approx(10 * 50 / 3 + (50 / 3) ** 2 / 2 + 20 * 40 / 3 + (40 / 3) ** 2 / 4)


def test_braess_is_read_and_its_paradox_found() -> None:
    """Each of the three ways takes 92 minutes with the bridge and 83 without it."""
    network = tntp.network(BRAESS_NET)
    od = tntp.trips(BRAESS_TRIPS, network.zones)
    found = assign(network, od, gap=1e-9)
    assert found.flow == pytest.approx([4, 2, 2, 2, 4], abs=1e-6)
    assert found.pair_cost_s[1] == pytest.approx(92, rel=1e-7)
    assert found.objective == pytest.approx(386, rel=1e-7)
    closed = np.array([False, False, False, True, False])
    without = assign(replace(network.links(), closed=closed), od, gap=1e-9, start=found)
    assert without.pair_cost_s[1] == pytest.approx(83, rel=1e-7)
    assert without.flow == pytest.approx([3, 3, 3, 0, 3], abs=1e-6)


def test_nobody_passes_a_zone() -> None:
    rows = [(0, 1, 1, 1, 0, 0), (1, 2, 1, 1, 0, 0), (0, 2, 50, 1, 0, 0)]
    open_ = assign(links(rows, 3), demand((0, 2, 5)))
    assert open_.pair_cost_s[0] == 2
    shut = assign(links(rows, 3, through=np.array([True, False, True])), demand((0, 2, 5), (1, 2, 1)))
    assert list(shut.pair_cost_s) == [50, 1]


def test_trips_without_a_way_are_told_not_forced() -> None:
    found = assign(links([(0, 1, 1, 1, 0.15, 4)], 3), demand((0, 1, 2), (0, 2, 7), (1, 1, 3)))
    assert found.unserved == 7
    assert np.isinf(found.pair_cost_s[1])
    assert list(found.flow) == [2]
    nothing = assign(links([(0, 1, 1, 1, 0.15, 4)], 3, closed=np.array([True])), demand((0, 1, 2)))
    assert (nothing.unserved, nothing.gap, nothing.total_travel_time) == (2, 0, 0)


def test_links_that_make_no_sense_are_refused() -> None:
    od = demand((0, 1, 1))
    for row in [(0, 1, 1, 0, 0.15, 4), (0, 1, -1, 1, 0, 0), (0, 1, np.nan, 1, 0, 0), (0, 5, 1, 1, 0, 0)]:
        with pytest.raises(ValueError, match=r"capacity|negative|node"):
            assign(links([row], 2), od)
    with pytest.raises(ValueError, match="negative"):
        assign(links([(0, 1, 1, 1, 0, 0)], 2), demand((0, 1, -1)))


def quadratic(network: Links, od: Demand) -> float:
    """Beckmann's programme with power 1 by HiGHS, one commodity an origin, and only where all is reachable."""
    import highspy

    m, origins = len(network.tail), sorted(set(od.origin.tolist()))
    alpha = network.free_flow * network.b / network.capacity
    columns = m + m * len(origins)
    model = highspy.HighsModel()
    lp = model.lp_
    rows: list[tuple[dict[int, float], float]] = []
    for i in range(m):  # the flow of a link is the sum over the origins
        rows.append(({i: -1.0} | {m + k * m + i: 1.0 for k in range(len(origins))}, 0.0))
    for k, o in enumerate(origins):
        for node in range(network.nodes):
            entries: dict[int, float] = {}
            for i in range(m):
                if network.tail[i] == node:
                    entries[m + k * m + i] = entries.get(m + k * m + i, 0) + 1.0
                if network.head[i] == node:
                    entries[m + k * m + i] = entries.get(m + k * m + i, 0) - 1.0
            mine = od.origin == o
            leaves = od.trips[mine].sum() if node == o else 0.0
            rows.append((entries, float(leaves - od.trips[mine & (od.destination == node)].sum())))
    lp.num_col_, lp.num_row_ = columns, len(rows)
    lp.col_cost_ = np.concatenate([network.free_flow + network.fixed, np.zeros(columns - m)])
    lp.col_lower_, lp.col_upper_ = np.zeros(columns), np.full(columns, highspy.kHighsInf)
    lp.row_lower_ = lp.row_upper_ = np.array([right for _entries, right in rows])
    lp.a_matrix_.format_ = highspy.MatrixFormat.kRowwise
    lp.a_matrix_.start_ = np.cumsum([0, *(len(entries) for entries, _right in rows)])
    lp.a_matrix_.index_ = np.array([i for entries, _right in rows for i in entries])
    lp.a_matrix_.value_ = np.array([v for entries, _right in rows for v in entries.values()])
    model.hessian_.dim_ = columns
    model.hessian_.start_ = np.concatenate([np.arange(m + 1), np.full(columns - m, m)])
    model.hessian_.index_, model.hessian_.value_ = np.arange(m), alpha
    solver = highspy.Highs()
    solver.setOptionValue("output_flag", False)
    solver.passModel(model)
    solver.run()
    assert solver.getModelStatus() == highspy.HighsModelStatus.kOptimal
    return float(solver.getObjectiveValue())


@pytest.mark.parametrize("seed", range(6))
def test_straight_costs_against_a_quadratic_programme(seed: int) -> None:
    dice = np.random.default_rng(seed)
    n = 7
    ring = [(i, (i + 1) % n) for i in range(n)]
    pairs = ring + [tuple(dice.choice(n, 2, replace=False)) for _ in range(16)]
    rows = [(a, b, dice.uniform(1, 9), dice.uniform(2, 8), dice.uniform(0.1, 2), 1) for a, b in pairs]
    network = links(rows, n, fixed=dice.uniform(0, 2, len(rows)))
    od = demand(*((*dice.choice(n, 2, replace=False), dice.uniform(1, 9)) for _ in range(12)))
    keys, place = np.unique(od.origin * n + od.destination, return_inverse=True)
    od = Demand(keys // n, keys % n, np.bincount(place, weights=od.trips))
    found = assign(network, od, gap=1e-10, max_iterations=500)
    assert found.gap <= 1e-10
    assert found.objective == pytest.approx(quadratic(network, od), rel=1e-6)
    certified(network, od, found, 1e-10)


@st.composite
def cities(draw: st.DrawFn) -> tuple[Links, Demand]:
    """Small networks with what real files have: parallel and constant links, times of 0, loops, zones."""
    n = draw(st.integers(3, 9))
    node = st.integers(0, n - 1)
    m = draw(st.integers(2, 30))
    rows = [
        (
            draw(node),
            draw(node),
            draw(st.sampled_from([0.0, 0.5, 1.0, 3.0, 10.0])),
            draw(st.sampled_from([0.5, 1.0, 7.0, 2000.0])),
            draw(st.sampled_from([0.0, 0.15, 1.0, 5.0])),
            draw(st.sampled_from([0.0, 1.0, 1.852, 4.0, 6.5])),
        )
        for _ in range(m)
    ]
    closed = np.array([draw(st.integers(0, 9)) == 0 for _ in range(m)])
    through = np.arange(n) >= draw(st.integers(0, n // 2))
    pairs = draw(st.lists(st.tuples(node, node), min_size=1, max_size=12, unique=True))
    od = demand(*((a, b, draw(st.sampled_from([0.0, 0.3, 1.0, 12.0]))) for a, b in pairs))
    return links(rows, n, closed=closed, through=through), od


@settings(max_examples=60, deadline=None)
@given(cities())
def test_every_small_city_holds_its_certificate(city: tuple[Links, Demand]) -> None:
    network, od = city
    found = assign(network, od, gap=1e-6, max_iterations=2000)
    assert found.gap <= 1e-6
    assert found.lower_bound <= found.objective * (1 + 1e-12) + 1e-12
    certified(network, od, found, 1e-6)


@settings(max_examples=60, deadline=None)
@given(cities(), st.integers(0, 2**20), st.sampled_from([0.0, 0.5, 2.0]))
def test_a_warm_start_ends_where_a_cold_one_does(city: tuple[Links, Demand], bits: int, factor: float) -> None:
    """Other closed links and other trips, from the ways of before."""
    network, od = city
    before = assign(network, od, gap=1e-4, max_iterations=2000)
    closed = np.array([bool(bits >> i % 20 & 1) and i % 3 == 0 for i in range(len(network.tail))])
    changed = replace(network, closed=closed)
    other = Demand(od.origin, od.destination, od.trips * np.where(np.arange(len(od.trips)) % 2, factor, 1.0))
    warm = assign(changed, other, gap=1e-7, max_iterations=2000, start=before)
    cold = assign(changed, other, gap=1e-7, max_iterations=2000)
    certified(changed, other, warm, 1e-7)
    assert warm.objective == pytest.approx(cold.objective, rel=1e-6, abs=1e-9)
    assert warm.unserved == pytest.approx(cold.unserved)


def test_the_same_inputs_give_the_same_bits() -> None:
    dice = np.random.default_rng(5)
    rows = [(*dice.choice(30, 2, replace=False), dice.uniform(1, 5), dice.uniform(1, 9), 0.15, 4) for _ in range(200)]
    network, od = links(rows, 30), demand(*((*dice.choice(30, 2), 3.0) for _ in range(100)))
    one, two = assign(network, od), assign(network, od)
    assert one.flow.tobytes() == two.flow.tobytes()
    assert one.objective == two.objective


def test_distance_and_tolls_weigh_as_fixed_time() -> None:
    text = "<NUMBER OF ZONES> 2\n<NUMBER OF NODES> 2\n<END OF METADATA>\n1 2 10 7 1 0.15 4 60 3 1;\n1 2 10 9 2 0 0;\n"
    network = tntp.network(text, toll_weight=0.5, distance_weight=2.0)
    assert list(network.links().fixed) == [1.5 + 14, 18]


@pytest.mark.parametrize(
    ("file", "says"),
    [
        ("", "no <END OF METADATA>"),
        ("hello\n", "line 1"),
        (BRAESS_NET.replace("<NUMBER OF NODES> 4", "<NUMBER OF NODES> four"), "line 2: <NUMBER OF NODES>"),
        (BRAESS_NET.replace("<NUMBER OF ZONES> 2\n", ""), "<NUMBER OF ZONES> is missing"),
        (BRAESS_NET.replace("LINKS> 5", "LINKS> 6"), "cut off"),
        (BRAESS_NET.replace(" 3 4 1", " 3 9 1"), "line 11: term_node: 9"),
        (BRAESS_NET.replace(" 3 4 1 100 10 ", " 3 4 0 100 10 "), "line 11: a link with capacity 0"),
        (BRAESS_NET.replace(" 3 4 1 100 10 ", " 3 4 1 100 ten "), "line 11: free_flow_time: “ten”"),
        (BRAESS_NET.replace(" 3 4 1 100 10 ", " 3 4 1 100 nan "), "line 11: free_flow_time"),
        (BRAESS_NET.replace(" 3 4 1 100 10 ", " 3 4 1 100 -10 "), "not below 0"),
        (BRAESS_NET.replace(" 3 4 1 100 10 0.1 1 0 0 1 ;", " 3 4 1 ;"), "line 11: a link has at least 7 columns"),
    ],
)
def test_a_bad_network_is_refused_with_its_line(file: str, says: str) -> None:
    with pytest.raises(tntp.NotTntp) as refused:
        tntp.network(file)
    assert says in str(refused.value)


@pytest.mark.parametrize(
    ("file", "says"),
    [
        (BRAESS_TRIPS.replace("FLOW> 6.0", "FLOW> 60"), "line 2: <TOTAL OD FLOW>"),
        (BRAESS_TRIPS.replace("ZONES> 2", "ZONES> 3"), "line 1"),
        (BRAESS_TRIPS.replace("Origin 1", ""), "line 6: trips stand before"),
        (BRAESS_TRIPS.replace("Origin 1", "Origin 5"), "line 5: “5” is not one of the zones"),
        (BRAESS_TRIPS.replace("2 : 6.0", "2 : 3; 2 : 3"), "given twice"),
        (BRAESS_TRIPS.replace("2 : 6.0", "2 6.0"), "is not “destination : trips;”"),
        (BRAESS_TRIPS.replace("2 : 6.0", "2 : inf"), "finite"),
    ],
)
def test_bad_trips_are_refused_with_their_line(file: str, says: str) -> None:
    with pytest.raises(tntp.NotTntp) as refused:
        tntp.trips(file, 2)
    assert says in str(refused.value)


SHARED = Path(os.environ.get("LIVINGCITY_SHARED", "/nowhere")) / "data" / "twin" / "networks"


@pytest.mark.parametrize(
    ("name", "objective"),
    [
        ("SiouxFalls", 4231335.28710744),
        ("Anaheim", 1286032.171096032),
        ("Winnipeg", 827911.494629963),
        ("Barcelona", 1265654.92203176),
    ],
)
def test_the_published_objectives(name: str, objective: float) -> None:
    """Licensed for research alone, so the files are never in the repository."""
    if not (SHARED / name).is_dir():
        pytest.skip("needs LIVINGCITY_SHARED")
    network = tntp.network((SHARED / name / f"{name}_net.tntp").read_text())
    od = tntp.trips((SHARED / name / f"{name}_trips.tntp").read_text(), network.zones)
    found = assign(network, od, gap=1e-6)
    assert found.gap <= 1e-6
    assert found.objective == pytest.approx(objective, rel=1e-6)
    assert found.lower_bound <= objective * (1 + 1e-9)
