"""The manifest that goes out of the city with a design."""

from typing import TYPE_CHECKING

from designs.okh.writing import write_toml, write_yaml

if TYPE_CHECKING:
    from designs.models import Design


def write(design: "Design", commit: str, *, syntax: str = "toml") -> bytes:
    """A version's OKH manifest, filled with all that the city knows, in OKH-LOSH `toml` or OKH v1 `yaml`; UTF-8."""
    from designs.queries.manifests import filled  # noqa: PLC0415 the pure readers are of use without the database

    manifest = filled(design, commit)
    return (write_toml(manifest) if syntax == "toml" else write_yaml(manifest)).encode()
