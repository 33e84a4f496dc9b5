"""Labs and their machines as open data."""

from collections.abc import Iterator
from typing import Any

from labs.queries import catalogue


def rows() -> Iterator[dict[str, Any]]:
    """A machine a row, with the lab that it stands in."""
    for machine in catalogue.machines().iterator(chunk_size=500):
        lab = machine.lab
        x, y, z = machine.volume_mm or (None, None, None)
        yield {
            "lab": lab.slug,
            "lab_name": lab.name,
            "lon": lab.lon,
            "lat": lab.lat,
            "access": lab.access,
            "machine": machine.slug,
            "machine_name": machine.name,
            "class": machine.cls,
            "process": machine.process,
            "x_mm": x,
            "y_mm": y,
            "z_mm": z,
            "demo": machine.demo,
        }
