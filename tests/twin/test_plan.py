"""A neighbourhood adopts a scenario by vote: once, from midnight, with its comparison on the ballot."""

import datetime as dt
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from commons.decisions import measuring
from commons.decisions import services as decisions
from commons.decisions.models import Enactment, Option, PolicyValue
from commons.people.models import User
from commons.people.services import create_organisation, set_role
from commons.places.models import Place
from labs.services import catalogue
from tests.decisions.test_motions import WHY, at_once
from tests.twin.conftest import Import, the_town
from twin import deciding
from twin.errors import ScenarioNotFound
from twin.models import ScenarioResult, ScenarioVersion
from twin.queries import scenarios as reads
from twin.services import scenarios

pytestmark = pytest.mark.django_db


@pytest.fixture
def voters(place: Place) -> list[User]:
    """The people of a lab in the quarter."""
    guild = create_organisation(handle="quarter-lab", name="Quarter lab", kind="lab")
    catalogue.open_lab(organisation=guild, name="Quarter lab", place=place)
    found = [User.objects.create(username=f"neighbour-{i}") for i in range(4)]
    for person in found:
        set_role(organisation=guild, user=person, role="member")
    guild.memberships.update(since=timezone.now() - dt.timedelta(days=90))
    return found


def asked(title: str, share: int) -> ScenarioVersion:
    made = scenarios.create(
        district=the_town(), by=None, title=title, measures=[{"kind": "solar", "share_percent": share}], edit_key="k"
    )
    return made.versions.get()


def test_a_vote_adopts_a_scenario(town: Import, place: Place, voters: list[User]) -> None:
    town(place=place)
    one, two = asked("Forty roofs", 40), asked("Sixty roofs", 60)
    figures: list[dict[str, Any]] = [
        {"key": "pv", "label": "Solar power", "unit": "kWh", "group": "energy", "difference": 1234.5, "low": 900.0,
         "high": 1500.0,
         "better": "up", "how": ""},
        {"key": "trips", "label": "Trips by car", "unit": "", "group": "traffic", "difference": 0.0, "low": None,
         "high": None,
         "better": "down", "how": ""},
    ]  # fmt: skip
    for version in (one, two):  # as an engine answered
        ScenarioResult.objects.create(
            version=version, inputs_hash=reads.inputs_hash(reads.inputs(version, "quick")), city_version=1,
            summary={"figures": figures},
        )  # fmt: skip
    with pytest.raises(ScenarioNotFound):
        deciding.check("quarter", {"scenario_version": "999999"})
    motion = decisions.propose(
        body=decisions.body(kind="twin.neighbourhood", key="quarter"), author=voters[0], title="Which plan?", text=WHY,
        method="majority", effect="twin.adopted_scenario",
        options=[{"title": str(v.scenario), "value": {"scenario_version": str(v.pk)}} for v in (one, two)],
    )  # fmt: skip
    assert measuring.reckon_all() == 2
    kept = Option.objects.get(motion=motion, position=1).reckoned["figures"]
    assert [row["key"] for row in kept["rows"]] == ["pv"], "what does not change is not shown"
    page = Client().get(f"/decisions/{motion.pk}/").content.decode()
    assert "Solar power" in page and "“Forty roofs”, version 1, is the plan" in page
    at_once(motion, "open")
    assert motion.eligible == 4
    for person in voters[:3]:
        decisions.vote(motion=motion, person=person, choice="2")
    at_once(motion, "counted")
    at_once(motion, "passed")
    assert "adopted no scenario yet" in Client().get("/twin/town/").content.decode()
    at_once(motion, "enacted")
    assert motion.state == "enacted", motion.why
    assert deciding.plan(place) == two and deciding.plan(place, timezone.now() - dt.timedelta(days=1)) is None
    shown = Client().get("/twin/town/").content.decode()
    assert "Sixty roofs" in shown and "adopted by vote" in shown
    done = Enactment.objects.get(motion=motion)
    assert done.before == {} and done.after["scenario_version"] == two.pk and done.promised is not None
    decisions.advance_all()
    assert PolicyValue.objects.filter(kind="twin.adopted_scenario").count() == 1
    scenarios.revise(scenario=two.scenario, by=None, edit_key="k", measures=[{"kind": "solar", "share_percent": 10}])
    assert deciding.plan(place) == two, "the plan is the version that was voted on"


def test_who_decides_for_a_neighbourhood(town: Import, place: Place, voters: list[User]) -> None:
    assert deciding.find("quarter", None) is None, "no district of it yet"
    town(place=place)
    User.objects.create(username="newcomer", home=place)
    assert set(deciding.members("quarter")) == {person.pk for person in voters}, "a profile makes nobody a voter"
    start = deciding.propose_url(asked("Forty roofs", 40))
    client = Client()
    client.force_login(voters[0])
    form = client.get(start).content.decode()
    assert 'value="Forty roofs"' in form and " selected>Forty roofs (1)</option>" in form
    assert deciding.keys_of(voters[0]) == ["quarter"] and deciding.members("no-such") == {}
    body = Client().get("/decisions/bodies/twin.neighbourhood/quarter/")
    assert body.status_code == 200 and "Which scenario is the plan" in body.content.decode()
    assert Client().get("/decisions/bodies/twin.neighbourhood/testcity/").status_code == 404
