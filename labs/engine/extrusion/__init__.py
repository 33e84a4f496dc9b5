"""Which mesh a printer's program lays down, told by its shape alone: pure numpy, no Django, no clock.

`program` reads G-code, `profiles` describes what is laid down and what a mesh is in the same terms, `comparing` says
how far two such descriptions are apart, in mm (`docs/provenance.md`).
"""

from labs.engine.extrusion.comparing import Match, distances, rank
from labs.engine.extrusion.profiles import (
    DIRECTIONS,
    HEIGHTS,
    PROFILE_VERSION,
    UPS,
    Printed,
    Profile,
    of_mesh,
    of_program,
    pack,
    pack_print,
    unpack,
    unpack_all,
    unpack_prints,
)
from labs.engine.extrusion.program import Program, Unreadable, read

__all__ = (
    "DIRECTIONS",
    "HEIGHTS",
    "PROFILE_VERSION",
    "UPS",
    "Match",
    "Printed",
    "Profile",
    "Program",
    "Unreadable",
    "distances",
    "of_mesh",
    "of_program",
    "pack",
    "pack_print",
    "rank",
    "read",
    "unpack",
    "unpack_all",
    "unpack_prints",
)
