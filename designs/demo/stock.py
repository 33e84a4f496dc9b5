"""The demo's designs: who made which version of which file, when, and why. Dates and numbers are fixed, so that commit
ids and hashes are the same in every demo city."""

import datetime as dt
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from designs.demo import texts, things
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
class Released:
    """A release: `after` says how many of the design's versions it holds."""

    version: str
    after: int
    at: dt.datetime
    notes: str
    name: str = ""


@dataclass(frozen=True, slots=True)
class Stock:
    """A design of the demo with its whole history."""

    owner: str
    slug: str
    name: str
    summary: str
    licence: str
    versions: tuple[Version, ...]
    releases: tuple[Released, ...] = ()
    sources: tuple[Mapping[str, str], ...] = ()


def on(month: int, day: int, hour: int = 10) -> dt.datetime:
    return dt.datetime(2026, month, day, hour, 12, tzinfo=dt.UTC)


def text_of(text: str) -> bytes:
    return text.strip().encode() + b"\n"


def _clamp_first() -> Files:
    body = things.clamp_body(opening_mm=36.0)
    return {
        "body.stl": stl(body),
        "jaw.stl": stl(things.clamp_jaw()),
        "README.md": text_of(
            "# Balcony rail clamp\n\nHolds a balcony solar panel to a rail. First print, up to 36 mm."
        ),
    }


def _clamp_wider() -> Files:
    body = things.clamp_body(opening_mm=42.0)
    return {"body.stl": stl(body), "assembly.3mf": three_mf(things.clamp_assembly(body, opening_mm=42.0))}


STOCK: tuple[Stock, ...] = (
    Stock(
        "aino", "balcony-rail-clamp", "Balcony rail clamp",
        "Holds a balcony solar panel to a round or flat rail, up to 42 mm. Two printed parts, one bolt, no drilling.",
        "CERN-OHL-S-2.0",
        (
            Version("aino", on(3, 14), "First print of the clamp", _clamp_first),
            Version("otto", on(4, 2, 17), "Open the mouth to 42 mm for the rails in Kallio", _clamp_wider),
            Version(
                "aino", on(5, 9), "Parts list and how to put it together",
                lambda: {
                    "README.md": text_of(texts.CLAMP_README), "bom.csv": text_of(texts.CLAMP_PARTS),
                },
            ),
            Version(
                "mikko", on(10, 27, 19), "Bolt as a model, for those who check before they print",
                lambda: {"bolt.stl": stl(things.hex_bolt())},
            ),
            Version(
                "aino", on(11, 3), "What an archive needs: manifest, licence, whose file is whose",
                lambda: {
                    "okh.toml": text_of(texts.CLAMP_MANIFEST), "REUSE.toml": text_of(texts.CLAMP_REUSE),
                    "LICENSE": text_of(texts.CLAMP_LICENCE),
                },
            ),
        ),
        releases=(
            Released(
                "2.0", 3, on(5, 12), "- The mouth opens to 42 mm, for the rails in Kallio.\n- A parts list, and how to "
                "put it together.", "For the rails in Kallio",
            ),
            Released(
                "2.1", 5, on(11, 4), "- The bolt as a model.\n- An OKH manifest, and the licence of each file.\n\n"
                "Tested through two storms with a panel of 18 kg.", "Held through two storms",
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
                "otto", on(2, 8), "Gear with 17 teeth, measured off the broken one",
                lambda: {"gear.stl": stl(things.vent_gear(teeth=17))},
            ),
            Version(
                "otto", on(2, 22), "It has 18 teeth after all",
                lambda: {
                    "gear.stl": stl(things.vent_gear()),
                    "README.md": text_of(texts.GEAR_README),
                },
            ),
            Version("sanna", on(6, 3), "A knob for the same shaft", lambda: {"knob.stl": stl(things.vent_knob())}),
            Version(
                "otto", on(6, 18), "Parts list and licence",
                lambda: {"bom.csv": text_of(texts.GEAR_PARTS), "LICENSE": text_of(texts.MIT)},
            ),
        ),
        releases=(
            Released("1.0", 2, on(2, 23), "Eighteen teeth, measured twice."),
            Released("1.1", 4, on(6, 20), "- A knob for the same shaft.\n- A parts list and the licence's text."),
        ),
    ),
    Stock(
        "sanna", "air-sensor-case", "Air sensor case",
        "A case with a lid for the neighbourhood's air sensor: slots for the air, posts for four screws.",
        "CC-BY-4.0",
        (
            Version(
                "sanna", on(1, 19), "Case and lid for the first board",
                lambda: {
                    "case.stl": stl(things.sensor_case(length_mm=70.0)),
                    "lid.stl": stl(things.sensor_lid(length_mm=70.0)),
                },
            ),
            Version(
                "leila", on(7, 5), "8 mm longer: the new board has a connector at its end",
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
                "sanna", on(9, 12), "Say how it hangs",
                lambda: {
                    "README.md": text_of(texts.CASE_README), "bom.csv": text_of(texts.CASE_PARTS),
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
                "leila", on(4, 20), "Pot with seven sides",
                lambda: {"planter.stl": stl(things.herb_planter(sides=7))},
            ),
            Version(
                "leila", on(5, 1), "Nine sides stand better, and a saucer",
                lambda: {
                    "planter.stl": stl(things.herb_planter()),
                    "saucer.stl": stl(things.planter_saucer()),
                    "README.md": text_of(
                        "# Herb planter\n\nA wall of 1.2 mm is enough. Basil likes it, mint leaves it."
                    ),
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
                "sanna", on(3, 3), "Ten rollers", lambda: {"bearing.3mf": three_mf(things.bearing(rollers=10))}
            ),
            Version(
                "mikko", on(8, 16), "Eleven rollers run quieter",
                lambda: {
                    "bearing.3mf": three_mf(things.bearing()),
                    "bearing.stl": stl(*(solid for _name, solid in things.bearing())),
                    "README.md": text_of(
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
            Version("mikko", on(9, 30), "Hook", lambda: {"hook.stl": stl(things.coat_hook())}),
            Version(
                "aino", on(11, 2), "Tested with 12 kg for a week",
                lambda: {"README.md": text_of("# Coat hook\n\nPrinted on its side in PLA it held 12 kg for a week.")},
            ),
        ),
    ),
    Stock(
        "otto", "cable-comb", "Cable comb",
        "Keeps eight cables apart at the edge of a desk. One sheet of 4 mm plywood, laser cut.",
        "CC-BY-4.0",
        (
            Version(
                "otto", on(10, 11), "Comb for six cables", lambda: {"comb.svg": things.comb_svg(slots=6).encode()}
            ),
            Version(
                "otto", on(11, 14), "Two more slots",
                lambda: {
                    "comb.svg": things.comb_svg().encode(),
                    "README.md": text_of("# Cable comb\n\nPoplar plywood of 4 mm, cut in one pass."),
                },
            ),
        ),
    ),
)  # fmt: skip
