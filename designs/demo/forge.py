"""The demo's forks and changes: who works on whose design, what they offer, what others say of it."""

import datetime as dt
from dataclasses import dataclass

from designs.demo import texts, things
from designs.demo.shapes import stl
from designs.demo.stock import Files, Version, on, text_of
from designs.models import Review


@dataclass(frozen=True, slots=True)
class Remark:
    """What somebody says of a change. `line` finds the line of a text that it is pinned to, `point` is in mm."""

    author: str
    at: dt.datetime
    body: str
    path: str = ""
    line: str = ""
    point: tuple[float, float, float] | None = None
    answers: bool = False
    settled: bool = False


@dataclass(frozen=True, slots=True)
class Judged:
    """A review."""

    author: str
    at: dt.datetime
    verdict: str
    body: str


@dataclass(frozen=True, slots=True)
class Fork:
    """A fork of a demo design, what was changed in it, and the change that is offered back."""

    of: tuple[str, str]
    owner: str
    slug: str
    name: str
    summary: str
    versions: tuple[Version, ...]
    title: str
    body: str
    offered_at: dt.datetime
    remarks: tuple[Remark, ...]
    reviews: tuple[Judged, ...]
    merged: tuple[str, dt.datetime] | None = None
    tags: tuple[str, ...] = ()
    branch: str = "main"


def _wide() -> Files:
    parts = texts.CLAMP_PARTS.replace("Body,1,92,2.10", "Body,1,76,1.75").replace(
        "Bolt M8 x 60,1,28", "Bolt M8 x 70,1,32"
    )
    return {
        "body.stl": stl(things.clamp_body(opening_mm=48.0, thickness_mm=11.0)),
        "README.md": text_of(texts.CLAMP_README.replace("up to 42 mm", "up to 48 mm")),
        "bom.csv": text_of(parts),
    }


def _thicker() -> Files:
    return {"body.stl": stl(things.clamp_body(opening_mm=48.0, thickness_mm=12.0))}


def _roof() -> Files:
    return {"roof.stl": stl(things.sensor_roof())}


def _roof_listed() -> Files:
    return {
        "bom.csv": text_of(texts.CASE_PARTS.replace("Screw 2.2", "Roof,1,19,0.38,roof.stl,\nScrew 2.2")),
        "README.md": text_of(texts.CASE_README + "\nThe roof's pins go into the outer holes of the lid."),
    }


FORKS: tuple[Fork, ...] = (
    Fork(
        ("sanna", "air-sensor-case"), "mikko", "outdoor-sensor-case", "Outdoor sensor case",
        "The air sensor's case with a roof against driving rain, for balconies that face west.",
        (
            Version("mikko", on(10, 2), "A roof on four pins", _roof),
            Version("mikko", on(10, 3), "The roof is in the parts list", _roof_listed),
        ),
        "A roof against driving rain",
        "My sensor read 100 % after each storm from the west. With this roof it has been dry for two weeks.\n\n"
        "Nothing of the case changes, the pins go into holes that are there.",
        on(10, 4),
        (
            Remark(
                "sanna", on(10, 5), "Do the pins still fit with the lid's screws in?", "roof.stl",
                point=(31.0, -16.0, -6.0), settled=True,
            ),
            Remark("mikko", on(10, 5, 18), "Yes, they sit beside the heads. I tried it with both lids.", answers=True),
        ),
        (Judged("leila", on(10, 6), Review.Verdict.APPROVE, "Mine has been up since Saturday. It is dry."),),
        merged=("sanna", on(10, 7)),
        tags=("air", "sensor", "outdoor"),
    ),
    Fork(
        ("aino", "balcony-rail-clamp"), "otto", "wide-rail-clamp", "Wide rail clamp",
        "The balcony rail clamp for the wide rails of newer houses, up to 48 mm.",
        (
            Version("otto", on(11, 9), "Open the mouth to 48 mm, same outside", _wide),
            Version("otto", on(11, 12), "Arms of 12 mm: 11 mm bent", _thicker),
        ),
        "Open the mouth to 48 mm",
        "Newer houses have rails of 46 mm. The clamp gives them 48 mm, and grows by 2 mm only, because the arms are "
        "thinner.\n\n- body.stl: mouth 42 → 48 mm, arms 14 → 12 mm\n- the bolt becomes 10 mm longer",
        on(11, 10),
        (
            Remark(
                "aino", on(11, 13), "The old ones fit too, don't they? Then say *38 to 48 mm*.", "README.md",
                line="up to 48 mm",
            ),
            Remark(
                "sanna", on(11, 13, 17), "This corner is where mine broke. Could the fillet grow to 9 mm?", "body.stl",
                point=(15.0, -20.0, 57.0),
            ),
            Remark("otto", on(11, 14, 9), "It can. I print one tonight and hang 18 kg from it.", answers=True),
            Remark("mikko", on(11, 14, 20), "I have such a rail and can test it, @otto. Bring one along on Friday?"),
        ),
        (
            Judged("mikko", on(11, 13, 12), Review.Verdict.APPROVE, "Prints well, on its side, no supports."),
            Judged(
                "sanna", on(11, 13, 18), Review.Verdict.ASK,
                "I like it. Before it goes in, somebody should hang 18 kg from it for a week.",
            ),
        ),
        tags=("solar", "balcony", "clamp"),
    ),
)  # fmt: skip
