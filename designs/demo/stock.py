"""The demo's designs: who made which version of which file, when, and why. Dates and numbers are fixed, so that commit
ids and hashes are the same in every demo city."""

import datetime as dt
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from designs.demo import things
from designs.demo.shapes import stl, three_mf

Files = dict[str, bytes | None]


@dataclass(frozen=True, slots=True)
class Version:
    """A commit: who, when, why, and the files that it puts."""

    author: str
    at: dt.datetime
    message: str
    files: Callable[[], Files]


@dataclass(frozen=True, slots=True)
class Stock:
    """A design of the demo with its whole history."""

    owner: str
    slug: str
    name: str
    summary: str
    licence: str
    versions: tuple[Version, ...]
    releases: tuple[tuple[str, str, str], ...] = ()
    sources: tuple[Mapping[str, str], ...] = ()


def _at(month: int, day: int, hour: int = 10) -> dt.datetime:
    return dt.datetime(2026, month, day, hour, 12, tzinfo=dt.UTC)


def _text(text: str) -> bytes:
    return text.strip().encode() + b"\n"


def _clamp_first() -> Files:
    body = things.clamp_body(opening_mm=36.0)
    return {
        "body.stl": stl(body),
        "jaw.stl": stl(things.clamp_jaw()),
        "README.md": _text("# Balcony rail clamp\n\nHolds a balcony solar panel to a rail. First print, up to 36 mm."),
    }


def _clamp_wider() -> Files:
    body = things.clamp_body(opening_mm=42.0)
    return {"body.stl": stl(body), "assembly.3mf": three_mf(things.clamp_assembly(body, opening_mm=42.0))}


CLAMP_README = """
# Balcony rail clamp

Holds a balcony solar panel to a round or flat rail, up to 42 mm. Two printed parts, one bolt, no drilling.

## Print

- PETG or ASA, 0.2 mm layers, four walls, 40 % infill
- body.stl on its side, no supports; jaw.stl flat

## Put together

1. Press the nut into its trap.
2. Turn the bolt in from above until it meets the jaw.
3. Glue the rubber strip into the groove, set the clamp on the rail and tighten by hand.

| Rail | Torque |
|---|---|
| steel, 42 mm | 4 Nm |
| aluminium, 38 mm | 3 Nm |

Check it after the first storm.
"""

STOCK: tuple[Stock, ...] = (
    Stock(
        "aino", "balcony-rail-clamp", "Balcony rail clamp",
        "Holds a balcony solar panel to a round or flat rail, up to 42 mm. Two printed parts, one bolt, no drilling.",
        "CERN-OHL-S-2.0",
        (
            Version("aino", _at(3, 14), "First print of the clamp", _clamp_first),
            Version("otto", _at(4, 2, 17), "Open the mouth to 42 mm for the rails in Kallio", _clamp_wider),
            Version(
                "aino", _at(5, 9), "Parts list and how to put it together",
                lambda: {
                    "README.md": _text(CLAMP_README),
                    "bom.csv": _text(
                        "part,material,quantity\nBody,PETG printed,1\nJaw,PETG printed,1\nBolt M8 x 60,steel A2,1\n"
                        "Nut M8,steel A2,1\nRubber strip 2 mm,EPDM,40 cm²"
                    ),
                },
            ),
            Version(
                "mikko", _at(10, 27, 19), "Bolt as a model, for those who check before they print",
                lambda: {"bolt.stl": stl(things.hex_bolt())},
            ),
        ),
        releases=(
            (
                "2.1", "Holds on round rails",
                "- The mouth opens to 42 mm, for the rails in Kallio.\n- A parts list, and how to put it together.\n"
                "- The bolt as a model.\n\nTested through two storms with a panel of 18 kg.",
            ),
        ),
        sources=(
            {
                "relation": "adapted", "title": "C-clamp study", "authors": "Riga Open Works",
                "licence": "CERN-OHL-W-2.0",
            },
        ),
    ),
    Stock(
        "otto", "vent-gear", "Vent gear, 18 teeth",
        "Replaces the broken gear of a window vent: module 2.5, involute flanks, D-shaft of 8 mm, with its knob.",
        "MIT",
        (
            Version(
                "otto", _at(2, 8), "Gear with 17 teeth, measured off the broken one",
                lambda: {"gear.stl": stl(things.vent_gear(teeth=17))},
            ),
            Version(
                "otto", _at(2, 22), "It has 18 teeth after all",
                lambda: {
                    "gear.stl": stl(things.vent_gear()),
                    "README.md": _text(
                        "# Vent gear\n\nThe gear of the window vents in houses of the sixties. Count the teeth before "
                        "you print: there are 18.\n\nPrint it flat, PETG, five walls."
                    ),
                },
            ),
            Version("sanna", _at(6, 3), "A knob for the same shaft", lambda: {"knob.stl": stl(things.vent_knob())}),
        ),
        releases=(("1.0", "", "Eighteen teeth, with a knob."),),
    ),
    Stock(
        "sanna", "air-sensor-case", "Air sensor case",
        "A case with a lid for the neighbourhood's air sensor: slots for the air, posts for four screws.",
        "CC-BY-4.0",
        (
            Version(
                "sanna", _at(1, 19), "Case and lid for the first board",
                lambda: {
                    "case.stl": stl(things.sensor_case(length_mm=70.0)),
                    "lid.stl": stl(things.sensor_lid(length_mm=70.0)),
                },
            ),
            Version(
                "leila", _at(7, 5), "8 mm longer: the new board has a connector at its end",
                lambda: {
                    "case.stl": stl(things.sensor_case()),
                    "lid.stl": stl(things.sensor_lid()),
                    "assembly.3mf": three_mf([
                        ("case", things.sensor_case()),
                        ("lid", things.sensor_lid().rotate((0, 180, 0)).translate((78.0, 0, 46.0))),
                    ]),
                },
            ),
            Version(
                "sanna", _at(9, 12), "Say how it hangs",
                lambda: {
                    "README.md": _text(
                        "# Air sensor case\n\nHang it in the shade, slots down, two metres above the ground.\n\n"
                        "Four screws 2.2 x 12 mm hold the lid."
                    ),
                    "bom.csv": _text("part,quantity\nCase,1\nLid,1\nScrew 2.2 x 12,4\nCable gland M6,1"),
                },
            ),
        ),
    ),
    Stock(
        "leila", "herb-planter", "Herb planter",
        "A pot with nine sides that turn as they rise, and a saucer that catches the water.",
        "CC0-1.0",
        (
            Version(
                "leila", _at(4, 20), "Pot with seven sides",
                lambda: {"planter.stl": stl(things.herb_planter(sides=7))},
            ),
            Version(
                "leila", _at(5, 1), "Nine sides stand better, and a saucer",
                lambda: {
                    "planter.stl": stl(things.herb_planter()),
                    "saucer.stl": stl(things.planter_saucer()),
                    "README.md": _text("# Herb planter\n\nA wall of 1.2 mm is enough. Basil likes it, mint leaves it."),
                },
            ),
        ),
    ),
    Stock(
        "sanna", "printed-bearing-60", "Printed bearing 60",
        "A bearing of 60 mm that comes off the printer ready to turn: eleven waisted rollers, no cage, no grease.",
        "CERN-OHL-P-2.0",
        (
            Version(
                "sanna", _at(3, 3), "Ten rollers", lambda: {"bearing.3mf": three_mf(things.bearing(rollers=10))}
            ),
            Version(
                "mikko", _at(8, 16), "Eleven rollers run quieter",
                lambda: {
                    "bearing.3mf": three_mf(things.bearing()),
                    "bearing.stl": stl(*(solid for _name, solid in things.bearing())),
                    "README.md": _text(
                        "# Printed bearing 60\n\nGaps of 0.25 mm. Turn it hard once when it has cooled; then it runs."
                    ),
                },
            ),
        ),
    ),
    Stock(
        "mikko", "coat-hook", "Coat hook",
        "Carries a wet winter coat: an arm that thickens at its root, two screws, no supports.",
        "CC-BY-SA-4.0",
        (
            Version("mikko", _at(9, 30), "Hook", lambda: {"hook.stl": stl(things.coat_hook())}),
            Version(
                "aino", _at(11, 2), "Tested with 12 kg for a week",
                lambda: {"README.md": _text("# Coat hook\n\nPrinted on its side in PLA it held 12 kg for a week.")},
            ),
        ),
    ),
    Stock(
        "otto", "cable-comb", "Cable comb",
        "Keeps eight cables apart at the edge of a desk. One sheet of 4 mm plywood, laser cut.",
        "CC-BY-4.0",
        (
            Version(
                "otto", _at(10, 11), "Comb for six cables", lambda: {"comb.svg": things.comb_svg(slots=6).encode()}
            ),
            Version(
                "otto", _at(11, 14), "Two more slots",
                lambda: {
                    "comb.svg": things.comb_svg().encode(),
                    "README.md": _text("# Cable comb\n\nPoplar plywood of 4 mm, cut in one pass."),
                },
            ),
        ),
    ),
)  # fmt: skip
