"""`rain DISTRICT GRID --json`"""

import json
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from commons.errors import CityError
from twin import queries, services
from twin.engine import RISK_VERSION
from twin.engine.errors import Unreadable
from twin.errors import unreadable

WET_M = 0.10
BESIDE_M = 3.0


class Command(BaseCommand):
    """Where heavy rain stands and runs on a terrain that is given."""

    help = "Read an ESRI ASCII grid of heights, in the district's metric system, and keep where rain stands and runs."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("district")
        parser.add_argument("grid", type=Path)
        parser.add_argument("--json", action="store_true")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            summary = self._reckon(options["district"], options["grid"])
        except Unreadable as fault:
            raise CommandError(str(unreadable(fault).sentence)) from fault
        except CityError as refusal:
            raise CommandError(str(refusal.sentence)) from refusal
        if options["json"]:
            self.stdout.write(json.dumps(summary))
            return
        self.stdout.write(
            f"{summary['wet']} of {summary['buildings']} buildings stand by a hollow; "
            f"the deepest holds {summary['deepest_m']} m."
        )

    def _reckon(self, slug: str, path: Path) -> dict[str, Any]:
        """Read, flood, and keep the depth and the water that passes at each building."""
        import numpy as np  # noqa: PLC0415 a command's, never the web's
        import shapely  # noqa: PLC0415 as above

        from twin.engine import rain, sun  # noqa: PLC0415 as above

        of = queries.version(queries.district(slug), None)
        if not path.is_file():
            raise CommandError(f"{path}: there is no such file.")
        grid = rain.read_ascii(path.read_text(encoding="ascii", errors="replace"), path.name)
        found = rain.runoff(grid)
        model = queries.as_model(of)
        shapes = sun.outlines(model.buildings, of.epsg)
        depth, upstream = [], []
        for shape in shapes:
            around = shapely.buffer(shape, BESIDE_M)
            row, column = grid.at(_cells(around, grid.cell_m))
            inside = row >= 0
            depth.append(float(np.nanmax(found.depth_m[row[inside], column[inside]], initial=0.0)))
            upstream.append(float(np.nanmax(found.upstream[row[inside], column[inside]], initial=0.0)))
        covered = [u > 0 for u in upstream]
        summary = {
            "buildings": len(shapes),
            "covered": sum(covered),
            "wet": sum(d >= WET_M for d in depth),
            "deepest_m": round(max(depth, default=0.0), 2),
        }
        services.store_reckoning(
            of=of,
            kind="rain",
            engine_version=RISK_VERSION,
            inputs={"grid": path.name, "cell_m": grid.cell_m},
            summary=summary,
            keys=[b.key for b in model.buildings],
            columns={
                "depth_m": [round(d, 2) if c else None for d, c in zip(depth, covered, strict=True)],
                "upstream_m2": [
                    round(u * grid.cell_m**2) if c else None for u, c in zip(upstream, covered, strict=True)
                ],
            },
        )
        return summary


def _cells(shape: Any, cell_m: float) -> Any:
    """Spots a cell apart that cover a shape, (n, 2)."""
    import numpy as np  # noqa: PLC0415 as above
    import shapely  # noqa: PLC0415 as above

    west, south, east, north = shape.bounds
    x, y = np.meshgrid(np.arange(west, east + cell_m, cell_m), np.arange(south, north + cell_m, cell_m))
    at = np.column_stack([x.ravel(), y.ravel()])
    return at[shapely.contains_xy(shape, at[:, 0], at[:, 1])]
