"""What somebody asks of the list: read from an address, checked, and written back into one."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Literal, cast
from urllib.parse import urlencode

from django.utils.translation import gettext as _

from designs import vocabulary
from designs.errors import BadQuery

Sort = Literal["best", "new", "made", "starred"]
SORTS: tuple[Sort, ...] = ("best", "new", "made", "starred")
LONGEST_Q, LONGEST = 200, 160
LARGEST_MM = 100_000.0


@dataclass(frozen=True, slots=True)
class Asked:
    """The words, filters and order of a list. Empty is "not asked"; `fits` are three sides in mm, longest first;
    `near` is the slug of a place."""

    q: str = ""
    licence: str = ""
    process: str = ""
    format: str = ""
    tag: str = ""
    fits: tuple[float, float, float] | None = None
    has_release: bool = False
    near: str = ""
    owner: str = ""
    sort: str = ""

    @property
    def order(self) -> Sort:
        """The order that is meant: best first where words are asked, else newest first."""
        return cast("Sort", self.sort) if self.sort else "best" if self.q else "new"

    def given(self) -> dict[str, str]:
        """What is asked, as it stands in an address, without the order."""
        fits = "x".join(f"{side:g}" for side in self.fits) if self.fits else ""
        words = {
            "q": self.q, "licence": self.licence, "process": self.process, "format": self.format, "tag": self.tag,
            "fits": fits, "has_release": "1" if self.has_release else "", "near": self.near, "owner": self.owner,
        }  # fmt: skip
        return {name: value for name, value in words.items() if value}

    def address(self) -> str:
        """The query of an address that asks this, with its question mark."""
        asked = self.given() | ({"sort": self.sort} if self.sort else {})
        return "?" + urlencode(asked)

    def having(self, name: str, value: Any) -> "Asked":
        """The same with one thing changed."""
        return replace(self, **{name: value})

    def without(self, name: str) -> "Asked":
        """The same with one thing less."""
        return self.having(name, getattr(Asked(), name))


def read(params: Mapping[str, str]) -> Asked:
    """What the parameters of an address ask. Raises BadQuery, with the parameter's name, for what means nothing."""
    text = {name: _plain(params.get(name, "")) for name in ("q", "licence", "process", "format", "tag", "owner")}
    sort = _plain(params.get("sort", ""))
    if sort and sort not in SORTS:
        raise BadQuery(
            _("sort is one of %(sorts)s, not “%(sort)s”.") % {"sorts": ", ".join(SORTS), "sort": sort[:40]},
            where="sort",
        )
    return Asked(
        q=text["q"][:LONGEST_Q].strip(),
        licence=text["licence"][:LONGEST],
        process=vocabulary.slug_of(text["process"][:LONGEST]),
        format=vocabulary.slug_of(text["format"][:LONGEST]),
        tag=text["tag"][:LONGEST].lower(),
        fits=_sides(_plain(params.get("fits", ""))),
        has_release=_yes(_plain(params.get("has_release", ""))),
        near=_plain(params.get("near", "") or params.get("place", ""))[:60].lower(),
        owner=text["owner"][:39].lower(),
        sort=sort,
    )


def _plain(text: str) -> str:
    """Words with single blanks; signs that no text has are blanks too."""
    return " ".join("".join(c if c.isprintable() else " " for c in text[:4000]).split())


def _yes(text: str) -> bool:
    if text.lower() in {"", "0", "false", "no"}:
        return False
    if text.lower() in {"1", "true", "yes", "on"}:
        return True
    raise BadQuery(_("has_release is 1 or 0, not “%(text)s”.") % {"text": text[:40]}, where="has_release")


def _sides(text: str) -> tuple[float, float, float] | None:
    if not text:
        return None
    parts = text.lower().replace("×", "x").replace("mm", "").replace("*", "x").replace(" ", "").split("x")
    try:
        sides = sorted((float(part) for part in parts), reverse=True)
    except ValueError:
        sides = []
    if len(sides) != 3 or not all(math.isfinite(side) and 0 < side <= LARGEST_MM for side in sides):
        raise BadQuery(
            _("fits is three lengths in mm such as 220x220x250, not “%(text)s”.") % {"text": text[:40]}, where="fits"
        )
    return sides[0], sides[1], sides[2]
