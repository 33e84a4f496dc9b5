"""What the checks of a change find, against figures worked out by hand."""

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from designs.checks import ChangedFile, Finding, Material, Side, find


def box(*sides: float, closed: bool = True, wall: float | None = None, file_format: str = "stl", **more: Any) -> Side:
    """A solid box with these sides in mm."""
    volume = sides[0] * sides[1] * sides[2]
    facts = {
        "triangles": 12, "watertight": closed, "volume_mm3": volume if closed else None, "extents_mm": list(sides),
        "parts": 1, "thinnest_wall_mm": wall,
    }  # fmt: skip
    return Side(file_format, int(more.pop("size", 684)), more.pop("preview", "ready"), facts=facts, **more)


def found(*files: ChangedFile, **more: Any) -> dict[str, Finding]:
    return {finding.name: finding for finding in find(Material(files=files, **more))}


def test_a_shape_that_was_closed_and_is_not_any_more_fails() -> None:
    opened = found(ChangedFile("a.stl", box(1, 2, 3), box(1, 2, 3, closed=False)))
    assert (opened["closed"].state, opened["closed"].data["paths"]) == ("failed", ["a.stl"])
    never = found(ChangedFile("a.stl", box(1, 2, 3, closed=False), box(1, 2, 3, closed=False)))
    assert never["closed"].state == "warning"
    new = found(ChangedFile("a.stl", None, box(1, 2, 3, closed=False)))
    assert new["closed"].state == "warning"
    mended = found(ChangedFile("a.stl", box(1, 2, 3, closed=False), box(1, 2, 3)))
    assert mended["closed"].state == "passed"


def test_nothing_is_said_of_what_is_not_known_yet() -> None:
    waiting = found(ChangedFile("a.stl", box(1, 2, 3), Side("stl", 684, "pending"), "pending"))
    assert waiting["closed"].state == waiting["drawn"].state == waiting["volumes"].state == "waiting"
    assert "box" not in waiting and "walls" not in waiting


def test_a_comparison_by_samples_never_passes_as_exact() -> None:
    states = {word: found(ChangedFile("a.stl", box(1, 2, 3), box(1, 2, 4), word)) for word in (
        "boolean", "sampled", "failed", "none")}  # fmt: skip
    assert {word: names["volumes"].state for word, names in states.items()} == {
        "boolean": "passed", "sampled": "warning", "failed": "warning", "none": "passed"
    }  # fmt: skip


def test_a_part_that_grew_is_told_by_its_boxes_whichever_way_it_lies() -> None:
    lying = found(ChangedFile("a.stl", box(84, 40, 66), box(66.2, 84.3, 40)))
    assert lying["box"].state == "passed", "the same box turned, within half a millimetre"
    taller = found(ChangedFile("a.stl", box(84, 40, 66), box(84, 40, 71)))["box"]
    assert taller.state == "warning" and (taller.data["before"], taller.data["after"]) == (
        [84.0, 66.0, 40.0], [84.0, 71.0, 40.0]
    )  # fmt: skip


def test_a_thinner_wall_is_told() -> None:
    thinner = found(ChangedFile("a.stl", box(9, 9, 9, wall=3.2), box(9, 9, 9, wall=3.0)))["walls"]
    assert thinner.state == "warning" and (thinner.data["before"], thinner.data["after"]) == (3.2, 3.0)
    assert found(ChangedFile("a.stl", box(9, 9, 9, wall=3.0), box(9, 9, 9, wall=3.2)))["walls"].state == "passed"


def test_a_step_left_behind_is_seen() -> None:
    step = box(84, 40, 66, file_format="step")
    mesh = ChangedFile("parts/body.stl", box(84, 40, 66), box(84, 40, 71))
    apart = found(mesh, others={"parts/body.step": step, "parts/other.step": box(1, 1, 1, file_format="step")})["agree"]
    assert apart.state == "warning" and apart.data["other"] == "parts/body.stl"
    # the box is 5 mm taller, and 84 × 40 × 5 mm³ more is a cube of 25.6 mm
    assert abs(apart.data["mm"] - (84 * 40 * 5) ** (1 / 3)) < 0.01
    both = found(mesh, ChangedFile("parts/body.step", step, box(84, 40, 71, file_format="step")))["agree"]
    assert both.state == "passed" and both.data["mm"] == 0
    assert "agree" not in found(ChangedFile("README.md", Side("markdown", 1, "none"), Side("markdown", 2, "none")),
                                others={"body.step": step, "body.stl": box(1, 1, 1)})  # fmt: skip


def test_conflicts_and_licences_fail_and_the_rest_only_warns() -> None:
    bad = found(
        ChangedFile("a.stl", None, Side("stl", 30_000_000, "failed", reason="It is empty.")),
        conflicts=("a.stl",), licence="MIT", source_licence="CC-BY-NC-4.0", licence_forbids="Not for sale.",
        okh=("okh.toml:3: no licence",),
    )  # fmt: skip
    assert {name: finding.state for name, finding in bad.items()} == {
        "merges": "failed", "licence": "failed", "drawn": "warning", "sizes": "warning", "okh": "warning"
    }  # fmt: skip
    assert "okh" not in found() and found(okh=())["okh"].state == "passed"


@given(st.lists(st.tuples(st.floats(0.1, 500), st.floats(0.1, 500), st.floats(0.1, 500)), min_size=1, max_size=4))
def test_a_change_that_changes_nothing_passes_everything(boxes: list[tuple[float, float, float]]) -> None:
    files = [
        ChangedFile(f"{n}.stl", box(*sides, wall=1.0), box(*sides, wall=1.0), "none") for n, sides in enumerate(boxes)
    ]
    assert {finding.state for finding in find(Material(files=files, licence="MIT"))} == {"passed"}
