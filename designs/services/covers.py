"""Which file stands for the design on cards and on top of its page."""

from designs.models import Blob, Design, FileVersion

FIRST = ("assembly", "preview", "model", "main")


def choose(design: Design) -> Blob | None:
    """An assembly if there is one, else the file named as the design, else the largest part that has a picture."""
    version = choose_version(design)
    return version.blob if version else None


def choose_version(design: Design) -> FileVersion | None:
    """The file version behind the cover."""
    drawn = (
        design.file_versions.filter(current=True, blob__preview=Blob.Preview.READY)
        .exclude(blob__png="", blob__glb="")
        .select_related("blob")
    )
    return min(drawn, key=lambda version: _place(version, design.slug), default=None)


def _place(version: FileVersion, slug: str) -> tuple[int, int, int, float, str]:
    stem = version.path.rsplit("/", 1)[-1].rsplit(".", 1)[0].lower().replace("_", "-")
    named = 0 if stem in FIRST or stem.endswith("-assembly") else 1 if stem == slug else 2
    facts = version.blob.facts or {}
    size = sum(float(x) for x in facts.get("extents_mm", []))
    kind = (facts.get("more") or {}).get("kind")
    photo = 1 if kind == "picture" else 0  # the thing itself before any picture of it, whatever that is called
    return photo, named, 0 if version.blob.glb else 2 if kind == "program" else 1, -size, version.path
