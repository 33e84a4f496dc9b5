"""Reading a file into parts in millimetres, whatever its format and unit."""

import struct
from pathlib import Path

import numpy as np

from designs.engine import precheck
from designs.engine.errors import Unreadable
from designs.engine.model import Model, Part, Points, Triangles, weld

#: Millimetres in one of the file's units.
MILLIMETRES = {
    "mm": 1.0, "millimeter": 1.0, "millimeters": 1.0, "cm": 10.0, "centimeter": 10.0, "centimeters": 10.0,
    "m": 1000.0, "meter": 1000.0, "meters": 1000.0, "in": 25.4, "inch": 25.4, "inches": 25.4, "ft": 304.8,
    "foot": 304.8, "feet": 304.8, "micron": 0.001, "microns": 0.001, "um": 0.001,
}  # fmt: skip
MAX_INSTANCES = 2000
Y_UP_TO_Z_UP = np.array([[1.0, 0, 0], [0, 0, -1.0], [0, 1.0, 0]])
NO_UNIT = "The file names no unit; it is read as millimetres."


def load(path: Path, file_format: str) -> Model:
    """The model in a file. Raises Unreadable with a sentence for its maker."""
    precheck.check(path, file_format)
    if file_format == "stl" and precheck.is_binary_stl(path):
        pieces, units = [("", *_binary_stl(path))], "unknown"
    elif file_format == "step":
        pieces, units = _step(path)
    else:
        pieces, units = _by_trimesh(path.read_bytes(), file_format)
    return _model(pieces, units)


def _binary_stl(path: Path) -> tuple[Points, Triangles]:
    """80 bytes, a count, then 50 bytes a triangle: normal, three corners (little-endian float32), attribute."""
    raw = path.read_bytes()
    count = struct.unpack("<I", raw[80:84])[0]
    record = np.dtype([("normal", "<f4", 3), ("corners", "<f4", (3, 3)), ("attribute", "<u2")])
    corners = np.frombuffer(raw, record, count, 84)["corners"]
    return corners.reshape(-1, 3).astype(np.float64), np.arange(3 * count).reshape(-1, 3)


def _step(path: Path) -> tuple[list[tuple[str, Points, Triangles]], str]:
    """OpenCASCADE meshes the solids and answers a GLB in metres, z up as drawn, each face of a solid by itself."""
    import cascadio  # noqa: PLC0415 40 MB that only STEP needs

    try:
        glb = cascadio.load(path.read_bytes(), file_type="step", tol_linear=0.01, tol_angular=0.5, use_parallel=False)
    except Exception as error:  # whatever OpenCASCADE throws is an unreadable file
        raise Unreadable(f"The STEP file cannot be read: {_words(error)}.") from None
    pieces, _units = _scene(glb, "glb")
    return [(name, points * 1000.0, triangles) for name, points, triangles in pieces], "mm"


def _by_trimesh(raw: bytes, file_format: str) -> tuple[list[tuple[str, Points, Triangles]], str]:
    """What trimesh reads, z up; glTF is in metres and y up by its standard."""
    pieces, units = _scene(raw, file_format)
    if file_format in {"glb", "gltf"}:
        return [(name, points @ Y_UP_TO_Z_UP.T, triangles) for name, points, triangles in pieces], "m"
    return pieces, units


def _scene(raw: bytes, file_format: str) -> tuple[list[tuple[str, Points, Triangles]], str]:
    import trimesh  # noqa: PLC0415 heavy, and only in the sandbox

    try:
        scene = trimesh.load_scene(
            trimesh.util.wrap_as_stream(raw), file_type=file_format, resolver=None, process=False
        )
    except Exception as error:  # trimesh raises eight kinds on broken files
        raise Unreadable(f"The file cannot be read as {file_format.upper()}: {_words(error)}.") from None
    pieces = []
    for node in sorted(scene.graph.nodes_geometry)[: MAX_INSTANCES + 1]:
        matrix, name = scene.graph[node]
        mesh = scene.geometry[name]
        if isinstance(mesh, trimesh.Trimesh) and len(mesh.faces):
            points = np.asarray(mesh.vertices, np.float64) @ matrix[:3, :3].T + matrix[:3, 3]
            pieces.append((str(name), points, np.asarray(mesh.faces, np.int64)))
    if len(pieces) > MAX_INSTANCES:
        raise Unreadable(f"The file places more than {MAX_INSTANCES} parts; up to that many are drawn.")
    return pieces, str(scene.units or "unknown")


def _model(pieces: "list[tuple[str, Points, Triangles]]", units: str) -> Model:
    scale = MILLIMETRES.get(units.lower(), 1.0)
    warnings = [NO_UNIT] if units.lower() not in MILLIMETRES else []
    parts, dropped = [], 0
    for name, points, triangles in pieces:
        if len(triangles) and (triangles.min() < 0 or triangles.max() >= len(points)):
            raise Unreadable("A triangle names a point that the file does not have.")
        sound = np.asarray(np.isfinite(points).all(axis=1))[triangles].all(axis=1)
        dropped += int((~sound).sum())
        safe = np.where(np.isfinite(points), points, 0.0) * scale
        welded = weld(safe, triangles[sound])
        if len(welded[1]):
            parts.append(Part(name, *welded))
    if dropped:
        warnings.append(f"{dropped} triangles have a corner that is not a number; they are left out.")
    model = Model(tuple(parts), units if units.lower() in MILLIMETRES else "unknown", tuple(warnings))
    _check(model)
    return model


def _check(model: Model) -> None:
    if not model.triangle_count:
        raise Unreadable("No triangles were found in the file.")
    extents = np.ptp(model.bounds(), axis=0)
    if not np.isfinite(extents).all() or extents.max() > 1e7:
        raise Unreadable("The shape is larger than 10 km; its unit or its numbers are wrong.")
    if np.sort(extents)[1] < 1e-6:
        raise Unreadable("All triangles lie on one line; there is nothing to see.")


def _words(error: Exception) -> str:
    return f"{type(error).__name__} {error}".replace("\n", " ").strip()[:120]
