"""What pages, tables and papers say of a comparison: verdicts, drawings, words. No database."""

import csv
import datetime as dt
import io
import json

import pytest
from django.http import QueryDict

from tests.twin.answers import comparison, figure
from twin import composing, papers
from twin.engine.measures import MEASURES
from twin.pages import answers, variants


@pytest.mark.parametrize(
    ("row", "said"),
    [
        (figure("a", 10, 12), "better"),
        (figure("a", 10, 12, better="down"), "worse"),
        (figure("a", 10, 12, low=-1, high=5), "unclear"),
        (figure("a", 10, 12, low=1, high=5, better="down"), "worse"),
        (figure("a", 10, 10), "same"),
        (figure("a", 10, 12, better="none"), "moved"),
        (figure("a", 10, None), "unclear"),
        (figure("a", 0, 3), "better"),
    ],
)
def test_a_verdict_needs_a_band_that_does_not_hold_zero(row: dict[str, object], said: str) -> None:
    assert answers.verdict(row) == said


def test_the_axis_holds_the_changes_and_bands_contain_their_marks() -> None:
    one = comparison()
    drawn = {f.key: f.span for f in answers.figures(one)}
    assert answers.axis(one) == {"left": "−20\u00a0%", "right": "+20\u00a0%"}
    assert drawn["solar_kwh"] is None  # nothing today, so no share
    bought = drawn["bought_kwh"]
    assert bought is not None
    # −14 % of −20 … 20 %, with its band from −16 to −12 %
    assert bought.mark == pytest.approx((1 - 0.14 / 0.2) / 2 * 260 - 2.5, abs=0.1)
    assert (bought.x, bought.x + bought.width) == pytest.approx((26.0, 52.0), abs=0.1)


def test_what_lies_off_the_axis_is_an_arrow_at_its_end() -> None:
    rows = [figure(f"f{n}", 100, 101) for n in range(19)] + [figure("far", 1, 9)]
    spans = {f.key: f.span for f in answers.figures(comparison(figures=rows))}
    assert spans["far"] is not None and spans["far"].beyond == 1
    assert spans["far"].mark <= answers.WIDTH - answers.MARK


def test_words_have_units_signs_and_bands() -> None:
    shown = {f.key: f for f in answers.figures(comparison())}
    assert shown["bought_kwh"].difference == "−700.0\u00a0MWh"
    assert shown["bought_kwh"].band == "likely −800.0\u00a0MWh to −600.0\u00a0MWh"
    assert shown["peak_kw"].difference == "−74.0\u00a0kW"
    assert (shown["reach_share"].today, shown["reach_share"].difference) == ("61\u00a0%", "+5.0\u00a0points")
    assert shown["delay_h"].verdict_words == "no clear change"
    assert answers.answer_words(list(shown.values())) == "4 figures better, 0 worse, 3 without a clear change."


def test_the_head_names_the_losers_beside_the_best_of_each_group() -> None:
    rows = [
        figure("a", 10, 20), figure("b", 10, 19), figure("c", 10, 11, group="traffic"), figure("zero", 0, 0),
        figure("d", 100, 101, better="down"), figure("carbon_mobility", 10, 10, label="of it driving"),
    ]  # fmt: skip
    shown = answers.figures(comparison(figures=rows))
    assert [one.key for one in answers.most_telling(shown)] == ["a", "c", "d"]
    assert [one.key for one in answers.grouped(shown)[0]["still"]] == ["zero", "carbon_mobility"]
    assert shown[-1].label == "Greenhouse gases of driving" and shown[3].today == "0\u00a0kWh"


def test_who_loses_most_stands_first_and_shares_are_whole() -> None:
    parts = answers.who(comparison())
    assert [(part["slug"], part["still"]) for part in parts] == [("use", 0), ("age", 1)]
    assert parts[1]["rows"] == []
    offices, homes = parts[0]["rows"]
    assert (offices.group, homes.group) == ("offices", "homes")
    assert offices.lose_share == pytest.approx(0.8)
    assert homes.gain_share + homes.lose_share + homes.same_share == pytest.approx(1)


def test_the_best_of_a_row_may_be_today_and_level_values_have_none() -> None:
    worse = comparison("b", figures=[figure("peak_kw", 412, 500, better="down"), figure("level", 5, 5)])
    better = comparison("c", figures=[figure("peak_kw", 412, 400, better="down"), figure("level", 5, 5)])
    rows = {row.key: row for group in variants.table([worse, better]) for row in group["rows"]}
    assert [cell.best for cell in rows["peak_kw"].cells] == [False, True]
    assert not any(cell.best for cell in (rows["level"].today, *rows["level"].cells))
    alone = variants.table([worse])[0]["rows"][0]
    assert alone.today.best and not alone.cells[0].best


def test_a_figure_that_one_lacks_is_a_dash_and_unlike_runs_are_said() -> None:
    one, other = comparison(figures=[figure("a", 1, 2)]), comparison("b", figures=[figure("b", 1, 2)], depth="seeds")
    rows = {row.key: row for group in variants.table([one, other]) for row in group["rows"]}
    assert [cell.value for cell in rows["a"].cells] == ["2.0\u00a0kWh", "–"]
    assert len(variants.unlike([one, other])) == 1


def test_the_table_has_the_numbers_unrounded_and_no_formulas() -> None:
    rows = list(csv.DictReader(io.StringIO(papers.table([comparison(title="=1+1")]))))
    assert rows[1]["difference"] == "-700000.0" and rows[1]["low"] == "-800000.0" and rows[0]["low"] == ""
    assert {row["title"] for row in rows} == {"'=1+1"}
    assert {(row["licence"], row["attribution"]) for row in rows} == {("ODbL-1.0", "© Mappers")}


def test_papers_are_the_same_bytes_for_the_same_answer() -> None:
    when = dt.datetime(2026, 1, 2, tzinfo=dt.UTC)
    two = [comparison(), comparison("b", "Very long name of a scenario that goes on and on " * 3)]
    made = papers.paper(two, made_at=when)
    assert made.startswith(b"%PDF-") and made == papers.paper(two, made_at=when)
    assert made != papers.paper([comparison()], made_at=when)
    assert made != papers.paper([two[0], {**two[1], "attribution": "© Others"}], made_at=when)


def test_features_say_of_which_scenario_they_are() -> None:
    point = {"type": "Feature", "geometry": None, "properties": {"id": "w1", "difference": 2}}
    made = papers.features([comparison()], [(comparison(), "streets", {"features": [point]})])
    assert made["features"][0]["properties"] == {
        "scenario": "abc", "version": 1, "layer": "streets", "id": "w1", "difference": 2,
    }  # fmt: skip
    assert (made["licence"], made["attribution"]) == ("ODbL-1.0", "© Mappers")
    assert json.dumps(made)


def posted_form(fields: dict[str, list[str]]) -> QueryDict:
    """A form as Django reads it."""
    made = QueryDict(mutable=True)
    for name, values in fields.items():
        made.setlist(name, values)
    return made


@pytest.mark.parametrize("kind", sorted(MEASURES))
def test_every_measure_comes_back_from_its_own_form(kind: str) -> None:
    """What the registry proposes, drawn as a form and read back, is what it was; places and names filled in."""
    draft = composing.fresh(kind)
    for each in MEASURES[kind].fields:
        if each.kind in {"street", "building"}:
            draft.values[each.name] = "w1"
        if each.kind == "place":
            draft.values[each.name] = "24.940000, 60.170000"
    measure = composing.judged([draft])
    assert measure is not None, draft.fault
    again = composing.kept(measure[0])
    posted = {"m-7-kind": [kind]}
    for entry in composing.blocks([again])[0].inputs:
        name = entry.name.replace("m-0-", "m-7-")
        posted[name] = list(entry.value) if isinstance(entry.value, list) else [str(entry.value)]
    read = composing.read(posted_form(posted))
    assert composing.judged(read) == measure
    assert composing.in_words(measure)


def test_what_was_typed_wrong_stays_and_is_said_at_its_field() -> None:
    posted = posted_form(
        {"m-0-kind": ["solar"], "m-0-share_percent": ["lots"], "m-1-kind": ["trees"], "m-1-count": ["5"]}
    )
    drafts = composing.read(posted)
    assert composing.judged(drafts) is None
    solar, trees = composing.blocks(drafts)
    assert solar.inputs[0].value == "lots" and "lots" in solar.inputs[0].why
    assert "Share of the roofs" in solar.inputs[0].why
    assert any(entry.why for entry in trees.inputs)
    assert composing.read(posted_form({"m-0-kind": ["<script>"], "m-x-kind": ["solar"]})) == []
