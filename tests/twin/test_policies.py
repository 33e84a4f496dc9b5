"""Who may do what in the twin, everybody against every rule."""

import hashlib
from typing import Any

import pytest

from commons.people.models import Membership, Organisation
from commons.people.services import create_user
from tests.cast import Cast, cast, closed, organisation, who
from twin import policies
from twin.models.ahead import Sandbox
from twin.models.scenario_comments import ScenarioComment
from twin.models.scenarios import Scenario

pytestmark = pytest.mark.django_db
STEWARDS = {"steward", "manager", "owner", "staff", "other owner"}  # of any city


@pytest.fixture
def people() -> Cast:
    found = cast(organisation("town", Organisation.Kind.CITY), gone=closed(create_user(username="the-gone")))
    found["lab owner"] = create_user(username="lab-owner")
    Membership.objects.create(organisation=organisation("a-lab"), user=found["lab owner"], role="owner")
    return found


@pytest.mark.parametrize("rule", [policies.may_import, policies.may_reckon, policies.may_decide])
def test_who_imports_reckons_and_decides(people: Cast, rule: Any) -> None:
    assert who(people, rule) == STEWARDS


@pytest.mark.parametrize("rule", [policies.may_offer, policies.may_say])
def test_who_says_what_is_wrong(people: Cast, rule: Any) -> None:
    assert who(people, rule) == set(people) - {"nobody", "stranger", "gone"}


def test_who_is_told_of_corrections(people: Cast) -> None:
    elsewhere = organisation("village", Organisation.Kind.CITY)
    Membership.objects.create(organisation=elsewhere, user=people["owner"], role="steward")
    Membership.objects.create(organisation=elsewhere, user=people["gone"], role="steward")
    told = list(policies.stewards())
    assert len(told) == len(set(told)), "each once"
    assert {one.username for one in told} == {"the-steward", "the-manager", "the-owner", "the-other-owner"}


def test_what_is_ones_own(people: Cast) -> None:
    box, comment = Sandbox(owner=people["person"]), ScenarioComment(author=people["person"])
    assert who(people, lambda one: policies.may_remove_sandbox(one, box)) == {"person", *STEWARDS}
    assert who(people, lambda one: policies.may_unsay(one, comment)) == {"person", *STEWARDS}
    assert who(people, lambda one: policies.may_remove_sandbox(one, Sandbox())) == STEWARDS
    assert who(people, lambda one: policies.may_unsay(one, ScenarioComment())) == STEWARDS


def test_a_scenario_is_its_owners_and_of_who_has_its_key(people: Cast) -> None:
    key = "only-i-know-this"
    locked = Scenario(owner=people["person"], edit_key_sha256=hashlib.sha256(key.encode()).hexdigest())
    assert who(people, lambda one: policies.may_edit_scenario(one, locked)) == {"person"}
    assert who(people, lambda one: policies.may_edit_scenario(one, locked, key)) == set(people)
    for wrong in ("", "x", key.upper(), hashlib.sha256(key.encode()).hexdigest()):
        assert who(people, lambda one, said=wrong: policies.may_edit_scenario(one, locked, said)) == {"person"}
    keyless = Scenario(owner=None, edit_key_sha256="")
    for said in ("", "x"):
        assert not who(people, lambda one, said=said: policies.may_edit_scenario(one, keyless, said))
