"""Power flow of a low-voltage grid, three phases alike, for as many steps as there are.

A radial grid is swept backwards and forwards (Shirmohammadi et al. 1988, doi:10.1109/59.192932): currents are summed
from the ends to the source, voltages follow from the source to the ends, until no voltage moves by more than `CLOSE`.
Eight steps go side by side through the same loop, so that the processor works on them at once. A meshed grid is solved
by the same fixed point with the matrix of its impedances instead of the tree: V = w + Z conj(S / V).

Per unit of 1 MVA and each node's nominal voltage. A line is a pi of its series impedance and half its charging at each
end; a transformer the T of its plate (short-circuit voltage, copper and iron losses, idle current) turned into a pi, an
ideal ratio with its tap before it; its turn of phase changes no figure here and is left out.
"""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from energy.engine.community import Floats
from energy.engine.compiled import compiled
from energy.engine.network import Network, Transformer

Complexes = NDArray[np.complex128]
LANES = 8
CLOSE = 1e-10
ROUNDS = 200
MESHED_BLOCK = 512


@dataclass(frozen=True)
class Branches:
    """Branches per unit: lines, then transformers. `ratio` is that of the ideal transformer at the side of `a`."""

    a: NDArray[np.int64]
    b: NDArray[np.int64]
    series: Complexes
    shunt_a: Complexes
    shunt_b: Complexes
    ratio: Floats
    rated_a: Floats  # what is 100 %, ampere per unit of current at `a` and at `b`
    rated_b: Floats
    most: Floats  # allowed share of the rating


@dataclass(frozen=True)
class Flow:
    """What a power flow found: voltages (nodes by steps, per unit; NaN where there is no solution) and loading
    (branches by steps, share of what is allowed: at 1 the branch is full).
    """

    voltage: Floats
    loading: Floats
    rounds: int

    @property
    def solved(self) -> NDArray[np.bool_]:
        """Whether each step has a solution."""
        return np.asarray(np.isfinite(self.voltage).all(axis=0))


class Grid:
    """A network made ready to be solved."""

    def __init__(self, network: Network) -> None:
        self.network = network
        self.branches = branches(network)
        self.source = network.place[network.source]

    @cached_property
    def tree(self) -> "Tree":
        """Nodes from the source outwards. For radial grids alone."""
        return Tree.of(self)

    @cached_property
    def meshes(self) -> "Meshes":
        """The matrix of impedances."""
        return Meshes.of(self)

    def solve(self, p_kw: Floats, q_kvar: Floats) -> Flow:
        """What is taken at each node (nodes by steps, given back below zero) and what comes of it."""
        return self.tree.solve(p_kw, q_kvar) if self.network.radial else self.meshes.solve(p_kw, q_kvar)


def branches(network: Network) -> Branches:
    """Lines and transformers per unit."""
    kv = {node.id: node.kv for node in network.nodes}
    rows: list[tuple[complex, complex, complex, float, float, float, float]] = []
    for line in network.lines:
        base = kv[line.a] ** 2
        half = 0.5j * line.b_us_per_km * 1e-6 * line.km * base
        series = complex(line.r_ohm_per_km, line.x_ohm_per_km) * line.km / base
        amperes = 1e3 / (np.sqrt(3) * kv[line.a])
        share = amperes / line.most_a
        rows.append((series, half, half, 1.0, share, share, line.most_percent / 100))
    for t in network.transformers:
        rows.append((*_transformer(t, kv[t.high], kv[t.low]), t.most_percent / 100))
    table = np.array(rows, dtype=np.complex128).reshape(-1, 7).T
    ends = np.array([[network.place[a], network.place[b]] for a, b in network.ends], dtype=np.int64).reshape(-1, 2)
    complexes = [np.ascontiguousarray(column) for column in table[:3]]
    reals = [np.ascontiguousarray(column.real, dtype=np.float64) for column in table[3:]]
    return Branches(
        np.ascontiguousarray(ends[:, 0]),
        np.ascontiguousarray(ends[:, 1]),
        series=complexes[0],
        shunt_a=complexes[1],
        shunt_b=complexes[2],
        ratio=reals[0],
        rated_a=reals[1],
        rated_b=reals[2],
        most=reals[3],
    )


def _transformer(
    t: Transformer, high_kv: float, low_kv: float
) -> tuple[complex, complex, complex, float, float, float]:
    tap = 1 + t.tap_steps * t.tap_percent / 100
    own_high, own_low = (t.high_kv * tap, t.low_kv) if t.tap_high else (t.high_kv, t.low_kv * tap)
    turned = (own_low / low_kv) ** 2
    r = t.copper_kw / (1e3 * t.mva) / t.mva * turned
    z = t.short_percent / 100 / t.mva * turned
    series = complex(r, np.sqrt(max(0.0, z * z - r * r)))
    iron = t.iron_kw * 1e-3
    idle = np.sqrt(max(0.0, (t.idle_percent / 100 * t.mva) ** 2 - iron**2))
    y = complex(iron, -idle) * (low_kv / own_low) ** 2
    ratio = (own_high / own_low) / (high_kv / low_kv)
    # loading by current on either side, as share of what it is built for at its own plate
    rated_high, rated_low = t.high_kv / high_kv / t.mva, t.low_kv / low_kv / t.mva
    if y == 0:
        return series, 0j, 0j, ratio, rated_high, rated_low
    half, middle = series / 2, 1 / y
    whole = half * half + 2 * half * middle
    return whole / middle, half / whole, half / whole, ratio, rated_high, rated_low


@dataclass(frozen=True)
class Tree:
    """A radial grid in the order of the sweep: the source first, every node after the one that feeds it.

    `order`: node of each place; `parent`: place before; `branch`: its number; `z` and `m`: V = m V_parent - z I.
    """

    grid: Grid
    order: NDArray[np.int64]
    parent: NDArray[np.int64]
    branch: NDArray[np.int64]
    z: Complexes
    m: Floats
    y: Complexes  # at the node, all branches together
    own_y: Complexes  # of the branch that feeds the node, at its end
    up_y: Complexes  # of the same branch, at the other end
    rated: Floats  # at the node's end
    up_rated: Floats

    @staticmethod
    def of(grid: Grid) -> "Tree":
        """Order a radial grid."""
        found = grid.network.reached()
        row = {node: place for place, (node, _before, _branch) in enumerate(found)}
        b = grid.branches
        n = len(found)
        z, m = np.zeros(n, dtype=np.complex128), np.ones(n)
        y, own, up = (np.zeros(n, dtype=np.complex128) for _ in range(3))
        rated, up_rated = np.zeros(n), np.zeros(n)
        parent = np.array([row.get(before, -1) for _node, before, _branch in found], dtype=np.int64)
        for place, (node, _before, k) in enumerate(found):
            if k < 0:
                continue
            t = b.ratio[k]
            if b.b[k] == node:  # fed from the side of the ratio
                z[place], m[place] = b.series[k], 1 / t
                own[place], up[place] = b.shunt_b[k], b.shunt_a[k] / t**2
                rated[place], up_rated[place] = b.rated_b[k], b.rated_a[k]
            else:
                z[place], m[place] = b.series[k] * t**2, t
                own[place], up[place] = b.shunt_a[k] / t**2, b.shunt_b[k]
                rated[place], up_rated[place] = b.rated_a[k], b.rated_b[k]
            y[place] += own[place]
            y[parent[place]] += up[place]
            most = b.most[k]
            rated[place] /= most
            up_rated[place] /= most
        order, branch = (np.array([row_[i] for row_ in found], dtype=np.int64) for i in (0, 2))
        return Tree(grid, order, parent, branch, z, m, y, own, up, rated, up_rated)

    def solve(self, p_kw: Floats, q_kvar: Floats) -> Flow:
        """Sweep all steps."""
        n, steps = p_kw.shape
        voltage, loading = np.empty((n, steps)), np.zeros((len(self.grid.branches.a), steps))
        z, y, own, up = (_parts(c) for c in (self.z, self.y, self.own_y, self.up_y))
        rounds = _sweep(
            np.ascontiguousarray(p_kw, dtype=np.float64),
            np.ascontiguousarray(q_kvar, dtype=np.float64),
            self.order,
            self.parent,
            self.branch,
            z,
            self.m,
            y,
            own,
            up,
            self.rated,
            self.up_rated,
            self.grid.network.source_pu,
            voltage,
            loading,
        )
        return Flow(voltage, loading, int(rounds))


def _parts(values: Complexes) -> Floats:
    """Real and imaginary rows."""
    return np.ascontiguousarray(np.array([values.real, values.imag]))


@compiled
def _sweep(  # noqa: PLR0912, PLR0915, PLR0917 compiled: one loop, positional alone
    p_kw: Floats,
    q_kvar: Floats,
    order: NDArray[np.int64],
    parent: NDArray[np.int64],
    branch: NDArray[np.int64],
    z: Floats,
    m: Floats,
    y: Floats,
    own: Floats,
    up: Floats,
    rated: Floats,
    up_rated: Floats,
    source: float,
    voltage: Floats,
    loading: Floats,
) -> int:
    """Eight steps at a time until none of them moves; writes voltages and loadings, answers the most rounds."""
    n, steps = p_kw.shape
    vr, vi, ir, ii, pr, qi = (
        np.empty((n, LANES)),
        np.empty((n, LANES)),
        np.empty((n, LANES)),
        np.empty((n, LANES)),
        np.empty((n, LANES)),
        np.empty((n, LANES)),
    )
    moved = np.empty(LANES)
    most_rounds = 0
    for first in range(0, steps, LANES):
        width = min(LANES, steps - first)
        for k in range(n):
            node = order[k]
            for lane in range(LANES):
                t = first + (lane if lane < width else 0)
                pr[k, lane] = p_kw[node, t] * 1e-3
                qi[k, lane] = q_kvar[node, t] * 1e-3
        flat = source
        for k in range(n):
            if k > 0:
                flat = vr[parent[k], 0] * m[k]
            for lane in range(LANES):
                vr[k, lane] = flat
                vi[k, lane] = 0.0
        rounds = 0
        for _round in range(ROUNDS):
            rounds += 1
            for k in range(n):
                yr, yi = y[0, k], y[1, k]
                for lane in range(LANES):
                    a, b = vr[k, lane], vi[k, lane]
                    per = 1.0 / (a * a + b * b + 1e-300)  # a voltage on its way to nothing divides by no zero
                    p, q = pr[k, lane], qi[k, lane]
                    ir[k, lane] = (p * a + q * b) * per + yr * a - yi * b
                    ii[k, lane] = (p * b - q * a) * per + yr * b + yi * a
            for k in range(n - 1, 0, -1):
                before, ratio = parent[k], m[k]
                for lane in range(LANES):
                    ir[before, lane] += ratio * ir[k, lane]
                    ii[before, lane] += ratio * ii[k, lane]
            for lane in range(LANES):
                moved[lane] = 0.0
            for k in range(1, n):
                before, ratio, zr, zi = parent[k], m[k], z[0, k], z[1, k]
                for lane in range(LANES):
                    a = ratio * vr[before, lane] - (zr * ir[k, lane] - zi * ii[k, lane])
                    b = ratio * vi[before, lane] - (zr * ii[k, lane] + zi * ir[k, lane])
                    far = abs(a - vr[k, lane]) + abs(b - vi[k, lane])
                    moved[lane] = max(moved[lane], far)
                    vr[k, lane] = a
                    vi[k, lane] = b
            moving = False
            for lane in range(LANES):
                if moved[lane] > CLOSE:  # what is no number any more moves no more
                    moving = True
            if not moving:
                break
        most_rounds = max(most_rounds, rounds)
        for lane in range(width):
            good = moved[lane] <= CLOSE
            t = first + lane
            for k in range(n):
                a, b = vr[k, lane], vi[k, lane]
                voltage[order[k], t] = np.sqrt(a * a + b * b) if good else np.nan
                if k > 0:
                    # current at the node's end of its branch, and at the other end
                    cr = ir[k, lane] - (own[0, k] * a - own[1, k] * b)
                    ci = ii[k, lane] - (own[0, k] * b + own[1, k] * a)
                    here = np.sqrt(cr * cr + ci * ci) * rated[k]
                    a, b = vr[parent[k], lane], vi[parent[k], lane]
                    cr = m[k] * ir[k, lane] + up[0, k] * a - up[1, k] * b
                    ci = m[k] * ii[k, lane] + up[0, k] * b + up[1, k] * a
                    there = np.sqrt(cr * cr + ci * ci) * up_rated[k]
                    loading[branch[k], t] = max(here, there) if good else np.nan
    return most_rounds


@dataclass(frozen=True)
class Meshes:
    """Any grid by its impedances: `w` voltages without any load, `z` nodes by nodes; both without the source."""

    grid: Grid
    rest: NDArray[np.int64]
    w: Complexes
    z: Complexes

    @staticmethod
    def of(grid: Grid) -> "Meshes":
        """Invert the matrix of admittances."""
        b, n = grid.branches, len(grid.network.nodes)
        y = np.zeros((n, n), dtype=np.complex128)
        through = 1 / b.series
        np.add.at(y, (b.a, b.a), (through + b.shunt_a) / b.ratio**2)
        np.add.at(y, (b.b, b.b), through + b.shunt_b)
        np.add.at(y, (b.a, b.b), -through / b.ratio)
        np.add.at(y, (b.b, b.a), -through / b.ratio)
        rest = np.array([i for i in range(n) if i != grid.source], dtype=np.int64)
        z = np.asarray(np.linalg.inv(y[np.ix_(rest, rest)]), dtype=np.complex128)
        w = -z @ y[rest, grid.source] * grid.network.source_pu
        return Meshes(grid, rest, w, z)

    def solve(self, p_kw: Floats, q_kvar: Floats) -> Flow:
        """All steps, some hundreds at a time."""
        n, steps = p_kw.shape
        b = self.grid.branches
        voltage, loading, most = np.empty((n, steps)), np.empty((len(b.a), steps)), 0
        for first in range(0, steps, MESHED_BLOCK):
            block = slice(first, first + MESHED_BLOCK)
            power = (p_kw[self.rest, block] - 1j * q_kvar[self.rest, block]) * 1e-3
            found = np.repeat(self.w[:, np.newaxis], power.shape[1], axis=1)
            with np.errstate(all="ignore"):
                for rounds in range(1, ROUNDS + 1):
                    after = self.w[:, np.newaxis] - self.z @ (power / np.conj(found))
                    moved = np.abs(after - found).max(axis=0)
                    found = after
                    most = max(most, rounds)
                    if np.all(moved <= CLOSE):
                        break
            v = np.full((n, power.shape[1]), self.grid.network.source_pu, dtype=np.complex128)
            v[self.rest] = np.where(moved <= CLOSE, found, np.nan)
            voltage[:, block] = np.abs(v)
            voltage[self.grid.source, block] = np.where(moved <= CLOSE, self.grid.network.source_pu, np.nan)
            inner = v[b.a] / b.ratio[:, np.newaxis]
            flow = (inner - v[b.b]) / b.series[:, np.newaxis]
            at_a = np.abs(flow + b.shunt_a[:, np.newaxis] * inner) / b.ratio[:, np.newaxis]
            at_b = np.abs(flow - b.shunt_b[:, np.newaxis] * v[b.b])
            full = np.maximum(at_a * b.rated_a[:, np.newaxis], at_b * b.rated_b[:, np.newaxis])
            loading[:, block] = full / b.most[:, np.newaxis]
        return Flow(voltage, loading, most)
