"""Triangles of a 3D model's buildings against areas reckoned another way."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import shapely
from numpy.typing import NDArray

from twin.engine import cityjson, mesh, roof_surfaces

Floats = NDArray[np.float64]


class _Every:
    def __contains__(self, _key: object) -> bool:
        return True


def area(corners: Floats) -> float:
    """The area of triangles."""
    a, b, c = corners[0::3], corners[1::3], corners[2::3]
    return float(np.linalg.norm(np.cross(b - a, c - a), axis=1).sum() / 2)


@pytest.mark.parametrize("turn", [0, 1, 2])
def test_a_surface_with_a_hole_keeps_its_area_whichever_way_it_faces(turn: int) -> None:
    outer = np.array([[0, 0, 0], [8, 0, 0], [8, 6, 0], [4, 3, 0], [0, 6, 0]], dtype=float)
    hole = np.array([[1, 1, 0], [1, 2, 0], [2, 2, 0], [2, 1, 0]], dtype=float)
    slope = np.array([[1, 0, 0], [0, 1, 0], [0.3, 0.4, 1]])
    rings = [np.roll(ring @ slope.T, turn, axis=1) for ring in (outer, hole)]
    flat = shapely.Polygon(outer[:, :2], [hole[:, :2]]).area
    normal = np.cross(slope.T[0], slope.T[1])
    assert area(mesh.triangles(rings)) == pytest.approx(flat * np.linalg.norm(normal), rel=1e-9)


def test_what_has_no_area_makes_no_triangle() -> None:
    line = np.array([[0, 0, 0], [1, 0, 0], [2, 0, 0], [3, 0, 0]], dtype=float)
    assert area(mesh.triangles([line])) == pytest.approx(0)
    assert len(mesh.triangles([])) == 0


def _cube(key: str, side: float, at: float) -> dict[str, Any]:
    """A box on its own ground in RD New, its top called a roof."""
    corners = [(x, y, z) for z in (0, side * 2) for x, y in ((0, 0), (side, 0), (side, side), (0, side))]
    walls = [[[a, (a + 1) % 4, (a + 1) % 4 + 4, a + 4]] for a in range(4)]
    return {
        "type": "CityJSON",
        "version": "2.0",
        "transform": {"scale": [0.001, 0.001, 0.001], "translate": [at, 446_000.0, 5.0]},
        "metadata": {"referenceSystem": "https://www.opengis.net/def/crs/EPSG/0/7415"},
        "CityObjects": {
            key: {
                "type": "Building",
                "geometry": [
                    {
                        "type": "Solid",
                        "lod": "2.2",
                        "boundaries": [[[[3, 2, 1, 0]], [[4, 5, 6, 7]], *walls]],
                        "semantics": {
                            "surfaces": [{"type": "GroundSurface"}, {"type": "RoofSurface"}, {"type": "WallSurface"}],
                            "values": [[0, 1, 2, 2, 2, 2]],
                        },
                    }
                ],
            }
        },
        "vertices": [[round(v * 1000) for v in corner] for corner in corners],
    }


def test_a_box_comes_back_from_its_packed_form_with_roof_and_walls_and_stands_on_zero(tmp_path: Path) -> None:
    path = tmp_path / "box.city.json"
    path.write_text(json.dumps(_cube("a/1", 10.0, 85_000.0)))
    assert mesh.read(path, path.name, {"a/1"}) == []
    bodies = mesh.read(path, path.name, {"a_1"})
    ((key, corners, roof),) = mesh.unpacked(mesh.packed(bodies))
    assert key == "a_1"
    assert corners[:, 2].min() == 0
    assert corners[:, 2].max() == pytest.approx(20, abs=0.01)
    assert area(corners[roof]) == pytest.approx(100, rel=0.005)
    assert area(corners[~roof]) == pytest.approx(4 * 10 * 20, rel=0.005)
    assert mesh.packed([]) == b""


def _ring_area(ring: Floats) -> float:
    """Of a flat ring in space (Newell)."""
    return float(np.linalg.norm(np.cross(ring, np.roll(ring, -1, axis=0)).sum(axis=0)) / 2)


@pytest.mark.parametrize("name", ["zurich_lod2.city.json", "3dbag_tile901.city.jsonl"])
def test_the_samples_triangles_have_the_area_of_the_samples_rings(shared: Path, name: str) -> None:
    path = shared / "data/twin/samples" / name
    bodies = mesh.read(path, name, _Every())  # type: ignore[arg-type]
    assert len(bodies) > 40
    wanted = 0.0
    head: Any = {}
    for _line, document in cityjson._documents(path, name):
        head = document if document["type"] == "CityJSON" else head
        points = cityjson._points(document, head, name)
        points = points - points.min(axis=0) if len(points) else points
        for _key, members in roof_surfaces._buildings(document["CityObjects"]):
            found = [g for m in members for g in m.get("geometry", []) if str(g["lod"]) >= "2"]
            best = max((str(g["lod"]) for g in found), default="")
            for rings, kind in (s for g in found if str(g["lod"]) == best for s in cityjson._surfaces(g)):
                if kind == "RoofSurface":
                    outer, *holes = (_ring_area(points[ring]) for ring in rings)
                    wanted += outer - sum(holes)
    seen = sum(area(corners[roof]) for _key, corners, roof in mesh.unpacked(mesh.packed(bodies)))
    assert seen == pytest.approx(wanted, rel=0.01)
