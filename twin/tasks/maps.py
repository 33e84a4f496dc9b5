"""Long work of the twin: what the map of a version reads. Tiles for a large district, triangles of 3D buildings."""

import gzip
import itertools
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from django.utils.translation import gettext_lazy

from commons.runs.registry import Inputs, Job, Outcome, kind
from commons.said import said
from twin import files, layers, map_files, plan, queries, tiles
from twin.engine.model import Layer
from twin.engine.tags import KINDS
from twin.models import DistrictVersion
from twin.services.maps import SOLIDS

VERSION = "map-1"
_TILED: tuple[Layer, ...] = ("areas", "streets", "buildings", "services")
_BUILDING = frozenset(
    ("id", "name", "use", "height", "min_height", "height_source", "address", "energy", "solar", "heat")
) | {f"min_{kind}" for kind in KINDS}
_STREET = frozenset(("id", "name", "highway", "car"))


@kind("twin.map", queue="simulations", engine_version=VERSION)
def make_map(job: Job, inputs: Inputs) -> Outcome:
    """Make the files of a version's map and put them in their place."""
    of = queries.version(queries.district(inputs["district"]), inputs["version"])
    name = layers.etag("buildings", of)
    scratch = Path(tempfile.mkdtemp(dir=map_files.scratch()))
    try:
        made = _files(job, of, scratch)
    except BaseException:
        shutil.rmtree(scratch, ignore_errors=True)
        raise
    sizes: dict[str, Any] = {form: path.stat().st_size for form, path in made.items()}

    def effect() -> None:
        for form, path in made.items():
            map_files.put(of, name, form, path)
        shutil.rmtree(scratch, ignore_errors=True)

    return Outcome({"district": inputs["district"], "version": of.number, "bytes": sizes}, effect)


def _files(job: Job, of: DistrictVersion, scratch: Path) -> dict[map_files.Form, Path]:
    """What the version's map needs, in the folder `scratch`."""
    made: dict[map_files.Form, Path] = {}
    if roofs := solids(of):
        made["mesh.gz"] = scratch / "roofs"
        made["mesh.gz"].write_bytes(gzip.compress(roofs, compresslevel=6, mtime=0))
    if map_files.is_large(of):
        job.progress(0.2, said(gettext_lazy("Tiles of streets and buildings")))
        made["pmtiles"] = scratch / "tiles.pmtiles"
        tiles.make(
            {layer: _tiled(layer, of) for layer in _TILED},
            made["pmtiles"],
            tick=lambda seconds: job.progress(0.2 + 0.7 * seconds / (seconds + 60)),
        )
        plan.gzipped(of)  # the drawn picture, some seconds of work for a city: not while a visitor waits
    return made


def _tiled(layer: Layer, of: DistrictVersion) -> Iterator[dict[str, Any]]:
    """Features with what the map reads of them."""
    keep = _BUILDING if layer == "buildings" else _STREET if layer == "streets" else None
    for feature in layers.features(layer, of, layers.Wish(slim=keep is None)):
        if keep is not None:
            shown = {name: value for name, value in feature["properties"].items() if name in keep}
            feature["properties"] = shown
        yield feature


def solids(of: DistrictVersion) -> bytes:
    """The triangles of the buildings that the kept 3D models hold and nobody has corrected in height since."""
    from twin.engine import mesh  # noqa: PLC0415 the web process never runs this

    rows = queries.things("buildings", of).values_list("key", "height_source")
    standing = {key for key, source in rows if source != "citizen"}
    bodies: dict[str, mesh.Body] = {}
    for kept in of.sources:
        path = files.path(kept)
        if kept["name"].lower().endswith(SOLIDS) and path.is_file():
            bodies |= {body.key: body for body in mesh.read(path, kept["name"], standing)}
    return mesh.packed(list(itertools.islice(bodies.values(), map_files.LARGEST_WHOLE)))
