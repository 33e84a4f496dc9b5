"""Components: what they show, what they escape, what they say when nothing is known."""

from types import SimpleNamespace
from typing import Any

import pytest
from django import forms
from django.core.paginator import Paginator
from django.template import Context, Template
from django.test import RequestFactory
from django.utils import timezone

from commons import sockets


def drawn(template: str, **context: Any) -> str:
    return Template(template).render(Context({"request": RequestFactory().get("/x/?q=a&page=2"), **context}))


def headline(style: Any = "percent", goal: float = 0.9) -> sockets.HeadlineFigure:
    return sockets.HeadlineFigure("x", "Coverage", style, goal, lambda place: known(None), "what it is", "1")


def known(value: float | None, **more: Any) -> sockets.Figure:
    now = timezone.now()
    return sockets.Figure(value, 11, 16, "", now, now, 0.5, "11 of 16 systems", **more)


def test_a_headline_has_its_unit_meaning_goal_and_how_complete_it_is() -> None:
    figure = known(0.6875, upper=0.8, demo=True, notes=["a longer note"])
    page = drawn("{% metric h f '/measure/x/' %}", h=headline(), f=figure)
    assert '<a href="/measure/x/" class="card metric">' in page
    assert '69<span class="unit">%</span>' in page
    assert "11 of 16 systems" in page
    assert "w-69" in page and "at-90" in page
    for words in ("Data 50\u00a0% complete", "Goal 90\u00a0%", "<span>Demo</span>"):
        assert words in page
    assert "At most" not in page and "a longer note" not in page, "what is longer stands on the page of the figure"


def test_what_is_not_known_is_a_dash_and_never_nothing() -> None:
    page = drawn("{% metric h f %}", h=headline(), f=known(None))
    assert '<span class="value">–</span>' in page
    assert "w-0" in page


def test_a_ratio_above_its_goal_fills_the_bar() -> None:
    assert "w-100" in drawn("{% metric h f %}", h=headline("ratio", 1.0), f=known(1.27))


def test_words_of_people_are_escaped_everywhere() -> None:
    bad = "<img src=x>"
    page = drawn(
        "{% chip bad %}{% figure bad bad %}{% crumbs bad '/' bad %}{% empty bad %}{{ bad }}{% endempty %}"
        "{% note %}{{ bad }}{% endnote %}"
        "{% spark v 'solar' bad %}{% json_data d 'data-x' %}",
        bad=bad,
        v=[1, 2],
        d={"a": "</script><script>"},
    )
    assert "<img" not in page
    assert "</script><script>" not in page


def test_a_bad_note_is_spoken_and_others_are_not() -> None:
    assert 'role="alert"' in drawn('{% note "bad" %}x{% endnote %}')
    assert 'role="alert"' not in drawn('{% note "warn" %}x{% endnote %}')


def test_a_gap_in_a_line_stays_a_gap() -> None:
    page = drawn("{% spark v %}", v=[1, 2, None, 2, 1])
    assert page.count("M") == 2
    assert drawn("{% spark v %}", v=[0, 0]) == ""


class BookingForm(forms.Form):
    hours = forms.IntegerField(max_value=12, help_text="Up to 12.")
    name = forms.CharField(required=False)
    kind = forms.ChoiceField(choices=[("a", "A")], widget=forms.RadioSelect)
    agreed = forms.BooleanField()
    key = forms.CharField(widget=forms.HiddenInput, initial="k")


def test_errors_stand_under_the_field_and_in_a_summary_that_leads_there() -> None:
    form = BookingForm({"hours": "30"})
    page = drawn("{% form_fields form %}", form=form)
    assert "3 things are not right yet." in page or "4 things are not right yet." in page
    assert '<a href="#id_hours">Hours</a>' in page
    assert 'aria-invalid="true"' in page
    assert 'aria-describedby="id_hours_hint id_hours_why"' in page
    assert 'id="id_hours_why"' in page
    assert 'value="30"' in page
    assert "if you like" in page
    assert 'type="hidden"' in page


def test_a_form_without_errors_has_no_summary() -> None:
    assert "not right" not in drawn("{% form_fields form %}", form=BookingForm())


def test_pages_keep_the_filters_of_the_address() -> None:
    page = drawn("{% pager p %}", p=Paginator(range(30), 10).page(2))
    assert 'href="?q=a&amp;page=1"' in page
    assert 'href="?q=a&amp;page=3"' in page
    assert drawn("{% pager p %}", p=Paginator(range(3), 10).page(1)).strip() == ""


@pytest.mark.parametrize(("status", "over", "stop"), [("running", False, True), ("done", True, False)])
def test_a_run_shows_its_bar_and_can_be_stopped_while_it_runs(status: str, over: bool, stop: bool) -> None:
    run = SimpleNamespace(
        pk="r1",
        status=status,
        progress=0.333,
        stage="Drawing",
        error="",
        is_over=over,
        get_status_display=lambda: "Ready",
    )
    page = drawn("{% progress run %}", run=run, csrf_token="t")
    assert 'src="/api/v1/runs/r1/events?lang=en"' in page
    assert 'aria-valuenow="33"' in page
    assert ("Stop</button>" in page) is stop
