"""Answers of scenarios as files: CSV, PDF, GeoJSON. Pure but for the language; fpdf2 is loaded by the first paper."""

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from django.utils.translation import get_language
from django.utils.translation import gettext as _

from commons import csv_files
from twin.pages import answers, variants
from twin.pages.answers import Comparison

COLUMNS = ("scenario", "title", "version", "depth", "city_version", "inputs_hash", "group", "key", "label", "unit")
VALUES = ("baseline", "scenario", "difference", "low", "high", "better", "engine", "how")
CREDIT = ("licence", "attribution")


def table(comparisons: Sequence[Comparison]) -> str:
    """A row for each figure of each scenario, with the numbers as they were reckoned (no rounding), RFC 4180."""
    rows = (
        [
            *(one[name] for name in COLUMNS[:6]),
            *(row.get(name) for name in (*COLUMNS[6:], *VALUES)),
            *(one[name] for name in CREDIT),
        ]
        for one in comparisons
        for row in one["figures"]
    )
    return csv_files.text([*COLUMNS, "today", "in_scenario", *VALUES[2:], *CREDIT], rows)


def features(
    comparisons: Sequence[Comparison], parts: Iterable[tuple[Comparison, str, Mapping[str, Any]]]
) -> dict[str, Any]:
    """One FeatureCollection of what differs: each feature says of which scenario, version and layer it is; the whole,
    whose data its shapes are.
    """
    found = []
    for one, layer, collection in parts:
        about = {"scenario": str(one["scenario"]), "version": one["version"], "layer": layer}
        for feature in collection.get("features", ()):
            properties = {**about, **(feature.get("properties") or {})}
            found.append({"type": "Feature", "geometry": feature.get("geometry"), "properties": properties})
    credit = {name: "; ".join(filter(None, dict.fromkeys(str(one[name]) for one in comparisons))) for name in CREDIT}
    return {"type": "FeatureCollection", **credit, "features": found}


def paper(comparisons: Sequence[Comparison], *, made_at: dt.datetime, address: str = "") -> bytes:
    """A4 pages: of one scenario its figures with their bands, who gains and loses, limits and engines; of several the
    table of them and then each.
    """
    from energy.pdf import Document  # noqa: PLC0415 only papers load it

    title = " · ".join(str(one["title"]) for one in comparisons)
    file = Document(
        title=title, made_at=made_at, language=get_language() or "en", foot=_("A model, not a measurement.")
    )
    if len(comparisons) > 1:
        _compared(file, comparisons)
    for one in comparisons:
        _answer(file, one)
    if address:
        file.down(10)
        file.line(address, 8)
    return file.bytes()


def _compared(file: Any, comparisons: Sequence[Comparison]) -> None:
    file.line(_("Scenarios beside each other"), 18, bold=True)
    for number, one in enumerate(comparisons, 1):
        file.line(f"{number}  {one['title']}", 10)
    for sentence in variants.unlike(comparisons):
        file.line(sentence, 9)
    columns = len(comparisons) + 1
    left = 56.0
    first, wide = 190.0, (file.right - left - 190.0) / columns
    for group in variants.table(comparisons):
        file.down(8)
        file.room(50)
        file.line(str(group["title"]), 11, bold=True)
        file.down(12)
        for at, name in enumerate([_("today"), *map(str, range(1, columns))]):
            file.text(left + first + wide * (at + 1), name, 8, end=True)
        file.rule()
        for row in group["rows"]:
            lines = file.wrapped(row.label, 8.5, first - 6)
            file.room(12.0 * len(lines))
            for at, text in enumerate(lines):
                file.down(12)
                file.text(left, text, 8.5)
                if at == 0:
                    for column, cell in enumerate((row.today, *row.cells)):
                        file.text(left + first + wide * (column + 1), cell.value, 8.5, bold=cell.best, end=True)
    file.down(6)
    file.line(_("Bold: nobody does better in this figure."), 8)
    file.down(14)


def _answer(file: Any, one: Comparison) -> None:
    shown = answers.figures(one)
    file.room(120)
    file.line(str(one["title"]), 16, bold=True)
    file.line(answers.answer_words(shown), 10)
    file.line(
        _("Version %(version)s of the scenario, version %(city)s of %(district)s.")
        % {"version": one["version"], "city": one["city_version"], "district": one["district"]},
        9,
    )
    for group in answers.grouped(shown):
        file.down(8)
        file.room(54)
        file.line(str(group["title"]), 11, bold=True)
        _heads(file)
        for figure in group["figures"]:
            _figure(file, figure)
    _people(file, one)
    if one.get("limits"):
        file.down(8)
        file.room(40)
        file.line(_("Limits"), 11, bold=True)
        for sentence in one["limits"]:
            file.line(f"– {_(str(sentence))}", 9)
    file.down(8)
    file.room(40)
    file.line(_("Reckoned by"), 11, bold=True)
    for engine in one["engines"]:
        file.line(f"{engine['name']} {engine['version']}: {_(str(engine['what'])) if engine.get('what') else ''}", 9)
    if one.get("seeds"):
        file.line(_("Seeds: %(seeds)s") % {"seeds": ", ".join(map(str, one["seeds"]))}, 9)
    file.line(_("Inputs: %(hash)s") % {"hash": one["inputs_hash"]}, 8)
    if whose := ", ".join(filter(None, (one["attribution"], one["licence"]))):
        file.line(_("Data of the city: %(whose)s") % {"whose": whose}, 8)
    file.down(18)


ENDS = (300.0, 375.0, 450.0)


def _heads(file: Any) -> None:
    file.down(12)
    for end, name in zip(ENDS, (_("today"), _("scenario"), _("difference")), strict=True):
        file.text(end, name, 8, end=True)
    file.rule()


def _figure(file: Any, figure: answers.Figure) -> None:
    lines = file.wrapped(figure.label, 9, 170)
    file.room(13.0 * (len(lines) + bool(figure.band)))
    for at, text in enumerate(lines):
        file.down(13)
        file.text(56.0, text, 9)
        if at == 0:
            for end, value in zip(ENDS, (figure.today, figure.scenario, figure.difference), strict=True):
                file.text(end, value, 9, end=True)
            file.text(460.0, figure.verdict_words, 8, bold=figure.verdict in {"better", "worse"})
    if figure.band:
        file.down(10)
        file.text(ENDS[2], figure.band, 7.5, end=True)


def _people(file: Any, one: Comparison) -> None:
    for part in answers.who(one):
        file.down(8)
        file.room(54)
        file.line(f"{_('Who gains and who loses')}: {part['title']}", 11, bold=True)
        for row in part["rows"]:
            file.line(
                _("%(group)s (%(figure)s): %(gain)s gain, %(lose)s lose, %(same)s stay; in the middle %(median)s")
                % {
                    "group": row.group,
                    "figure": row.figure,
                    "gain": row.gain,
                    "lose": row.lose,
                    "same": row.same,
                    "median": row.median,
                },
                9,
            )
