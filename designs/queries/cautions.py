"""Facts of a shape that ask for care, in words."""

from collections.abc import Mapping
from typing import Any

from django.utils.translation import gettext as _

#: Thinner walls than two lines of the usual 0.4 mm nozzle are said.
THIN_MM = 0.8
#: Of the surface: less than this hangs on nearly everything.
MUCH_OVERHANG = 0.05
BETTER_BY = 0.02


def cautions(facts: Mapping[str, Any]) -> list[str]:
    """Sentences on thin walls and overhangs; none where they are not known, as in facts of an older engine."""
    found = []
    wall, at = facts.get("thinnest_wall_mm"), facts.get("thinnest_wall_at_mm")
    if wall is not None and at and wall < THIN_MM:
        found.append(
            _("Thin: its thinnest wall is about %(wall).2f mm, near x %(x).1f, y %(y).1f, z %(z).1f mm. Two lines of "
              "a 0.4 mm nozzle need 0.8 mm.")
            % {"wall": wall, "x": at[0], "y": at[1], "z": at[2]}
        )  # fmt: skip
    drawn, best, up = facts.get("overhang_share"), facts.get("overhang_best_share"), facts.get("best_up")
    if drawn is not None and best is not None and drawn > MUCH_OVERHANG:
        words = {"share": round(drawn * 100), "best": round(best * 100), "up": up}
        if drawn - best >= BETTER_BY:
            found.append(
                _("Overhang: as drawn, %(share)d %% of its surface leans out by more than 45°; with %(up)s up, "
                  "%(best)d %%.") % words
            )  # fmt: skip
        else:
            found.append(
                _("Overhang: %(share)d %% of its surface leans out by more than 45° and needs support.") % words
            )
    return found
