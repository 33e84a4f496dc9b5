"""Files from strangers are opened only here: a fork server that has the engine loaded, and for each file a child of it
with its own folder, memory, time, and no way to the network, to other programs or to other files."""

from designs.sandbox.client import Drawn, draw

__all__ = ["Drawn", "draw"]
