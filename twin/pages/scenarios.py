"""What the pages of scenarios show, put together."""

from collections.abc import Sequence
from typing import Any
from urllib.parse import urlencode

from django.urls import reverse
from django.utils.translation import gettext as _

from twin import composing, queries
from twin.comparison import document, told
from twin.composing import Draft
from twin.engine.measures import MEASURES
from twin.models import DistrictVersion, Scenario, ScenarioResult, ScenarioVersion
from twin.pages import answers, differences
from twin.pages.answers import Comparison
from twin.pages.districts import picture_size, view
from twin.pages.map_source import map_source
from twin.queries import scenario_pages

DEPTHS = ("quick", "seeds", "deep")
FORMATS = (("csv", "CSV"), ("pdf", "PDF"), ("geojson", "GeoJSON"))


def cards(rows: Sequence[Scenario], of: DistrictVersion) -> list[dict[str, Any]]:
    """Each scenario with its measures in short and what moved most, where that is known."""
    newest = _newest_versions(rows)
    known = _newest_answers(rows)
    said = scenario_pages.counted(rows)
    names = scenario_pages.names_of(of, [one for version in newest.values() for one in version.measures])
    found = []
    for row in rows:
        answer = known.get(row.pk)
        shown = answers.figures(told(answer, answer.version)) if answer else []
        found.append(
            {
                "scenario": row,
                "measures": composing.in_words(newest[row.pk].measures, names) if row.pk in newest else [],
                "telling": answers.most_telling(shown, 3),
                "words": answers.answer_words(shown) if shown else "",
                "comments": said.get(row.pk, 0),
            }
        )
    return found


def _newest_versions(rows: Sequence[Scenario]) -> dict[str, ScenarioVersion]:
    found = ScenarioVersion.objects.filter(scenario__in=[row.pk for row in rows]).order_by("number")
    return {version.scenario_id: version for version in found}


def _newest_answers(rows: Sequence[Scenario]) -> dict[str, ScenarioResult]:
    found = ScenarioResult.objects.filter(version__scenario__in=[row.pk for row in rows])
    return {
        row.version.scenario_id: row for row in found.select_related("version__scenario__district").order_by("made_at")
    }


def compose(
    of: DistrictVersion,
    drafts: Sequence[Draft],
    *,
    action: str,
    title: str = "",
    question: str = "",
    asks_title: bool = True,
    run_words: str = "",
    hint: str = "",
    refusal: str = "",
) -> dict[str, Any]:
    """The form in which a scenario is composed."""
    given = [composing.given(draft) for draft in drafts]
    return {
        "action": action,
        "title": title,
        "question": question,
        "asks_title": asks_title,
        "blocks": composing.blocks(drafts, scenario_pages.names_of(of, given)),
        "blanks": composing.blanks(),
        "families": composing.families(),
        "street_names": scenario_pages.street_names(of),
        "building_names": scenario_pages.building_names(of),
        "run_words": run_words or _("Work it out"),
        "hint": hint,
        "refusal": refusal,
    }


def ground(of: DistrictVersion) -> dict[str, Any]:
    """What the map of a scenario stands on."""
    return {"view": view(of), "size": picture_size(of), "map_source": map_source(of)}


def answer_page(version: ScenarioVersion, result: ScenarioResult) -> dict[str, Any]:
    """An answer as the page of its scenario shows it."""
    one = document(result, version)
    shown = answers.figures(one)
    return {
        "answer": one,
        "result": result,
        "groups": answers.grouped(shown),
        "shown": shown,
        "axis": answers.axis(one),
        "who": answers.who(one),
        "limits": one["limits"],
        "words": answers.answer_words(shown),
        "telling": answers.most_telling(shown),
        "seeds": _seeds(one["seeds"]),
        "took": answers.took(one),
        "files": files(version, one),
        "depths": depths(version, result),
        "difference": difference(version, result, one),
    }


def difference(version: ScenarioVersion, result: ScenarioResult, one: Comparison) -> dict[str, Any]:
    """What differs on the map: its layers, where their shapes are, and the same as tables."""
    found = differences.shown(result)
    slug = version.scenario.district.slug
    for table in found["tables"]:
        for row in table["rows"]:
            row["url"] = _thing_url(slug, table["source"], row["key"])
    addresses = {layer["source"]: f"{one[layer['source']]}?fields=map" for layer in found["layers"]}
    return found | addresses


def _thing_url(slug: str, layer: str, key: str) -> str:
    if layer == "buildings":
        return reverse("rooms:building", args=[slug, key])
    return reverse("rooms:twin-thing", args=[slug, layer, key])


def _seeds(seeds: Sequence[int]) -> str:
    """Seeds in few words: "1–20" where they follow each other."""
    if len(seeds) > 2 and list(seeds) == list(range(seeds[0], seeds[-1] + 1)):
        return f"{seeds[0]}–{seeds[-1]}"
    return ", ".join(map(str, seeds)) or _("none")


def files(version: ScenarioVersion, one: Comparison) -> list[dict[str, str]]:
    """The answer as files."""
    asked = urlencode({"with": f"{version.scenario_id}.{version.number}", "depth": one["depth"]})
    slug = version.scenario.district.slug
    return [
        {"title": title, "url": f"{reverse('rooms:scenario_files', args=[slug, ending])}?{asked}"}
        for ending, title in FORMATS
    ]


def depths(version: ScenarioVersion, result: ScenarioResult) -> list[dict[str, Any]]:
    """How deep the engines may go: the one that is shown, those that are kept, those that may be asked for."""
    words = {
        "quick": (_("At once"), _("Each engine ran once, exactly; its bands come from what we assume."), "", ""),
        "seeds": (
            _("Twenty seeds"),
            _("Traffic was driven twenty times, today and scenario on the same seeds; its bands hold 95 of 100."),
            _("Drive the traffic twenty times"),
            _("about a minute"),
        ),
        "deep": (
            _("Vehicle by vehicle"),
            _("Every car was followed through every crossing, once; what it emits is in the answer."),
            _("Follow every car"),
            _("some minutes"),
        ),
    }
    touches = {name for one in version.measures for name in MEASURES[one["kind"]].touches}
    found = []
    for slug in DEPTHS:
        here = slug == result.depth
        kept = here or queries.scenarios.scenario_result(version, slug) is not None
        if not kept and slug != "quick" and "traffic" not in touches:
            continue
        title, said, ask, takes = words[slug]
        url = f"?{urlencode({'version': version.number, 'depth': slug})}" if kept and not here else ""
        found.append(
            {"slug": slug, "here": here, "title": title, "words": said, "ask": ask, "takes": takes, "url": url,
             "note": "good" if slug == "seeds" else "warn"}
        )  # fmt: skip
    return found
