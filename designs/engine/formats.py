"""Which format a file has: by its name, and where names lie, by its first bytes."""

MODELS = {
    "stl": "stl", "obj": "obj", "ply": "ply", "off": "off", "3mf": "3mf", "glb": "glb", "gltf": "gltf",
    "step": "step", "stp": "step",
}  # fmt: skip
DRAWINGS = {"svg": "svg", "dxf": "dxf"}
IMAGES = {
    "png": "png", "jpg": "jpeg", "jpeg": "jpeg", "webp": "webp", "gif": "gif", "heic": "heic", "heif": "heic",
}  # fmt: skip
OTHERS = {
    "md": "markdown", "txt": "text", "csv": "csv", "json": "json", "toml": "toml", "yml": "yaml", "yaml": "yaml",
    "scad": "openscad", "fcstd": "freecad", "pdf": "pdf", "gcode": "gcode", "gco": "gcode", "nc": "gcode",
    "ngc": "gcode",
    "zip": "zip", "f3d": "fusion",
    "kicad_pcb": "kicad", "kicad_sch": "kicad",
    "py": "python", "blend": "blender", "sldprt": "solidworks",
}  # fmt: skip

OTHERS |= dict.fromkeys(
    ("gbr", "ger", "gerber", "gtl", "gbl", "gts", "gbs", "gto", "gbo", "gtp", "gbp", "gko", "gm1", "drl", "xln"),
    "gerber",
)

#: Formats that get a picture.
DRAWN = frozenset(
    {*MODELS.values(), *DRAWINGS.values(), *IMAGES.values(), "gcode", "openscad", "gerber", "kicad", "pdf"}
)
#: Pictures, which are drawn anew in our own sizes.
PICTURES = frozenset(IMAGES.values())
#: Formats that get a model for the viewer too.
SOLID = frozenset(MODELS.values())


def of_name(path: str) -> str:
    """The format that the name says, or nothing."""
    name = path.rsplit("/", 1)[-1].lower()
    ending = name.rsplit(".", 1)[-1] if "." in name else ""
    if ending == "zip" and "gerber" in name:
        return "gerber"
    return MODELS.get(ending) or DRAWINGS.get(ending) or IMAGES.get(ending) or OTHERS.get(ending, "")


def is_text(head: bytes) -> bool:
    """Whether the first bytes read as text."""
    return b"\0" not in head
