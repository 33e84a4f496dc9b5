"""Files from strangers are opened only here: a fork server that has the engine loaded, and for each file a child of it
with its own folder, memory, time, and no way to the network, to other programs or to other files."""

from designs.sandbox.client import Drawn, draw
from designs.sandbox.compared import Compared, compare, picture

__all__ = ["Compared", "Drawn", "compare", "draw", "picture"]
