"""Shapes of OpenSCAD scripts.

A picture belongs to the bytes of its file alone, in whichever design they lie. So a script is run by itself: one that
asks for other files of its design would look different in each, and could show in one what another keeps private.
"""

from designs.engine.flat import scad
from designs.sandbox import scripts
from designs.sandbox.results import Result

NAME = "script.scad"


def build(content: bytes) -> Result:
    """Run a script that needs nothing else and draw its shape; of others, say what they need."""
    if len(content) > scad.MAX_BYTES:
        return Result.failed("The script is longer than 2 MB.")
    asked = [one for one in scad.asks_for(content.decode("utf-8", "replace")) if not one.startswith("MCAD/")]
    if asked:
        named = ", ".join(asked[:5])
        return Result.failed(f"The script is made of several files ({named}); shapes of scripts in one file are shown.")
    return scripts.build({NAME: content}, NAME)
