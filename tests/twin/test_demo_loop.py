"""The demonstration's loop: votes of each kind, two of them enacted and measured; twice is once."""

import datetime as dt

import pytest
from django.test import Client
from django.utils import timezone

from commons.decisions import queries, services
from commons.decisions.models import Enactment, Motion, PolicyValue
from commons.decisions.personal import has_taken_part
from commons.people.services import create_user, set_role
from commons.places.models import Place
from labs.deciding import surplus
from labs.models import Lab, LabTie
from tests.twin.demo_stage import stage
from twin import deciding, demo_loop

__all__ = ["stage"]
pytestmark = pytest.mark.django_db


def test_a_newcomer_sees_votes_of_each_kind_and_what_came_of_two(stage: Lab) -> None:
    said: list[str] = []
    demo_loop.seed(said.append)
    states = dict(Motion.objects.values_list("title", "state"))
    assert states[demo_loop.SUN[0]] == "enacted" and states[demo_loop.PLAN[0]] == "enacted", (states, said)
    assert states[demo_loop.NEXT[0]] == "open" and states[demo_loop.QUORUM[0]] == "talk"
    price = surplus.holds(stage.slug)
    assert price == {"discount_percent": 20.0, "above_surplus_share": 0.5}
    held = PolicyValue.objects.get(kind="labs.surplus_price")
    assert held.valid_from.weekday() == 0 and held.valid_from < timezone.now() - dt.timedelta(days=7)
    for done in Enactment.objects.all():
        assert done.measured and done.promised, done.motion
        page = Client().get(f"/decisions/{done.motion_id}/").content.decode()
        assert "What the ballot said, and what was measured" in page
    assert deciding.plan(stage.place) is not None
    assert "What came of it" in Client().get("/twin/town/").content.decode()
    assert set(LabTie.objects.values_list("kind", "state")) == {("community", "holds"), ("building", "holds")}
    assert queries.value("decisions.charter", f"labs.lab:{stage.slug}") is None, "what is talked over sets nothing"


def test_nobody_votes_in_a_visitors_name(stage: Lab) -> None:
    """Who came while the demonstration was being laid out is on the rolls, and votes as they like, or not."""
    visitor = create_user(username="vera")
    set_role(organisation=stage.organisation, user=visitor, role="member")
    demo_loop.seed(lambda _words: None)
    rolled = Motion.objects.filter(roll__person=visitor)
    assert rolled.filter(title=demo_loop.NEXT[0]).exists()
    assert not rolled.filter(roll__person=visitor, roll__ballot__isnull=False).exists()
    assert not has_taken_part(visitor)
    assert set(rolled.values_list("state", flat=True)) >= {"enacted", "open"}


def test_twice_is_once_and_it_goes_whole(stage: Lab) -> None:
    said: list[str] = []
    demo_loop.seed(said.append)
    before = (Motion.objects.count(), PolicyValue.objects.count(), LabTie.objects.count())
    demo_loop.seed(said.append)
    assert before == (Motion.objects.count(), PolicyValue.objects.count(), LabTie.objects.count())
    assert said[-1] == "loop: it is closed already" or "no a" in said[-1], said
    services.remove_demo()
    assert not Motion.objects.exists() and not PolicyValue.objects.exists()


def test_a_city_of_its_own_is_left_alone(stage: Lab) -> None:
    """Without the demonstration's marks nothing is proposed in anybody's name."""
    Lab.objects.update(demo=False)
    Place.objects.update(demo=False)
    demo_loop.seed(lambda _words: None)
    assert not Motion.objects.filter(body__kind__in=("labs.lab", "twin.neighbourhood")).exists()
    assert not LabTie.objects.exists()
