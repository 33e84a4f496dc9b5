"""Power flow of grids: published benchmark, pandapower as a second program, cases reckoned by hand; and what a folder
of a grid is refused for.
"""

import csv
import math
import shutil
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from energy.engine import gridfolder, oracle
from energy.engine.grid import Grid
from energy.engine.network import Line, Network, Node, Transformer, from_dict
from energy.engine.refusals import FolderRefusal

CIGRE = Path(__file__).parent / "grids" / "cigre"
CABLE = {"type": "NAYY", "r_ohm_per_km": 0.2067, "x_ohm_per_km": 0.0804, "b_us_per_km": 260.8, "most_a": 270.0}


def cigre() -> Network:
    return gridfolder.read(CIGRE).network


def loads_of(network: Network, folder: Path = CIGRE) -> tuple[np.ndarray, np.ndarray]:
    """What Load.csv says, kW and kvar, as one step."""
    p, q = np.zeros((len(network.nodes), 1)), np.zeros((len(network.nodes), 1))
    for row in csv.DictReader((folder / "Load.csv").open(), delimiter=";"):
        p[network.place[row["node"]]] += float(row["pLoad"]) * 1e3
        q[network.place[row["node"]]] += float(row["qLoad"]) * 1e3
    return p, q


def test_two_nodes_by_hand() -> None:
    """V2 of one line without reactance obeys V2^2 - V1 V2 + R P = 0 per unit."""
    line = Line("a", "s", "e", 0.5, "x", 0.32, 0.0, 0.0, 100.0)
    network = Network([Node("s", 0.4), Node("e", 0.4)], [line], [], "s", 1.02)
    found = Grid(network).solve(np.array([[0.0, 0.0], [20.0, -20.0]]), np.zeros((2, 2)))
    r = 0.16 / 0.4**2
    for t, p in enumerate((0.02, -0.02)):
        expected = (1.02 + math.sqrt(1.02**2 - 4 * r * p)) / 2
        assert found.voltage[1, t] == pytest.approx(expected, abs=1e-9)
        amperes = abs(p) / expected * 1e3 / (math.sqrt(3) * 0.4)
        assert found.loading[0, t] == pytest.approx(amperes / 100, rel=1e-8)


def test_the_cigre_feeder_is_that_of_pandapower() -> None:
    """The residential feeder of CIGRE C6.04.02 from our files against the network that pandapower ships."""
    import pandapower as pp
    from pandapower.networks import create_cigre_network_lv

    theirs = create_cigre_network_lv()
    pp.runpp(theirs, tolerance_mva=1e-10)
    by_name = dict(zip(theirs.bus["name"], theirs.res_bus["vm_pu"], strict=True))
    network = cigre()
    found = Grid(network).solve(*loads_of(network))
    for node, voltage in zip(network.nodes, found.voltage[:, 0], strict=True):
        assert voltage == pytest.approx(by_name[f"Bus {'R0' if node.id == 'MV' else node.id}"], abs=1e-8), node.id
    lines = dict(zip(theirs.line["name"], theirs.res_line["loading_percent"], strict=True))
    for name, loading in zip(network.branch_names[:-1], found.loading[:-1, 0], strict=True):
        assert loading * 100 == pytest.approx(lines[f"Line {name}"], abs=1e-6)
    assert found.loading[-1, 0] * 100 == pytest.approx(theirs.res_trafo["loading_percent"].iloc[0], abs=1e-6)


def made_up(seed: int, nodes: int, extra: int = 0) -> Network:
    """A random tree behind a transformer with losses and a tap; `extra` lines close rings."""
    dice = np.random.default_rng(seed)
    low = [f"n{i}" for i in range(nodes)]
    pairs = [(low[int(dice.integers(0, i))], low[i]) for i in range(1, nodes)]
    pairs += [(low[int(a)], low[int(b)]) for a, b in (dice.choice(nodes, 2, replace=False) for _ in range(extra))]
    turned = [pair if dice.random() < 0.5 else pair[::-1] for pair in pairs]
    lines = [Line(f"l{i}", a, b, float(dice.uniform(0.01, 0.2)), **CABLE) for i, (a, b) in enumerate(turned)]
    steps = int(dice.integers(-2, 3))
    side = bool(dice.random() < 0.5)
    transformer = Transformer("t", "mv", low[0], "x", 0.16, 20.5, 0.41, 4.0, 2.35, 0.46, 0.2875, side, 2.5, steps)
    return Network([Node(id, 0.4) for id in low] + [Node("mv", 20.0)], lines, [transformer], "mv", 1.03)


@settings(deadline=None, max_examples=8)
@given(seed=st.integers(0, 10_000), nodes=st.integers(2, 14))
def test_tree_and_matrix_agree(seed: int, nodes: int) -> None:
    """Two ways to the same voltages: sweeping a tree, and inverting its matrix."""
    network = made_up(seed, nodes)
    dice = np.random.default_rng(seed)
    p = dice.normal(0, 30 / nodes, (len(network.nodes), 11))
    grid = Grid(network)
    swept, solved = grid.tree.solve(p, p * 0.2), grid.meshes.solve(p, p * 0.2)
    assert network.radial
    np.testing.assert_allclose(swept.voltage, solved.voltage, atol=1e-8)
    np.testing.assert_allclose(swept.loading, solved.loading, atol=1e-7)
    assert from_dict(network.as_dict()) == network


@pytest.mark.parametrize(("seed", "nodes", "extra"), [(1, 9, 0), (2, 25, 0), (3, 12, 3)])
def test_pandapower_says_the_same(seed: int, nodes: int, extra: int) -> None:
    """Taps on either side, iron losses, feed-in and rings, against pandapower to 1e-6 per unit and better."""
    network = made_up(seed, nodes, extra)
    assert network.radial == (extra == 0)
    p = np.random.default_rng(seed).normal(0, 40 / nodes, (len(network.nodes), 5))
    q = 0.3 * np.abs(p)
    found = Grid(network).solve(p, q)
    voltage, loading = oracle.solve(network, p, q)
    np.testing.assert_allclose(found.voltage, voltage, atol=1e-8)
    np.testing.assert_allclose(found.loading, loading, atol=1e-6)


def test_too_much_has_no_solution_and_says_so() -> None:
    network = made_up(4, 6)
    p = np.zeros((7, 9))
    p[5, 3] = 50_000.0
    for found in (Grid(network).tree.solve(p, p), Grid(network).meshes.solve(p, p)):
        assert found.solved.tolist() == [t != 3 for t in range(9)]


# --- folders --------------------------------------------------------------------------------------------


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return Path(shutil.copytree(CIGRE, tmp_path / "grid"))


def change(folder: Path, file: str, line: int, column: str, value: str) -> None:
    """Write a cell (line as an editor counts)."""
    rows = [row.split(";") for row in (folder / file).read_text().splitlines()]
    rows[line - 1][rows[0].index(column)] = value
    (folder / file).write_text("\n".join(";".join(row) for row in rows) + "\n")


@pytest.mark.parametrize(
    ("file", "line", "column", "value", "words"),
    [
        ("Line.csv", 4, "length", "-0.035", "a line of -0.035 km cannot be"),
        ("Line.csv", 4, "length", "0", "a line of 0 km"),
        ("Line.csv", 4, "length", "far", "is not a number"),
        ("Line.csv", 4, "length", "NULL", "nothing stands here"),
        ("Line.csv", 4, "type", "UG9", "LineType.csv has no type “UG9”"),
        ("Line.csv", 4, "nodeB", "R99", "Node.csv has no node “R99”"),
        ("Line.csv", 4, "nodeB", "R3", "begins and ends at the same node"),
        ("Line.csv", 4, "nodeB", "MV", "the ends have 0.4 and 20 kV"),
        ("Line.csv", 4, "id", "R1-R2", "stands twice"),
        ("LineType.csv", 2, "r", "0", "is not between"),
        ("Transformer.csv", 2, "type", "big", "TransformerType.csv has no type “big”"),
        ("Transformer.csv", 2, "tappos", "5", "the tap stands at 5"),
        ("Transformer.csv", 2, "nodeHV", "R4", "no higher voltage"),
        ("TransformerType.csv", 2, "pCu", "500", "copper losses"),
        ("ExternalNet.csv", 2, "calc_type", "pq", "there is no external net"),
        ("Node.csv", 2, "vmR", "1e9", "is not between"),
    ],
)
def test_refusals_name_file_and_line(folder: Path, file: str, line: int, column: str, value: str, words: str) -> None:
    change(folder, file, line, column, value)
    with pytest.raises(FolderRefusal, match=words) as refusal:
        gridfolder.read(folder)
    assert refusal.value.file == file
    assert refusal.value.line in {line, 0} or words.startswith("stands")


def test_an_island_and_missing_files_are_refused(folder: Path) -> None:
    kept = (folder / "Line.csv").read_text()
    (folder / "Line.csv").write_text("\n".join(row for row in kept.splitlines() if not row.startswith("R6-R16")))
    with pytest.raises(FolderRefusal, match=r"Load\.csv, line 5, column node: no line or transformer leads from “R16”"):
        gridfolder.read(folder)
    (folder / "Line.csv").write_text(kept)
    for file in ("Node.csv", "ExternalNet.csv", "LineType.csv", "TransformerType.csv"):
        text = (folder / file).read_bytes()
        (folder / file).unlink()
        with pytest.raises(FolderRefusal, match="the file is missing") as refusal:
            gridfolder.read(folder)
        assert refusal.value.file == file
        (folder / file).write_bytes(text)
    (folder / "Node.csv").write_bytes(b"id;vmR\nR\xff;0.4\n")
    with pytest.raises(FolderRefusal, match="not UTF-8"):
        gridfolder.read(folder)


def test_switches_join_and_part(folder: Path) -> None:
    """A ring that a switch opens is a tree; closed it is a ring with the same nodes."""
    with (folder / "Node.csv").open("a") as nodes:
        nodes.write("R18_1;auxiliary;NULL;NULL;0.4;0.9;1.1;NULL;NULL;x;7\n")
    with (folder / "Line.csv").open("a") as lines:
        lines.write("ring;R15;R18_1;UG1;0.1;100;x;7\n")
    rows: Sequence[str] = ("id;nodeA;nodeB;type;cond", "s;R18_1;R18;CB;0")
    (folder / "Switch.csv").write_text("\n".join(rows))
    opened = gridfolder.read(folder).network
    assert opened.radial
    assert "R18_1" in opened.place
    (folder / "Switch.csv").write_text("\n".join(rows).replace(";0", ";1"))
    closed = gridfolder.read(folder).network
    assert not closed.radial
    assert "R18_1" not in closed.place
    p, q = loads_of(opened)
    assert Grid(closed).solve(*loads_of(closed)).voltage.min() > Grid(opened).solve(p, q).voltage.min()


def test_members_are_placed_by_their_file(folder: Path) -> None:
    (folder / "Member.csv").write_text("member;node\nhouse01;R15\n")
    found = gridfolder.read(folder)
    assert found.members == {"house01": "R15"}
    assert found.named["Load R11"] == "R11"
    assert set(found.network.homes) == {"R1", "R11", "R15", "R16", "R17", "R18"}
    before = gridfolder.content_sha256(folder)
    (folder / "Member.csv").write_text("member;node\nhouse01;nowhere\n")
    assert gridfolder.content_sha256(folder) != before
    with pytest.raises(FolderRefusal, match="has no node “nowhere”"):
        gridfolder.read(folder)
