"""What machines of a class usually draw, with where each figure comes from; pure, no numpy.

It serves where nothing was measured: an estimate of a job, the share of a machine in a shared meter, and what a
booking will ask of its circuit. An estimate says so, and how far it may be off: it lies between `low_w` and `high_w`.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace

VERSION = "1"
#: Without a figure of its own a machine is taken to draw this share of the power on its plate, between the other two.
OF_PLATE, OF_PLATE_LOW, OF_PLATE_HIGH = 0.45, 0.15, 0.9


@dataclass(frozen=True, slots=True)
class Draw:
    """Power in W: mean while making (from `low_w` to `high_w`), at most while warming up, and while it waits."""

    making_w: float
    low_w: float
    high_w: float
    peak_w: float
    idle_w: float
    warm_min: float
    source: str


FFF = (
    "Mean 189.5 W, 10.9 to 279 W over 720 readings of one hour on a 300 mm printer (3dprintscape.com, do-3d-printers-"
    "use-a-lot-of-power); 29 W waiting, 350 W heating, 160 to 190 W printing (QIDITECH/QIDI_Q1_Pro#76); 100 to 160 W "
    "printing PLA after 250 to 320 W heating (3dcostify.com)"
)
LASER = (
    "2.1 kVA for CO2 engravers and 2.5 kVA for CO2 cutters with an 800 VA computer and extraction at 75 % use "
    "(ctrlasers.co.uk, running costs); a fifth to a half of the time is loading (troteclaser.com, laser power "
    "consumption)"
)
CUT = "no published series was found: a spindle of 0.8 to 2.2 kW at a third of it, with controller and extraction"
SMALL = "no published series was found: the usual plate of the class, at a part of its power"

TABLE: Mapping[str, Draw] = {
    "3d-printer": Draw(130, 80, 200, 320, 15, 6, FFF),
    "resin-printer": Draw(50, 25, 90, 120, 8, 1, SMALL),
    "laser-cutter": Draw(600, 250, 1500, 1700, 80, 1, LASER),
    "cnc-router": Draw(600, 250, 1300, 1800, 70, 1, CUT),
    "cnc-mill": Draw(700, 250, 1600, 2200, 90, 2, CUT),
    "lathe": Draw(500, 150, 1300, 1800, 40, 1, CUT),
    "vinyl-cutter": Draw(35, 15, 70, 90, 8, 0, SMALL),
    "pcb-mill": Draw(90, 40, 180, 250, 15, 1, SMALL),
    "pick-and-place": Draw(250, 100, 500, 700, 60, 2, SMALL),
    "sewing-machine": Draw(70, 25, 130, 160, 4, 0, SMALL),
    "embroidery-machine": Draw(90, 40, 180, 220, 10, 0, SMALL),
    "textile-machine": Draw(120, 50, 260, 350, 10, 1, SMALL),
    "3d-scanner": Draw(60, 25, 120, 150, 15, 0, SMALL),
    "electronics-bench": Draw(80, 30, 180, 300, 10, 0, SMALL),
    "hand-tools": Draw(250, 50, 800, 1200, 2, 0, SMALL),
    "other": Draw(150, 30, 600, 800, 10, 1, SMALL),
}


def of_class(cls: str, rated_w: float | None = None) -> Draw:
    """What a machine of the class draws; a plate of its own bounds the figures of its class and sets its peak."""
    usual = TABLE.get(cls, TABLE["other"])
    if not rated_w or rated_w <= 0:
        return usual
    making = min(max(usual.making_w, OF_PLATE_LOW * rated_w), OF_PLATE_HIGH * rated_w)
    low, high = min(usual.low_w, making), max(min(usual.high_w, rated_w), making)
    return replace(
        usual, making_w=making, low_w=low, high_w=high, peak_w=float(rated_w), idle_w=min(usual.idle_w, making)
    )
