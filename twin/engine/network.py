"""The roads of a district as the assignment takes them: junctions, zones, stations at the rim, and the way round.

- Roads: every piece of street that is open to cars, one link for each direction. A node with two like pieces and
  nothing else is no junction: they become one link (exact: time adds up, flow over capacity stays). Only the largest
  strongly connected piece is kept, counting the way round outside.
- Zones: cells of a grid that hold buildings; each is a node that nobody passes, tied by connectors of constant
  time to junctions within it, or to the nearest one.
- Stations: streets that end near the rim of the file go on in reality. Trips from and to the world begin and end there.
- Outside: from station to station one may also drive round the district, in a constant time that is an assumption.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array
from scipy.sparse.csgraph import connected_components
from scipy.spatial import KDTree

from twin.engine.assignment import Links
from twin.engine.crs import to_metres
from twin.engine.model import CityModel, Thing

Floats: TypeAlias = NDArray[np.float64]
Ints: TypeAlias = NDArray[np.int64]
Bools: TypeAlias = NDArray[np.bool_]

ROAD, CONNECTOR, OUTSIDE = 0, 1, 2

B, POWER = 0.15, 4.0
"""Bureau of Public Roads, Traffic Assignment Manual (1964): time = free time x (1 + 0.15 (flow/capacity)^4)."""
CONNECTOR_KMH = 15.0
MOST_ZONES = 240
SMALLEST_CELL_M = 150.0
MOST_STATIONS = 120
RIM_SHARE = 0.08
RIM_MOST_M = 300.0
"""How far from the rim of a file a street may end and still go on in reality: a share of its extent, at most this."""
OUTSIDE_KMH = 40.0
OUTSIDE_DETOUR = 2.2
_NO_STATION = frozenset({"service", "living_street"})


@dataclass(frozen=True, slots=True)
class Zone:
    """A place where trips begin and end. `node`: its node; `buildings`: their places in the model's list.

    A station has no buildings; `capacity_in`, `capacity_out`: vehicles an hour that its street lets in and out.
    """

    node: int
    xy_m: tuple[float, float]
    name: str = ""
    buildings: tuple[int, ...] = ()
    station: bool = False
    capacity_in: float = 0.0
    capacity_out: float = 0.0


@dataclass(frozen=True, slots=True)
class RoadNetwork:
    """m links between n nodes. All arrays (m,); `kind` is ROAD, CONNECTOR or OUTSIDE; `xy_m` (n, 2).

    `pieces[i]`: the keys of the streets that road i is made of, in its direction, none for others. `forward`: whether
    it runs along the lines as they are drawn. `kept_share`: of the length of all streets open to cars.
    """

    tail: Ints
    head: Ints
    length_m: Floats
    free_flow_s: Floats
    capacity_veh_h: Floats
    speed_kmh: Floats
    kind: Ints
    closed: Bools
    forward: Bools
    pieces: tuple[tuple[str, ...], ...]
    xy_m: Floats
    zones: tuple[Zone, ...]
    kept_share: float = 1.0
    fixed_s: Floats = field(default_factory=lambda: np.zeros(0))
    lanes: Ints = field(default_factory=lambda: np.zeros(0, dtype=np.int64))

    @property
    def key(self) -> tuple[str, ...]:
        """The first street of each link, empty for what is no road."""
        return tuple(names[0] if names else "" for names in self.pieces)

    def links(self) -> Links:
        """For the assignment, in seconds."""
        n = len(self.xy_m)
        through = np.ones(n, dtype=np.bool_)
        through[[zone.node for zone in self.zones if not zone.station]] = False
        roads = self.kind == ROAD
        return Links(
            nodes=n,
            tail=self.tail,
            head=self.head,
            free_flow=self.free_flow_s,
            capacity=self.capacity_veh_h,
            b=np.where(roads, B, 0.0),
            power=np.where(roads, POWER, 1.0),
            fixed=self.fixed_s if len(self.fixed_s) else np.zeros(len(self.tail)),
            through=through,
            closed=self.closed,
        )

    def of(self, keys: Collection[str]) -> Ints:
        """The links that are made of any of these streets, both directions."""
        wanted = set(keys)
        return np.array([i for i, names in enumerate(self.pieces) if wanted.intersection(names)], dtype=np.int64)

    def close(self, keys: Collection[str]) -> "RoadNetwork":
        """A copy in which nobody drives on these streets."""
        closed = self.closed.copy()
        closed[self.of(keys)] = True
        return replace(self, closed=closed)

    def calm(self, keys: Collection[str], *, speed_kmh: float, capacity_share: float = 1.0) -> "RoadNetwork":
        """A copy in which these streets are no faster than `speed_kmh` and take this share of their capacity."""
        if speed_kmh <= 0 or capacity_share <= 0:
            raise ValueError("a calmed street keeps some speed and some capacity; else close it")
        there = self.of(keys)
        speed, time, capacity = self.speed_kmh.copy(), self.free_flow_s.copy(), self.capacity_veh_h.copy()
        slower = np.minimum(speed[there], speed_kmh)
        time[there] *= speed[there] / slower
        speed[there] = slower
        capacity[there] *= capacity_share
        return replace(self, speed_kmh=speed, free_flow_s=time, capacity_veh_h=capacity)


@dataclass(slots=True)
class _Piece:
    """One street between two nodes, or a chain of them: `ways` are (key, along) from a to b."""

    a: int
    b: int
    length_m: float
    like: tuple[float, float, str, int]  # capacity, speed, class, lanes of a direction
    oneway: int
    ways: list[tuple[str, bool]]

    def turned(self) -> "_Piece":
        """The same from b to a."""
        back = [(key, not along) for key, along in reversed(self.ways)]
        return _Piece(self.b, self.a, self.length_m, self.like, -self.oneway, back)


def road_network(model: CityModel, *, merge: bool = True) -> RoadNetwork:
    """The network of a model. Raises ValueError when no street is open to cars.

    Without `merge` every piece of street is a link of its own: the same answer from more links.
    """
    streets = [street for street in model.streets if street.properties.get("car")]
    if not streets:
        raise ValueError("no street is open to cars")
    at = _ends(model, streets)
    pieces = [_piece(street) for street in streets]
    pieces = _merged(pieces) if merge else pieces
    stations = _stations(pieces, at, model)
    pieces, kept = _connected(pieces, stations)
    if not pieces:
        raise ValueError("the streets that are open to cars do not hang together")
    return _built(model, pieces, at, stations, kept)


def _ends(model: CityModel, streets: Iterable[Thing]) -> dict[int, tuple[float, float]]:
    """Where each node is, in the metres of the model."""
    assert model.epsg is not None  # noqa: S101 every reader sets it
    degrees: dict[int, list[float]] = {}
    for street in streets:
        line = street.geometry["coordinates"]
        degrees[street.properties["a"]], degrees[street.properties["b"]] = line[0], line[-1]
    x, y = to_metres(model.epsg)(*np.array([place[:2] for place in degrees.values()], dtype=np.float64).T)
    return dict(zip(degrees, zip(x.tolist(), y.tolist(), strict=True), strict=True))


def _piece(street: Thing) -> _Piece:
    p = street.properties
    capacity = float(p.get("capacity_veh_h") or p.get("capacity_per_h") or 300.0)
    speed = max(float(p.get("speed_kmh") or 30.0), 3.0)
    oneway = int(p.get("oneway") or 0)
    lanes = max(round(float(p.get("lanes") or 1.0) / (1 if oneway else 2)), 1)
    like = (capacity, speed, str(p.get("class") or p.get("highway") or ""), lanes)
    length = max(float(p["length_m"]), 0.1)
    return _Piece(p["a"], p["b"], length, like, oneway, [(street.key, True)])


def _merged(pieces: list[_Piece]) -> list[_Piece]:
    """Chains of like pieces as one, by way of the nodes where nothing else meets."""
    around: dict[int, list[int]] = defaultdict(list)
    for i, piece in enumerate(pieces):
        around[piece.a].append(i)
        around[piece.b].append(i)

    def onward(node: int, i: int) -> int | None:
        """The only other piece at a node, if it goes on as this one does."""
        here = around[node]
        if len(here) != 2 or here[0] == here[1]:
            return None
        other = here[0] if here[1] == i else here[1]
        one = pieces[i] if pieces[i].b == node else pieces[i].turned()
        two = pieces[other] if pieces[other].a == node else pieces[other].turned()
        return other if one.like == two.like and one.oneway == two.oneway else None

    done: set[int] = set()
    chains: list[_Piece] = []
    for i, piece in enumerate(pieces):
        if i in done:
            continue
        done.add(i)
        chain = piece
        for _side in range(2):  # on from b, then on from a
            last = i
            while (following := onward(chain.b, last)) is not None and following not in done:
                done.add(following)
                there = pieces[following] if pieces[following].a == chain.b else pieces[following].turned()
                ways, length = chain.ways + there.ways, chain.length_m + there.length_m
                chain = _Piece(chain.a, there.b, length, chain.like, chain.oneway, ways)
                last = following
            chain = chain.turned()
        chains.append(chain)
    return chains


def _stations(pieces: list[_Piece], at: Mapping[int, tuple[float, float]], model: CityModel) -> list[int]:
    """Ends of streets near the rim of the file, where they go on in reality; of many, those that carry most."""
    met: dict[int, int] = defaultdict(int)
    for piece in pieces:
        met[piece.a] += 1
        met[piece.b] += 1
    ends = {
        node: piece.like[0]
        for piece in pieces
        for node in (piece.a, piece.b)
        if met[node] == 1 and piece.like[2] not in _NO_STATION and piece.a != piece.b
    }
    if not ends:
        return []
    xy = np.array(list(at.values()))
    low, high = xy.min(axis=0), xy.max(axis=0)
    margin = np.minimum(RIM_SHARE * (high - low), RIM_MOST_M)
    found = []
    for node in ends:
        place = np.array(at[node])
        if ((place - low < margin) | (high - place < margin)).any():
            found.append(node)
    most = set(sorted(found, key=lambda node: -ends[node])[:MOST_STATIONS])
    return [node for node in found if node in most]


def _connected(pieces: list[_Piece], stations: list[int]) -> tuple[list[_Piece], float]:
    """The largest strongly connected piece, where stations reach each other outside; and its share of the length."""
    nodes = {node: i for i, node in enumerate(dict.fromkeys(n for piece in pieces for n in (piece.a, piece.b)))}
    rows, columns = [], []
    for piece in pieces:
        a, b = nodes[piece.a], nodes[piece.b]
        if piece.oneway >= 0:
            rows.append(a)
            columns.append(b)
        if piece.oneway <= 0:
            rows.append(b)
            columns.append(a)
    world = len(nodes)
    for node in stations:
        rows += [nodes[node], world]
        columns += [world, nodes[node]]
    graph = csr_array((np.ones(len(rows)), (rows, columns)), shape=(world + 1, world + 1))
    _count, label = connected_components(graph, directed=True, connection="strong")
    length = np.zeros(label.max() + 1)
    for piece in pieces:
        if label[nodes[piece.a]] == label[nodes[piece.b]]:
            length[label[nodes[piece.a]]] += piece.length_m
    best = int(length.argmax())
    kept = [p for p in pieces if label[nodes[p.a]] == best == label[nodes[p.b]]]
    whole = sum(piece.length_m for piece in pieces)
    return kept, sum(piece.length_m for piece in kept) / whole


def _built(
    model: CityModel,
    pieces: list[_Piece],
    at: Mapping[int, tuple[float, float]],
    stations: list[int],
    kept: float,
) -> RoadNetwork:
    """Roads, then connectors, then the way round outside."""
    node = {old: new for new, old in enumerate(dict.fromkeys(n for piece in pieces for n in (piece.a, piece.b)))}
    xy = [at[old] for old in node]
    rows: list[tuple[int, int, float, float, float, float, int, bool]] = []
    names: list[tuple[str, ...]] = []
    width: list[int] = []
    for piece in pieces:
        capacity, speed, _class, lanes = piece.like
        for one in (piece, piece.turned()):
            if one.oneway < 0:
                continue
            time = one.length_m / (speed / 3.6)
            along = one.ways[0][1]
            rows.append((node[one.a], node[one.b], one.length_m, time, capacity, speed, ROAD, along))
            names.append(tuple(key for key, _along in one.ways))
            width.append(lanes)
    there = [node[old] for old in stations if old in node]
    ends = [_station(place, xy[place], rows, number) for number, place in enumerate(there)]
    zones = _zones(model, xy, rows, [zone.node for zone in ends])
    for zone, near in zones:
        xy.append(zone.xy_m)
        for other in near:
            away = float(np.hypot(*(np.array(xy[other]) - zone.xy_m)))
            time = max(away, 20.0) / (CONNECTOR_KMH / 3.6)
            rows.append((zone.node, other, away, time, 1.0, CONNECTOR_KMH, CONNECTOR, True))
            rows.append((other, zone.node, away, time, 1.0, CONNECTOR_KMH, CONNECTOR, True))
    if len(ends) > 1:
        _round(xy, rows, ends)
    names += [()] * (len(rows) - len(names))
    width += [1] * (len(rows) - len(width))
    table = np.array([row[:6] for row in rows], dtype=np.float64)
    return RoadNetwork(
        tail=table[:, 0].astype(np.int64),
        head=table[:, 1].astype(np.int64),
        length_m=table[:, 2].copy(),
        free_flow_s=table[:, 3].copy(),
        capacity_veh_h=table[:, 4].copy(),
        speed_kmh=table[:, 5].copy(),
        kind=np.array([row[6] for row in rows], dtype=np.int64),
        closed=np.zeros(len(rows), dtype=np.bool_),
        forward=np.array([row[7] for row in rows], dtype=np.bool_),
        pieces=tuple(names),
        xy_m=np.array(xy),
        zones=(*(zone for zone, _near in zones), *ends),
        kept_share=kept,
        lanes=np.array(width, dtype=np.int64),
    )


Rows: TypeAlias = list[tuple[int, int, float, float, float, float, int, bool]]


def _station(node: int, xy_m: tuple[float, float], rows: Rows, number: int) -> Zone:
    inward = sum(row[4] for row in rows if row[0] == node)
    outward = sum(row[4] for row in rows if row[1] == node)
    return Zone(node, xy_m, str(number + 1), (), True, inward, outward)


def _zones(
    model: CityModel, xy: list[tuple[float, float]], rows: Rows, stations: list[int]
) -> list[tuple[Zone, list[int]]]:
    """Cells with buildings, each with the junctions that it is tied to (at most four)."""
    if not model.buildings:
        return []
    assert model.epsg is not None  # noqa: S101 every reader sets it
    degrees = np.array([_middle(building) for building in model.buildings])
    place = np.column_stack(to_metres(model.epsg)(degrees[:, 0], degrees[:, 1]))
    low, high = place.min(axis=0), place.max(axis=0)
    cell = max(SMALLEST_CELL_M, float(np.sqrt(np.prod(np.maximum(high - low, 1.0)) / MOST_ZONES)))
    inside: dict[tuple[int, int], list[int]] = defaultdict(list)
    for i, (column, row) in enumerate(((place - low) // cell).astype(int).tolist()):
        inside[column, row].append(i)
    usable = sorted({end for row in rows for end in row[:2]}.difference(stations)) or sorted(
        {end for row in rows for end in row[:2]}
    )
    junctions = np.array([xy[i] for i in usable])
    tree = KDTree(junctions)
    found = []
    for number, ((column, row), members) in enumerate(sorted(inside.items())):
        middle = place[members].mean(axis=0)
        _away, near = tree.query(middle, k=min(4, len(usable)), distance_upper_bound=np.inf)
        near = np.atleast_1d(near)
        close = [i for i in near.tolist() if np.hypot(*(junctions[i] - middle)) <= cell] or near[:1].tolist()
        name = f"{chr(65 + column % 26)}{row + 1}" if column < 26 else f"{column + 1}-{row + 1}"
        zone = Zone(len(xy) + number, (float(middle[0]), float(middle[1])), name, tuple(members))
        found.append((zone, [usable[i] for i in close]))
    return found


def _middle(building: Thing) -> tuple[float, float]:
    """The mean of the outer ring's vertices, in degrees."""
    ring = np.array(building.geometry["coordinates"][0][0][:-1])
    lon, lat = ring[:, :2].mean(axis=0)
    return float(lon), float(lat)


def _round(xy: list[tuple[float, float]], rows: Rows, stations: list[Zone]) -> None:
    """A node far out that all stations reach: the way round, as long as the detour times the district's half girth."""
    place = np.array([zone.xy_m for zone in stations])
    middle = place.mean(axis=0)
    half = float(np.ptp(place, axis=0).sum()) / 2 * OUTSIDE_DETOUR / 2
    world = len(xy)
    xy.append((float(middle[0]), float(middle[1])))
    time = max(half, 100.0) / (OUTSIDE_KMH / 3.6)
    for zone in stations:
        rows.append((zone.node, world, half, time, 1.0, OUTSIDE_KMH, OUTSIDE, True))
        rows.append((world, zone.node, half, time, 1.0, OUTSIDE_KMH, OUTSIDE, True))
