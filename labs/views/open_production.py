"""The share of production from open designs: what it is, its figures over time, its test set."""

import datetime as dt
from typing import Any

from django.http import FileResponse, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as lazy
from django.views.decorators.http import require_safe

from commons.places import queries as places
from commons.places.models import Place
from commons.web import numbers
from commons.web.context import place_of, set_place
from designs.licences import reasons_table
from labs.engine import openness
from labs.queries import figure, openness_tests, production

UNITS: tuple[tuple[openness.Unit, str | Promise], ...] = (
    ("machine_hours", lazy("Machine hours")),
    ("jobs", lazy("Jobs")),
    ("mass_g", lazy("Material")),
    ("energy_kwh", lazy("Energy")),
)
CLASS_WORDS: dict[openness.Class, str | Promise] = {
    "proven_open": lazy("Proven, open"),
    "proven_closed": lazy("Proven, not open"),
    "probable_open": lazy("Probable, open"),
    "probable_closed": lazy("Probable, not open"),
    "declared_open": lazy("Declared, open"),
    "declared_closed": lazy("Declared, not open"),
    "unknown": lazy("Unknown"),
}
LEAST_IN_A_WEEK = 0.01


@require_safe
def definition(request: HttpRequest) -> HttpResponse:
    """What is counted, what it is here and now, and how anybody can check the counting."""
    here = _asked(request)
    first, last = _period()
    where = production.of_place(here)
    tallies = figure.lines(where, first, last)
    weeks = figure.over_time(where, figure.weeks(last))
    tests = openness_tests.document()
    context = {
        "place": here,
        "switch": places.switch(here) if here else [],
        "version": openness.VERSION,
        "first": first,
        "last": last,
        "lines": [_line(unit, words, tallies[unit]) for unit, words in UNITS],
        "classes": _classes(tallies),
        "headline": tallies["machine_hours"],
        "labs": figure.by_lab(where, first, last)[:30],
        "chart": _chart(weeks),
        "weeks": [(one, one.tallies["machine_hours"]) for one in weeks],
        "tests": tests,
        "examples": [(job, _example(job)) for job in tests["jobs"]],
        "licences": reasons_table(),
    }
    return render(request, "labs/open_production.html", context)


def _asked(request: HttpRequest) -> Place | None:
    slug = request.GET.get("place")
    here = places.place(slug) if slug else place_of(request)
    if here is not None:
        set_place(request, here)
    return here


def _period() -> tuple[dt.date, dt.date]:
    last = timezone.now().astimezone(dt.UTC).date()
    return last - dt.timedelta(days=figure.DAYS - 1), last


def _line(unit: openness.Unit, words: str | Promise, tally: openness.Tally) -> dict[str, Any]:
    return {"unit": unit, "words": words, "tally": tally, "total": _amount(unit, tally.total)}


def _amount(unit: openness.Unit, value: float) -> str:
    match unit:
        case "machine_hours":
            return numbers.with_unit(numbers.number(value, 1 if value < 100 else 0), "h")
        case "mass_g":
            return numbers.grams(value)
        case "energy_kwh":
            return numbers.kwh(value)
        case _:
            return numbers.number(value)


def _classes(tallies: openness.Tallies) -> list[tuple[str, str | Promise, list[str]]]:
    """A row for each class with its amount in each unit; the classes sum to the total."""
    return [
        (cls, CLASS_WORDS[cls], [_amount(unit, tallies[unit].by_class[cls]) for unit, _words in UNITS])
        for cls in openness.CLASSES
    ]


def _chart(weeks: list[figure.Month]) -> dict[str, Any]:
    """For `lc-chart`: lower bound, upper bound and coverage by week, in per cent; None where nothing was made."""
    rows = [one.tallies["machine_hours"] for one in weeks]
    known = [row.total >= LEAST_IN_A_WEEK for row in rows]
    series = [
        (_("At least open"), [row.lower for row in rows], "solar", "line"),
        (_("At most open"), [row.upper for row in rows], "load", "line"),
        (_("Known"), [row.coverage for row in rows], "grid", "line"),
    ]
    return {
        "x": [int(dt.datetime.combine(one.first, dt.time(12), dt.UTC).timestamp()) for one in weeks],
        "series": [
            {
                "label": label, "unit": "%", "color": color, "kind": kind,
                "values": [_percent(v if ok else None) for v, ok in zip(vs, known, strict=True)],
            }
            for label, vs, color, kind in series
        ],
        "height": 240,
    }  # fmt: skip


def _percent(share: float | None) -> float | None:
    return None if share is None else round(100 * share, 1)


def _example(job: dict[str, Any]) -> str:
    """Where a job of the test set counts, in a word."""
    if job["outcome"] != "finished":
        return _("not counted")
    parts = openness.whole(openness_tests.made_of(job).parts)
    said = [(part.share, str(CLASS_WORDS[part.cls])) for part in parts]
    if len(said) == 1:
        return said[0][1]
    return ", ".join(f"{words} {numbers.percent(share)}" for share, words in said)


@require_safe
def figures_json(request: HttpRequest) -> HttpResponse:
    """The figures of a place (`?place=`) as JSON: the last 90 days, by week, by month and by lab."""
    here = _asked(request)
    first, last = _period()
    where = production.of_place(here)
    document = {
        "definition": "open-production",
        "version": openness.VERSION,
        "place": here.slug if here else None,
        "from": first.isoformat(),
        "until": last.isoformat(),
        "figures": openness.told(figure.lines(where, first, last)),
        "weeks": [_dated(one) for one in figure.over_time(where, figure.weeks(last))],
        "months": [_dated(one) for one in figure.over_time(where, figure.months(last))],
        "labs": {slug: openness.told(tallies) for _name, slug, tallies in figure.by_lab(where, first, last)},
    }
    return JsonResponse(document)


def _dated(one: figure.Month) -> dict[str, Any]:
    return {"from": one.first.isoformat(), "until": one.last.isoformat(), "figures": openness.told(one.tallies)}


@require_safe
def test_set(request: HttpRequest) -> HttpResponse:
    """Jobs, and the figures that the definition gives for them."""
    return JsonResponse(openness_tests.document(), json_dumps_params={"ensure_ascii": False, "indent": 1})


@require_safe
def check_program(request: HttpRequest) -> FileResponse:
    """A program that checks anybody's figures against the test set; it needs nothing but Python."""
    return FileResponse(
        openness_tests.CHECK.open("rb"), as_attachment=True, filename="check_open_production.py",
        content_type="text/x-python; charset=utf-8",
    )  # fmt: skip
