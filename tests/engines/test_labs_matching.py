"""Matching against what brute force says: boxes turned in small steps, machines one by one, every choice of labs."""

import itertools
import math

from hypothesis import given, settings
from hypothesis import strategies as st

from labs.engine import matching
from labs.engine.matching import Part, Row, Screen

calmly = settings(deadline=None, max_examples=60)
side = st.floats(1, 400)
box = st.tuples(side, side, side)
ANGLES = [math.radians(n / 2) for n in range(181)]


def lies(p: float, q: float, a: float, b: float, slack: float = 0.0) -> bool:
    """Whether p × q lies in a × b at one of many angles."""
    return any(
        p * math.cos(t) + q * math.sin(t) <= a + slack and p * math.sin(t) + q * math.cos(t) <= b + slack
        for t in ANGLES
    )


@calmly
@given(side, side, side, side)
def test_a_slanted_rectangle_lies_where_some_angle_lets_it(p: float, q: float, a: float, b: float) -> None:
    angle = matching.slanted(p, q, a, b)
    if lies(p, q, a, b):
        assert angle is not None
    if angle is not None:
        t = math.radians(angle)
        long, short = max(p, q), min(p, q)
        assert long * math.cos(t) + short * math.sin(t) <= max(a, b) * (1 + 1e-9)
        assert long * math.sin(t) + short * math.cos(t) <= min(a, b) * (1 + 1e-9)


@calmly
@given(box, box)
def test_a_box_goes_in_where_some_side_up_and_some_angle_let_it(
    extents: tuple[float, float, float], volume: tuple[float, float, float]
) -> None:
    x, y, z = volume
    straight = any(all(e <= v for e, v in zip(turn, volume, strict=True)) for turn in itertools.permutations(extents))
    slanted = any(up <= z and lies(p, q, x, y) for up, p, q in itertools.permutations(extents))
    angle = matching.turned(extents, volume)
    assert (angle == 0.0) is straight
    if slanted:
        assert angle is not None


parts = st.lists(
    st.tuples(st.sampled_from(["stl", "step", "dxf", "svg", "gcode"]), box | st.none(), st.integers(0, 3)), max_size=8
)
machines = st.lists(
    st.tuples(st.sampled_from(["fff", "sla", "laser-cutting", "milling", "sewing"]), box, st.booleans(), st.booleans()),
    max_size=12,
)


@calmly
@given(parts, machines)
def test_screening_all_machines_says_what_each_verdict_says(drawn: list, rows: list) -> None:
    design = [
        Part(f"{n}.{kind}", kind, extents, True, f"thing {thing}" if thing else "")
        for n, (kind, extents, thing) in enumerate(drawn)
    ]
    asked = [
        Row(n, n % 3, process, x, y, None if flat else z, ok) for n, (process, (x, y, z), flat, ok) in enumerate(rows)
    ]
    screen = Screen(design)
    whole, others = screen.screen(asked)
    for row in asked:
        verdict = matching.match(
            design, process=row.process, volume_mm=(row.x or 0, row.y or 0, row.z), in_order=row.in_order
        )
        made = {next(part.of for part in design if part.path == path) for path in verdict.makes}
        bits = screen.makes(row)
        assert made == {thing for n, thing in enumerate(screen.things) if bits >> n & 1}
        assert verdict.fits is (row in whole and row.in_order)
        assert (row in whole or row in others) is any(matching.takes(part, row.process) for part in design)


@calmly
@given(st.dictionaries(st.integers(0, 6), st.integers(0, 31), max_size=7), st.lists(side, min_size=7, max_size=7))
def test_a_plan_takes_the_fewest_labs(able: dict[int, int], far: list[float]) -> None:
    things = ["a", "b", "c", "d", "e"]
    found = matching.plan(things, able, lambda lab: far[lab])
    whole = 0
    for bits in able.values():
        whole |= bits
    assert set(found.missing) == {thing for n, thing in enumerate(things) if not whole >> n & 1}
    assert [thing for thing, _lab in found.where] == [thing for thing in things if thing not in found.missing]
    for thing, lab in found.where:
        assert able[lab] >> things.index(thing) & 1

    def covers(labs: tuple[int, ...]) -> bool:
        bits = 0
        for lab in labs:
            bits |= able[lab]
        return bits == whole

    fewest = next(n for n in range(len(able) + 1) if any(covers(c) for c in itertools.combinations(able, n)))
    if fewest <= 3:
        assert len(found.labs) == fewest
    if fewest == 1:
        assert far[found.labs[0]] == min(far[lab] for lab, bits in able.items() if bits == whole)


def test_what_a_shape_and_a_material_say() -> None:
    thin = Part("a.stl", "stl", (10, 10, 10), True, wall_mm=0.5, overhang=0.3, material="ASA")
    said = matching.match([thin], process="fff", volume_mm=(100, 100, 100), materials=["PLA"])
    assert said.fits
    assert {reason.word for reason in said.reasons_against} == {"thin-wall", "overhang", "material-other"}
    refused = matching.match([thin], process="fff", volume_mm=(100, 100, 100), materials=["PLA"], wanted="ASA")
    assert not refused.fits
    resin = matching.match([thin], process="sla", volume_mm=(100, 100, 100))
    assert {reason.word for reason in resin.reasons_against} == {"overhang"}
    plate = Part("p.dxf", "dxf", (300, 200), cut_mm=1250)
    cut = matching.match([plate], process="laser-cutting", volume_mm=(600, 400, None))
    assert ("cut-length", 1250) in {(reason.word, reason.amount) for reason in cut.reasons_for}


def test_a_program_is_for_machines_that_work_as_it_does() -> None:
    printed, milled = (Part(f"{use}.gcode", "gcode", (10, 10, 10), use=use) for use in ("printing", "cutting"))
    assert [matching.takes(printed, process) for process in ("fff", "milling")] == [True, False]
    assert [matching.takes(milled, process) for process in ("fff", "milling")] == [False, True]


def test_distances_are_those_of_the_globe() -> None:
    assert abs(matching.distance_km((60.1699, 24.9384), (59.4370, 24.7536)) - 82.1) < 0.5  # Helsinki to Tallinn
    assert abs(matching.distance_km((0, 0), (0, 180)) - math.pi * matching.EARTH_KM) < 1e-6


def test_a_file_that_could_not_be_read_is_made_by_nobody_and_said() -> None:
    torn = Part("a.stl", "stl", (10, 10, 10), sound=False)
    said = matching.match([torn], process="fff", volume_mm=(100, 100, 100))
    assert (said.fits, said.makes) == (False, ())
    assert [reason.word for reason in said.reasons_against] == ["broken"]
    assert Screen([torn]).screen([Row(1, 1, "fff", 100, 100, 100, True)]).whole == []
