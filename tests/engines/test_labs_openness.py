"""The share of open production: the published test set, a program that shares no line with ours, and its own sums."""

import datetime as dt
import importlib.util
import json
import subprocess
import sys
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from designs.licences import is_open, reasons, reasons_table
from labs.engine import circuits, draw, openness
from labs.engine.circuits import Load
from labs.engine.hours import Span
from labs.engine.openness import Made, Part
from labs.queries import openness_tests

SET = openness_tests.TEST_SET


def program() -> Any:
    spec = importlib.util.spec_from_file_location("check_open_production", openness_tests.CHECK)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_our_program_gives_what_the_test_set_expects() -> None:
    document = openness_tests.document()
    told = openness.told(openness_tests.tallies(document))
    for unit, expected in document["expected"].items():
        for name, value in expected.items():
            assert told[unit][name] == pytest.approx(value, rel=1e-12), (unit, name)


def test_the_machine_hours_of_the_test_set_by_hand() -> None:
    """Open: 4 + 2 + 1, one of OR 1, half a plate of 4, three quarters of 2; 29 h in all without the failed."""
    told = openness_tests.document()["expected"]["machine_hours"]
    assert told["total"] == 29
    assert told["lower"] == pytest.approx(float(Fraction(4 + 2 + 1 + 1) + 2 + Fraction(3, 2)) / 29)


def test_each_job_of_the_set_decides_something() -> None:
    """Left out or turned round, each job changes a figure: a rule that no job needs would go untested."""
    document = openness_tests.document()
    for nth in range(len(document["jobs"])):
        fewer = {**document, "jobs": [job for n, job in enumerate(document["jobs"]) if n != nth]}
        all_finished = {**document, "jobs": [{**job, "outcome": "finished"} for job in document["jobs"]]}
        other = all_finished if document["jobs"][nth]["outcome"] != "finished" else fewer
        assert program().figures(other) != document["expected"]


def test_an_outsider_runs_it_with_nothing_but_python(tmp_path: Path) -> None:
    def run(*args: str) -> "subprocess.CompletedProcess[str]":
        command = [sys.executable, "-I", str(openness_tests.CHECK), *args]
        return subprocess.run(command, capture_output=True, text=True, check=False)

    done = run(str(SET))
    assert (done.returncode, done.stdout.strip()) == (0, "all as expected")
    mine = tmp_path / "mine.json"
    mine.write_text(json.dumps(openness.told(openness_tests.tallies(openness_tests.document()))))
    assert run(str(SET), str(mine)).returncode == 0
    wrong = json.loads(mine.read_text())
    wrong["jobs"]["lower"] += 0.01
    mine.write_text(json.dumps(wrong))
    assert run(str(SET), str(mine)).returncode == 1


def test_the_sets_own_table_of_licences_is_ours() -> None:
    for licence, is_open_there in openness_tests.document()["licences_open"].items():
        assert is_open(licence) is is_open_there, licence


parts = st.builds(
    Part,
    provenance=st.sampled_from(["proven", "probable", "declared", "unknown"]),
    open=st.booleans(),
    share=st.floats(0, 1.5),
)
made = st.builds(
    Made,
    machine_hours=st.floats(0, 100),
    mass_g=st.none() | st.floats(0, 5000),
    energy_kwh=st.none() | st.floats(0, 50),
    parts=st.lists(parts, max_size=4),
)


@given(st.lists(made, max_size=20))
def test_classes_sum_to_the_total_and_bounds_hold_each_other(jobs: list[Made]) -> None:
    for unit, tally in openness.count(jobs).items():
        amounts = [job.amount(unit) for job in jobs]
        known = [amount for amount in amounts if amount is not None]
        assert tally.total == pytest.approx(sum(known), rel=1e-9, abs=1e-9)
        assert tally.jobs == len(known)
        if tally.lower is not None and tally.upper is not None and tally.coverage is not None:
            assert 0 <= tally.lower <= tally.upper + 1e-12
            assert tally.upper <= 1
            assert tally.lower <= tally.coverage + 1e-9


@pytest.mark.parametrize(
    ("expression", "says", "words"),
    [
        ("CERN-OHL-S-2.0", True, "Open Source Initiative"),
        ("CC-BY-SA-4.0", True, "Free Cultural Works"),
        ("TAPR-OHL-1.0", True, "Open Source Hardware Association"),
        ("CC-BY-NC-4.0", False, "commercial"),
        ("CC-BY-ND-4.0", False, "changed"),
        ("LicenseRef-Mine", False, "its own text"),
        ("GPL-3.0+", True, "Open Source Initiative"),
        ("((", False, "cannot be read"),
    ],
)
def test_each_licence_has_its_reason(expression: str, says: bool, words: str) -> None:
    answer, listed = reasons(expression)
    assert answer is says is is_open(expression)
    assert words in " ".join(one.reason for one in listed)


def test_every_licence_of_the_table_has_a_reason_and_agrees_with_the_one_question() -> None:
    rows = reasons_table()
    assert len(rows) > 180
    for row in rows:
        assert row.reason
        assert row.open is is_open(row.licence), row.licence


# --- circuits ----------------------------------------------------------------------------------------------------

NOON = dt.datetime(2026, 6, 18, 12, tzinfo=dt.UTC)
MINUTE = dt.timedelta(minutes=1)


def load(start_min: int, minutes: int, peak: float = 1000, steady: float = 400, warm: int = 10) -> Load:
    start = NOON + start_min * MINUTE
    return Load(Span(start, start + minutes * MINUTE), peak, steady, warm * MINUTE, f"m{start_min}")


def test_two_that_warm_up_together_are_staggered() -> None:
    """1000 + 1000 W do not fit under 1500 W, 1000 + 400 do: the second begins when the first has warmed up."""
    first, second = load(0, 120), load(0, 60)
    over = circuits.overload([second], [first], 1500)
    assert over is not None
    assert (over.at, over.watts, over.others) == (NOON, 2000, ("m0",))
    assert circuits.next_fit([second], [first], 1500) == NOON + 15 * MINUTE, "on a full quarter"
    assert circuits.next_fit([second], [first], 1500, step=MINUTE) == NOON + 10 * MINUTE
    assert circuits.next_fit([second], [first], 1300) == NOON + 120 * MINUTE
    assert circuits.next_fit([second], [first], 900) is None, "alone it is too much"


loads = st.builds(
    load, st.integers(-300, 300), st.integers(5, 300), st.floats(100, 3000), st.floats(50, 100), st.integers(1, 30)
)


@given(loads, st.lists(loads, max_size=6), st.floats(500, 6000))
def test_overload_is_what_a_look_at_each_minute_finds(asked: Load, others: list[Load], limit: float) -> None:
    first, last = asked.span.start, asked.span.end
    minutes = int((last - first) / MINUTE)
    watts = [sum(one.at(first + n * MINUTE) for one in (asked, *others)) for n in range(minutes)]
    assert (circuits.overload([asked], others, limit) is not None) == (max(watts) > limit + 1e-9)
    fits = circuits.next_fit([asked], others, limit)
    if fits is not None:
        assert fits > asked.span.start
        assert circuits.overload([asked.moved(fits)], others, limit) is None


def test_every_class_has_a_draw_with_a_source_and_a_plate_bounds_it() -> None:
    from labs.models import Machine

    for cls in Machine.Kind.values:
        usual = draw.of_class(cls)
        assert usual.source
        assert usual.low_w <= usual.making_w <= usual.high_w <= usual.peak_w
        assert usual.idle_w <= usual.making_w
        small = draw.of_class(cls, 40)
        assert small.low_w <= small.making_w <= small.high_w <= small.peak_w == 40
