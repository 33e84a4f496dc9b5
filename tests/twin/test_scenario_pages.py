"""Pages of scenarios: composing without script, who may change what, the answer, comparison, files, comments."""

import re
from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client

from commons.people.models import User
from commons.runs.models import Run
from commons.runs.work import do
from tests.twin.answers import summary
from tests.twin.conftest import Import, small_town, square, the_town
from twin import map_files, services
from twin.models import Scenario, ScenarioComment, ScenarioResult, ScenarioVersion
from twin.queries import scenarios as reads

LIST = "/twin/town/scenarios/"
NEW = f"{LIST}new/"
SOLAR = {"m-0-kind": "solar", "m-0-share_percent": "40"}
CLOSED = {"m-1-kind": "close_street", "m-1-street": "Long street"}
MEASURES = [{"kind": "solar", "share_percent": 40.0}]

Answer = Callable[..., ScenarioResult]


@pytest.fixture
def made(town: Import) -> Scenario:
    """A scenario of the small town, by nobody in particular, whose key is "secret"."""
    town()
    return services.scenarios.create(
        district=the_town(), by=None, title="Sun first", question="What if?", measures=MEASURES, edit_key="secret"
    )


@pytest.fixture
def answered(made: Scenario) -> ScenarioResult:
    """Its answer, as engines write it."""
    return kept(made)


def kept(scenario: Scenario, **more: Any) -> ScenarioResult:
    """An answer to the newest version."""
    version = reads.scenario_version(scenario)
    inputs = reads.inputs(version, "quick")
    named = {**inputs, "version": version.pk, "inputs_hash": reads.inputs_hash(inputs)}
    return services.scenario_runs.store(inputs=named, summary=summary(**more), detail_sha256="", took_s=1.2)


def page(client: Client, path: str) -> str:
    """A page that is there."""
    answer = client.get(path)
    assert answer.status_code == 200, (path, answer.status_code)
    return answer.content.decode()


def test_an_empty_list_offers_three_questions_that_can_be_asked(client: Client, town: Import) -> None:
    town()
    html = page(client, LIST)
    ready = re.findall(r'new/\?example=(\w+)"', html)
    assert ready == ["sun", "street", "green"] and "Ask a question" in html
    for slug in ready:
        form = page(client, f"{NEW}?example={slug}")
        names = re.findall(r'name="(m-\d+-\w+)"', form)
        assert names
    assert "Long street" in page(client, f"{NEW}?example=street")


def test_somebody_without_account_or_script_composes_and_asks(client: Client, town: Import) -> None:
    town()
    more = client.post(NEW, {"title": "Mine", "do": "add:close_street", **SOLAR}).content.decode()
    assert 'value="40"' in more and 'name="m-1-street"' in more and 'value="Mine"' in more
    less = client.post(NEW, {"title": "Mine", "do": "leave:0", **SOLAR, **CLOSED}).content.decode()
    assert 'name="m-0-street"' in less and "m-1-kind" not in less
    assert Scenario.objects.count() == 0
    answer = client.post(NEW, {"title": "Mine", "question": "And?", "do": "run", **SOLAR})
    scenario = Scenario.objects.get()
    assert answer.status_code == 302 and answer["Location"] == f"{LIST}{scenario.pk}/"
    assert scenario.owner is None and f"scenario-{scenario.pk}" in client.cookies
    assert client.cookies[f"scenario-{scenario.pk}"]["httponly"]
    html = page(client, f"{LIST}{scenario.pk}/")
    assert "<lc-run" in html and "Mine" in html
    assert Run.objects.get(kind="twin.scenario").public


def test_a_question_asked_while_the_roofs_are_reckoned_is_followed_to_its_answer(
    client: Client, town: Import
) -> None:
    town()
    client.post(NEW, {"title": "Mine", "do": "run", **SOLAR})
    twin_of = client.post(NEW, {"title": "The same", "do": "run", **SOLAR})
    run = Run.objects.get(kind="twin.scenario")
    do(Run.objects.get(kind="twin.roofs").pk)
    for at in (f"{LIST}{Scenario.objects.get(title='Mine').pk}/", twin_of["Location"]):
        html = page(client, at)
        assert f"/api/v1/runs/{run.pk}/events" in html and "Not worked out yet" not in html
    do(run.pk)
    html = page(client, at)
    assert 'id="figures"' in html and "data have moved on" in html and "<lc-run" not in html


def test_a_measure_that_cannot_be_keeps_what_was_typed(client: Client, town: Import) -> None:
    town()
    wrong = {**SOLAR, "m-0-share_percent": "140", "m-1-kind": "close_street", "m-1-street": "No such street"}
    answer = client.post(NEW, {"title": "Mine", "do": "run", **wrong})
    html = answer.content.decode()
    assert answer.status_code == 400 and 'value="140"' in html and "No such street" in html
    assert html.count('aria-invalid="true"') == 2
    untitled = client.post(NEW, {"title": " ", "do": "run", **SOLAR})
    nothing = client.post(NEW, {"title": "Mine", "do": "run"})
    assert (untitled.status_code, nothing.status_code) == (400, 400)
    everything = client.post(
        NEW, {"title": "All", "do": "run", "m-0-kind": "close_street", "m-0-street": "Long street"}
    )
    assert everything.status_code == 400 and "closes every street" in everything.content.decode()
    assert Scenario.objects.count() == 0


def test_who_may_change_and_who_gets_a_copy(client: Client, made: Scenario) -> None:
    at = f"{LIST}{made.pk}/"
    changed = {"do": "run", "m-0-kind": "solar", "m-0-share_percent": "60"}
    stranger = client.post(at, changed)
    copy = Scenario.objects.exclude(pk=made.pk).get()
    assert stranger["Location"] == f"{LIST}{copy.pk}/" and copy.parent_version.scenario_id == made.pk
    assert reads.scenario_version(copy).measures[0]["share_percent"] == 60
    assert made.versions.count() == 1
    owner = Client()
    owner.get(f"{at}?key=secret")
    assert owner.post(at, changed)["Location"] == at
    assert made.versions.count() == 2
    assert "a copy of" in page(client, f"{LIST}{copy.pk}/")
    forked = client.post(f"{at}fork/", {"version": "1"})
    assert forked.status_code == 302 and Scenario.objects.count() == 3


def test_the_answer_says_everything_in_words_too(client: Client, made: Scenario, answered: ScenarioResult) -> None:
    html = page(client, f"{LIST}{made.pk}/")
    for words in (
        "4 figures better, 0 worse", "What would change", "likely −800.0", "Who gains and who loses", "offices",
        "How sure are we?", "Today counts as without any panels.", "energy", answered.inputs_hash[:12],
        f"version {answered.city_version}", "Solar panels: 40", "At once",
    ):  # fmt: skip
        assert words in html, words
    table = html[html.index("The same as a table") :]
    assert all(cell in table for cell in ("412", "338", "no clear change"))
    assert f'value="http://testserver{LIST}{made.pk}/?version=1"' in html
    assert "style=" not in re.sub(r"<svg.*?</svg>", "", html, flags=re.DOTALL)
    listed = page(client, LIST)
    assert "Sun first" in listed and "better" in listed


def test_a_link_goes_on_answering_when_the_city_moves_on(
    client: Client, town: Import, made: Scenario, answered: ScenarioResult
) -> None:
    at = f"{LIST}{made.pk}/"
    assert "moved on" not in page(client, at)
    town([*small_town(), square("shed", 24.941, 60.1702)])
    html = page(client, at)
    assert "moved on" in html and "What would change" in html and "Work it out anew" in html
    assert f"version={answered.city_version}" in html
    assert client.get(f"{LIST}answers.csv?with={made.pk}").status_code == 200
    again = client.post(at, {"do": "deepen", "depth": "quick"})
    assert again.status_code == 302 and "<lc-run" in page(client, again["Location"])


def test_files_say_the_same_as_the_page(client: Client, made: Scenario, answered: ScenarioResult) -> None:
    for ending, kind in (("csv", "text/csv"), ("pdf", "application/pdf"), ("geojson", "application/geo+json")):
        answer = client.get(f"{LIST}answers.{ending}?with={made.pk}.1")
        assert answer.status_code == 200 and answer["Content-Type"].startswith(kind)
        assert f"town-{made.pk}.{ending}" in answer["Content-Disposition"]
        if ending != "pdf":  # its letters are a face's own
            assert b"The town" in answer.content and b"CC-BY-4.0" in answer.content
    assert client.get(f"{LIST}answers.docx?with={made.pk}").status_code == 404
    assert client.get(f"{LIST}answers.csv").status_code == 404


def test_up_to_six_stand_beside_each_other(client: Client, made: Scenario, answered: ScenarioResult) -> None:
    other = services.scenarios.create(
        district=the_town(), by=None, title="More sun", measures=[{"kind": "solar", "share_percent": 80.0}]
    )
    missing = page(client, f"{LIST}compare/?with={made.pk}&with={other.pk}")
    assert "has not been worked out yet" in missing
    kept(other, figures=[])
    html = page(client, f"{LIST}compare/?with={made.pk},{other.pk}.1")
    assert "More sun" in html and "best" in html and "answers.pdf?with=" in html
    seven = ",".join([made.pk] * 1 + [f"{made.pk}.{n}" for n in range(1, 7)])
    assert client.get(f"{LIST}compare/?with={seven}").status_code == 400
    assert client.get(f"{LIST}compare/?with=nobody").status_code == 404
    assert "Choose up to 6" in page(client, f"{LIST}compare/")


def test_people_say_things_about_figures_and_places(client: Client, made: Scenario, answered: ScenarioResult) -> None:
    at = f"{LIST}{made.pk}/"
    assert client.post(f"{at}say/", {"body": "Hello"}).status_code == 403
    anna, bert = User.objects.create(username="anna"), User.objects.create(username="bert")
    client.force_login(anna)
    assert client.post(f"{at}say/", {"body": "The <b>peak</b>?", "figure": "peak_kw"}).status_code == 302
    assert client.post(f"{at}say/", {"body": "Here", "at": "24.942, 60.1701"}).status_code == 302
    assert client.post(f"{at}say/", {"body": "There", "at": "1, 1"}).status_code == 400
    assert client.post(f"{at}say/", {"body": "What", "at": "nowhere"}).status_code == 400
    assert client.post(f"{at}say/", {"body": " "}).status_code == 400
    html = page(client, at)
    assert "The &lt;b&gt;peak&lt;/b&gt;?" in html and "at 60.1701, 24.9420" in html and 'href="#figure-peak_kw"' in html
    first, second = ScenarioComment.objects.order_by("pk")
    client.force_login(bert)
    assert client.post(f"{at}say/{first.pk}/").status_code == 403
    client.force_login(anna)
    assert client.post(f"{at}say/{first.pk}/").status_code == 302
    assert list(ScenarioComment.objects.all()) == [second]


def test_what_is_not_there_is_not_found(client: Client, made: Scenario) -> None:
    for path in (
        f"{LIST}nosuchscenario/", f"/twin/nowhere/scenarios/{made.pk}/", f"{LIST}{made.pk}/?version=9",
        "/twin/nowhere/scenarios/", "/twin/nowhere/scenarios/new/", f"/twin/nowhere/scenarios/compare/?with={made.pk}",
    ):  # fmt: skip
        assert client.get(path).status_code == 404, path
    assert client.post(f"{LIST}{made.pk}/say/3/").status_code == 403
    unlisted = services.scenarios.create(district=the_town(), by=None, title="Quiet", measures=MEASURES, listed=False)
    assert "Quiet" not in page(client, LIST)
    assert "Quiet" in page(client, f"{LIST}{unlisted.pk}/")
    assert ScenarioVersion.objects.count() == 2


def test_no_page_asks_for_anything_elsewhere(client: Client, made: Scenario, answered: ScenarioResult) -> None:
    for path in (LIST, NEW, f"{LIST}{made.pk}/", f"{LIST}compare/?with={made.pk}"):
        html = page(client, path)
        assert not re.findall(r'(?:src|action|data-src|src-\w+|diff-\w+)="(?:https?:)?//', html), path


def test_a_crowd_of_scenarios_costs_no_more_queries(
    client: Client, made: Scenario, answered: ScenarioResult, django_assert_max_num_queries: Any
) -> None:
    def crowd(n: int) -> None:
        for i in range(n):
            services.scenarios.create(
                district=the_town(),
                by=None,
                title=f"S{i}",
                measures=[{"kind": "solar", "share_percent": float(i)}],
            )

    page(client, LIST)
    with django_assert_max_num_queries(60) as few:
        page(client, LIST)
    crowd(12)
    with django_assert_max_num_queries(len(few.captured_queries) + 1):
        page(client, LIST)


def test_a_warm_worker_has_today_at_hand(made: Scenario, monkeypatch: pytest.MonkeyPatch) -> None:
    """What it has loaded is what the first question would have made it load."""
    from collections import OrderedDict

    from twin.tasks import scenarios as tasks

    monkeypatch.setattr(tasks, "_kept", OrderedDict())
    tasks.warm_up()
    assert len(tasks._kept) == 1
    base = next(iter(tasks._kept.values()))
    assert tasks._today(reads.inputs(reads.scenario_version(made), "quick")) is base
    tasks._kept.clear()
    monkeypatch.setattr(map_files, "LARGEST_WHOLE", 0)  # a large district is a minute's work: not at each start
    tasks.warm_up()
    assert not tasks._kept
