"""The optimum of many storages behind one connection, with a bound that proves how good it is.

Classes. Storages that differ only in size merge exactly (`classes`). What is left is a family of storages with
one efficiency and one pattern of absence, each a point (power per kWh, trips per kWh). If there are too many
points, each storage is cut into parts with the shapes of a few anchors of its family, so that capacity, power
and trips add up to its own: what the parts can do the storage can do, so the answer stays feasible, and the
loss is of second order in the distance to the anchors. Where the bound shows a loss, the storage that loses
most becomes an anchor itself.

Windows. HiGHS' simplex needs far less time for many short programmes than for a long one. The year is first
solved in windows of three days; their vertices, put together, are where the simplex over the year begins, and
it has little left to do. The answer is that of the whole programme.

Bound. For any prices of the balance the Lagrangian separates: each storage answers the price alone. That is a
recursion over a convex piecewise linear value function, exact and linear in the steps (`least_cost`); a cyclic
storage gets a price on what it borrows over the seam. The sum is at most the optimum whatever the prices, so
the gap it leaves is proven, storage by storage and without grouping (Dantzig and Wolfe 1960; Lemarechal 2001).
"""

import dataclasses
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from scipy.spatial import Delaunay

from energy.engine import programme
from energy.engine.community import Bools, Floats
from energy.engine.compiled import compiled
from energy.engine.programme import Store
from energy.engine.refusals import Infeasible, gettext_noop

MOST_CLASSES = 128
MOST_ROUNDS = 3
WINDOW_STEPS = 72
LOOK_AHEAD_STEPS = 48
DIRECT_STEPS = 400
TARGET_GAP = 1e-5
MOST_PIECES = 4096


@dataclass(frozen=True, slots=True)
class Connection:
    """One connection point: net energy and curtailable solar (kWh in the step), prices, grid limit both ways
    (kWh in the step; None: none).
    """

    net_kwh: Floats
    pv_kwh: Floats
    buy: Floats
    sell: Floats
    limit_step_kwh: float | None
    cyclic: bool


@dataclass(frozen=True, slots=True)
class Answer:
    """A feasible optimum and its proof. `solution` is by class; `bound` is below every feasible cost; `gap` is
    (cost - bound) over |cost|; `store_values` is what each storage given saves at the prices found; `parts` are
    the classes as they were solved.
    """

    solution: programme.Solution
    bound: float
    gap: float
    store_values: Floats
    parts: tuple[Store, ...]
    method: str

    @property
    def classes(self) -> int:
        """How many storages the programme has."""
        return len(self.parts)


# --- classes --------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Grouping:
    """Classes as the programme sees them, and of which unit shapes (kWh = 1) each storage is made."""

    shapes: tuple[Store, ...]
    kwh: Floats
    of: tuple[int, ...]
    families: tuple[tuple[int, ...], ...]


def _key(store: Store) -> tuple[tuple[object, ...], tuple[float, float]]:
    """The family of a storage, and its point in it: power per kWh, trips per kWh."""
    total = float(store.trips_kwh.sum())
    pattern = np.round(store.trips_kwh / total, 12).tobytes() if total > 0 else b""
    gives = store.discharge_step_kwh / store.charge_step_kwh if store.charge_step_kwh > 0 else 1.0
    gain = b"" if store.gain is None else store.gain.tobytes()
    family = (round(gives, 12), round(store.efficiency, 12), store.away.tobytes(), pattern, round(store.loss, 12), gain)
    return family, (round(store.charge_step_kwh / store.kwh, 12), round(total / store.kwh, 12))


def class_key(store: Store) -> object:
    """What storages that merge exactly have in common."""
    return _key(store)


def group(stores: Sequence[Store]) -> Grouping:
    """Storages by shape, shapes by family, in the order in which they are met."""
    shapes: list[Store] = []
    kwh: list[float] = []
    found: dict[object, int] = {}
    families: dict[object, list[int]] = {}
    of = []
    for store in stores:
        key = _key(store)
        if key not in found:
            found[key] = len(shapes)
            families.setdefault(key[0], []).append(len(shapes))
            shapes.append(scaled(store, 1 / store.kwh))
            kwh.append(0.0)
        kwh[found[key]] += store.kwh
        of.append(found[key])
    return Grouping(tuple(shapes), np.array(kwh), tuple(of), tuple(tuple(f) for f in families.values()))


def scaled(store: Store, by: float) -> Store:
    """The same storage, larger."""
    return dataclasses.replace(
        store,
        kwh=store.kwh * by,
        charge_step_kwh=store.charge_step_kwh * by,
        discharge_step_kwh=store.discharge_step_kwh * by,
        trips_kwh=store.trips_kwh * by,
    )


def classes(stores: Sequence[Store]) -> list[Store]:
    """Storages that merge exactly, merged."""
    groups = group(stores)
    return [scaled(shape, kwh) for shape, kwh in zip(groups.shapes, groups.kwh, strict=True)]


def _points(groups: Grouping, family: Sequence[int]) -> Floats:
    """Shapes of a family as points, each axis scaled to its largest."""
    points = np.array([[groups.shapes[i].charge_step_kwh, groups.shapes[i].trips_kwh.sum()] for i in family])
    most = np.abs(points).max(axis=0)
    return np.asarray(points / np.where(most > 0, most, 1.0))


def _line(points: Floats) -> Floats | None:
    """Positions along a line if all points lie on one."""
    centred = points - points.mean(axis=0)
    _u, sizes, axes = np.linalg.svd(centred, full_matrices=False)
    return np.asarray(centred @ axes[0]) if len(points) < 3 or sizes[1] < 1e-9 * max(sizes[0], 1e-9) else None


def _shares(points: Floats, anchors: Sequence[int]) -> Floats:
    """Each point as a mean of anchors (points by anchors, rows sum to 1)."""
    shares = np.zeros((len(points), len(anchors)))
    line = _line(points)
    if line is not None:
        order = np.argsort(line[list(anchors)])
        for k, j in enumerate(order):
            hat = np.zeros(len(anchors))
            hat[k] = 1.0
            shares[:, j] = np.interp(line, line[list(anchors)][order], hat)
        return shares
    mesh = Delaunay(points[list(anchors)])
    inside = mesh.find_simplex(points, tol=1e-9)
    for i, simplex in enumerate(inside):
        if i in anchors:
            shares[i, list(anchors).index(i)] = 1.0
            continue
        turn = mesh.transform[simplex]
        part = turn[:2] @ (points[i] - turn[2])
        part = np.clip(np.append(part, 1 - part.sum()), 0.0, None)
        shares[i, mesh.simplices[simplex]] = part / part.sum()
    return shares


def _mixing(groups: Grouping, anchors: Sequence[set[int]]) -> tuple[list[int], Floats]:
    """Anchor shapes, and every shape as a mean of them (shapes by anchors)."""
    chosen = [family[i] for family, some in zip(groups.families, anchors, strict=True) for i in sorted(some)]
    shares = np.zeros((len(groups.shapes), len(chosen)))
    column = 0
    for family, some in zip(groups.families, anchors, strict=True):
        shares[np.ix_(family, range(column, column + len(some)))] = _shares(_points(groups, family), sorted(some))
        column += len(some)
    return chosen, shares


def _anchored(groups: Grouping, most: int) -> tuple[Grouping, list[set[int]]]:
    """Which shapes of each family (by their place in it) are anchors: all if they are few enough; else the ends
    of a line of shapes and two between, or the corners around shapes that differ in power and in trips.
    """
    if len(groups.shapes) <= most:
        return groups, [set(range(len(family))) for family in groups.families]
    shapes, families, found = list(groups.shapes), [], []
    for family in groups.families:
        points = _points(groups, family)
        line = _line(points)
        if line is not None:
            wanted = np.linspace(line.min(), line.max(), 4)
            families.append(family)
            found.append({int(np.abs(line - x).argmin()) for x in wanted})
            continue
        corners = _around([shapes[i] for i in family])
        first = len(shapes)
        shapes += corners
        families.append((*family, *range(first, len(shapes))))
        found.append(set(range(len(family), len(family) + len(corners))))
    kwh = np.concatenate([groups.kwh, np.zeros(len(shapes) - len(groups.shapes))])
    return Grouping(tuple(shapes), kwh, groups.of, tuple(families)), found


def _around(family: Sequence[Store]) -> list[Store]:
    """Five shapes between which a family lies. Each drives no more of its capacity, and no more for its power,
    than some member does, so each can charge for its trips.
    """
    power = np.array([s.charge_step_kwh for s in family])
    trips = np.array([float(s.trips_kwh.sum()) for s in family])
    long = float((trips / power).max())
    low, high, least, most = float(power.min()), float(power.max()), float(trips.min()), float(trips.max())
    corners = {(low, least), (high, least), (high, most), (most / long, most), (low, low * long)}
    base = family[0]
    gives, pattern = base.discharge_step_kwh / base.charge_step_kwh, base.trips_kwh / float(base.trips_kwh.sum())
    return [
        dataclasses.replace(base, charge_step_kwh=r, discharge_step_kwh=r * gives, trips_kwh=pattern * q)
        for r, q in sorted(corners)
    ]


# --- windows --------------------------------------------------------------------------------------------


def _cut(store: Store, part: slice) -> Store:
    return dataclasses.replace(
        store,
        trips_kwh=store.trips_kwh[part],
        away=store.away[part],
        gain=None if store.gain is None else store.gain[part],
    )


def beginning(store: Store, *, cyclic: bool) -> float:
    """What a storage holds at first where that is not asked: in a cyclic community half, or room for a trip; else
    nothing.
    """
    if not cyclic:
        return 0.0
    return float(store.kwh / 2 if store.discharge_step_kwh else store.kwh - store.trips_kwh.max())


def windows(at: Connection, stores: Sequence[Store], *, look_ahead: int = 0) -> tuple[programme.Solution, Floats]:
    """The period window after window, each begun where the last ended: feasible, near the optimum, with its
    basis; and the stored energy's worth at the windows' prices. Raises Infeasible.

    A cyclic community begins and ends half full, vehicles that give nothing back with room for a trip. Energy
    left at the end of a window is worth the window's mean import price.
    """
    steps = len(at.net_kwh)
    begin = np.array([beginning(s, cyclic=at.cyclic) for s in stores])
    held, parts = begin, []
    for first in range(0, steps, WINDOW_STEPS):
        keep = min(WINDOW_STEPS, steps - first)
        part = slice(first, min(first + keep + look_ahead, steps))
        last = part.stop == steps
        price = np.array([float(at.buy[part].mean()) * s.efficiency / float(s.charged.mean()) ** 2 for s in stores])
        ends = programme.Ends(held, begin if last and at.cyclic else None, None if last else price)
        lp = programme.solve(
            at.net_kwh[part],
            at.pv_kwh[part],
            at.buy[part],
            at.sell[part],
            [_cut(s, part) for s in stores],
            limit_step_kwh=at.limit_step_kwh,
            cyclic=False,
            ends=ends,
            keep_basis=True,
        )
        held = lp.stored_kwh[:, keep - 1]
        parts.append((lp, keep))
    return _stitched(parts, at), held


def _stitched(parts: Sequence[tuple[programme.Solution, int]], at: Connection) -> programme.Solution:
    def joined(name: str) -> Floats:
        return np.concatenate([getattr(lp, name)[..., :keep] for lp, keep in parts], axis=-1)

    bases = [(lp.basis, keep) for lp, keep in parts if lp.basis is not None]
    names = ("import_kwh", "export_kwh", "curtailed_kwh", "charge_kwh", "discharge_kwh", "stored_kwh")
    flows = {name: joined(name) for name in (*names, "price", "curtail_value", "worth")}
    n, steps = flows["stored_kwh"].shape
    return programme.Solution(
        cost=float(at.buy @ flows["import_kwh"] - at.sell @ flows["export_kwh"]),
        limit_value=None if at.limit_step_kwh is None else joined("limit_value"),
        store_values=np.zeros(n),
        columns=(3 + 3 * n) * steps,
        rows=(1 + n) * steps,
        basis=programme.Basis(
            np.concatenate([b.columns[:, :keep] for b, keep in bases], axis=1),
            np.concatenate([b.rows[:, :keep] for b, keep in bases], axis=1),
        ),
        **flows,
    )


def whole(at: Connection, stores: Sequence[Store], first: programme.Basis | None = None) -> programme.Solution:
    """The programme of the whole period. Raises Infeasible."""
    return programme.solve(
        at.net_kwh,
        at.pv_kwh,
        at.buy,
        at.sell,
        stores,
        limit_step_kwh=at.limit_step_kwh,
        cyclic=at.cyclic,
        first=first,
    )


def exact(at: Connection, stores: Sequence[Store]) -> programme.Solution:
    """The optimum, the simplex begun at the windows' vertices where the period is long. Raises Infeasible."""
    if len(at.net_kwh) <= DIRECT_STEPS or not stores:
        return whole(at, stores)
    try:
        first = windows(at, stores)[0].basis
    except Infeasible:  # half full may be wrong for a window though the year can be met
        first = None
    return whole(at, stores, first)


# --- bound ----------------------------------------------------------------------------------------------


@compiled
def least_cost(  # noqa: PLR0912, PLR0915, PLR0917 compiled: one loop, positional alone
    price: Floats,
    trips: Floats,
    away: Bools,
    kwh: float,
    most_up: float,
    most_down: float,
    gain: Floats,
    eta: float,
    kept: float,
    cyclic: bool,
    worth: float,
) -> float:
    """The least a storage pays at given prices, each kWh in or out at the step's price (below zero: it pays
    less). Begins empty; a cyclic one begins where it likes, pays `worth` for each kWh and gets it for each kWh
    at the end. `gain` is what a kWh charged adds, `kept` the share that a step leaves. Infinite if its trips
    cannot be met.
    """
    slopes, lengths = np.empty(MOST_PIECES), np.empty(MOST_PIECES)
    new_slopes, new_lengths = np.empty(MOST_PIECES), np.empty(MOST_PIECES)
    own_slopes, own_lengths = np.empty(2), np.empty(2)
    slopes[0], lengths[0], count = (-worth if cyclic else 0.0), kwh, 1
    left = 0.0
    value = 0.0
    for t in range(price.shape[0] - 1, -1, -1):
        left += trips[t]
        merged = 0
        if away[t]:
            for k in range(count):
                new_slopes[k], new_lengths[k] = slopes[k], lengths[k]
            merged = count
        else:
            p = price[t]
            into = gain[t]
            # V(e) = min over D of c(D) + V(e + D): the pieces of c in reverse, their slopes negated
            if p >= 0.0:
                own_slopes[0], own_lengths[0] = -p / into, most_up * into
                own_slopes[1], own_lengths[1] = -p * eta, most_down / eta
                value += p * most_up
            else:
                # where power is paid for, it is also burnt: charging and discharging in one step
                own_slopes[0], own_lengths[0] = -p * eta, most_down / eta
                own_slopes[1], own_lengths[1] = -p / into, most_up * into
                value += p * most_up
            if most_down == 0.0:  # an empty piece must not stand in the way of the other (a heat pump gains)
                own_slopes[0] = own_slopes[1] = -p / into
            left -= most_up * into
            a, b = 0, 0
            while a < count or b < 2:
                if b == 2 or (a < count and slopes[a] <= own_slopes[b]):
                    new_slopes[merged], new_lengths[merged] = slopes[a], lengths[a]
                    a += 1
                else:
                    new_slopes[merged], new_lengths[merged] = own_slopes[b], own_lengths[b]
                    b += 1
                merged += 1
        # cut to what the storage can hold after its loss, then look at it from before the loss
        count = 0
        reach = left
        most = kwh * kept
        for k in range(merged):
            first, last = reach, reach + new_lengths[k]
            reach = last
            if first < 0.0:
                cut = min(last, 0.0) - first
                value += new_slopes[k] * cut
                left = min(last, 0.0)
                first += cut
            last = min(last, most)
            if last > first:
                if count > 0 and slopes[count - 1] == new_slopes[k]:
                    lengths[count - 1] += last - first
                else:
                    slopes[count], lengths[count] = new_slopes[k], last - first
                    count += 1
        if left > most + 1e-9 or left < -1e-9:
            return np.inf
        if kept < 1.0:
            left /= kept
            for k in range(count):
                slopes[k] *= kept
                lengths[k] /= kept
    if not cyclic:
        return value if left <= 1e-9 else np.inf
    # the start is chosen: pay `worth` for each kWh of it
    best = value + worth * left
    here = best
    for k in range(count):
        here += (slopes[k] + worth) * lengths[k]
        best = min(best, here)
    return best


def store_cost(store: Store, price: Floats, *, cyclic: bool) -> float:
    """The least a storage pays at given prices. Raises Infeasible."""

    def at(worth: float) -> float:
        return float(
            least_cost(
                price,
                store.trips_kwh,
                store.away,
                store.kwh,
                store.charge_step_kwh,
                store.discharge_step_kwh,
                store.charged,
                store.efficiency,
                1 - store.loss,
                cyclic,
                worth,
            )
        )

    # what is borrowed over the end of a cyclic period has the price that makes the bound highest (concave)
    each = price / np.minimum(store.charged, store.efficiency)
    low, high = min(0.0, float(each.min())), max(0.0, float(each.max()))
    while cyclic and high - low > 1e-12 * max(1.0, high):
        one, two = low + 0.382 * (high - low), high - 0.382 * (high - low)
        low, high = (low, two) if at(one) >= at(two) else (one, high)
    cost = at((low + high) / 2)
    if not np.isfinite(cost):
        raise Infeasible(
            gettext_noop("the trips take more than can be charged before them; lower ev_kwh_per_day or raise ev_kw")
        )
    return cost


def _shape_costs(groups: Grouping, price: Floats, cyclic: bool, seam: Floats) -> Floats:
    """The least that one kWh of each shape pays at the prices; `seam` (shapes by candidates) are prices of what
    is borrowed over the end of a cyclic period, the best of which counts.
    """
    return np.array(
        [
            max(
                least_cost(
                    price,
                    s.trips_kwh,
                    s.away,
                    1.0,
                    s.charge_step_kwh,
                    s.discharge_step_kwh,
                    s.charged,
                    s.efficiency,
                    1 - s.loss,
                    cyclic,
                    float(worth),
                )
                for worth in (np.unique(seam[i]) if cyclic else (0.0,))
            )
            for i, s in enumerate(groups.shapes)
        ]
    )


def bound(at: Connection, price: Floats, store_costs: float) -> float:
    """What no feasible schedule undercuts: the grid's answer to the prices, and the storages'."""
    most = np.inf if at.limit_step_kwh is None else at.limit_step_kwh
    total = float(price @ at.net_kwh) + float(np.minimum(price, 0.0) @ at.pv_kwh) + store_costs
    if np.isfinite(most):
        total += most * float(np.minimum(at.buy - price, 0.0).sum() + np.minimum(price - at.sell, 0.0).sum())
    return total


# --- both -----------------------------------------------------------------------------------------------


def solve(
    at: Connection,
    stores: Sequence[Store],
    *,
    most_classes: int = MOST_CLASSES,
    target_gap: float = TARGET_GAP,
    progress: Callable[[float], None] = lambda _share: None,
) -> Answer:
    """The optimum and its proven gap. Raises Infeasible."""
    groups = group(stores)
    groups, anchors = _anchored(groups, most_classes)
    for turn in range(MOST_ROUNDS):
        chosen, shares = _mixing(groups, anchors)
        merged = [scaled(groups.shapes[i], float(kwh)) for i, kwh in zip(chosen, groups.kwh @ shares, strict=True)]
        many = len(merged) > 3 * most_classes // 2
        lp = windows(at, merged, look_ahead=LOOK_AHEAD_STEPS)[0] if many else exact(at, merged)
        progress((turn + 0.8) / MOST_ROUNDS)
        price = lp.price if at.limit_step_kwh is not None else np.clip(lp.price, at.sell, at.buy)
        seam = np.zeros((len(groups.shapes), 2))
        for i, j in enumerate(shares.argmax(axis=1) if merged else ()):
            seam[i] = lp.worth[j, 0], lp.worth[j, -1]
        costs = _shape_costs(groups, price, at.cyclic, seam)
        proven = bound(at, price, float(costs @ groups.kwh))
        gap = max(0.0, lp.cost - proven) / max(abs(lp.cost), 1e-9)
        room = most_classes - len(merged)
        if gap <= target_gap or room <= 0 or len(chosen) == len(groups.shapes):
            break
        _add_anchors(groups, anchors, (shares @ costs[chosen] - costs) * groups.kwh, room)
    method = "linear programme in windows" if many else "linear programme"
    parts = "storage classes" if len(chosen) == len(groups.shapes) else "storages cut into classes"
    values = -np.array([costs[i] * s.kwh for i, s in zip(groups.of, stores, strict=True)])
    return Answer(lp, min(proven, lp.cost), gap, values, tuple(merged), f"{method}, {parts}")


def _add_anchors(groups: Grouping, anchors: list[set[int]], loss: Floats, room: int) -> None:
    """The shapes that lose most by being cut become anchors, the worst of each family first."""
    place = {i: (f, k) for f, family in enumerate(groups.families) for k, i in enumerate(family)}
    ranked = [i for i in np.argsort(-loss) if loss[i] > 0]
    seen: set[int] = set()
    for i in ranked:
        family, k = place[int(i)]
        if room and family not in seen and k not in anchors[family]:
            anchors[family].add(k)
            seen.add(family)
            room -= 1
