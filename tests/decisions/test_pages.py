"""Pages and API of decisions: who sees and does what, and the walk of a vote."""

import pytest
from django.test import Client

from commons.decisions import services
from commons.decisions.models import Ballot, Motion
from commons.people.models import User
from tests.decisions.conftest import Garden
from tests.decisions.test_motions import WHY, ask, at_once

pytestmark = pytest.mark.django_db


def signed_in(person: User) -> Client:
    client = Client()
    client.force_login(person)
    return client


def form(**changed: str) -> dict[str, str]:
    sent = {
        "kind": "test.garden",
        "key": "rose",
        "effect": "test.tap",
        "title": "Shall the tap run longer?",
        "text": WHY,
        "method": "majority",
        "option-1": "Twenty minutes",
        "minutes-1": "20",
        "option-2": "",
        "minutes-2": "",
    }
    return sent | changed


def test_a_member_proposes_votes_and_reads_the_result(garden: Garden, people: list[User]) -> None:
    client = signed_in(people[0])
    page = client.get("/decisions/new/?kind=test.garden&key=rose&effect=test.tap").content.decode()
    assert "How long the tap runs" in page and 'name="minutes-1"' in page
    answer = client.post("/decisions/new/", form())
    motion = Motion.objects.get()
    assert answer.status_code == 302 and answer["Location"] == f"/decisions/{motion.pk}/"
    at_once(motion, "open")
    home = client.get("/decisions/").content.decode()
    assert "your vote is missing" in home and "Shall the tap run longer?" in home
    page = client.get(f"/decisions/{motion.pk}/").content.decode()
    assert "20 minutes" in page and "Cast my vote" in page
    for person in people[:3]:
        assert signed_in(person).post(f"/decisions/{motion.pk}/vote/", {"choice": "1"}).status_code == 302
    page = client.get(f"/decisions/{motion.pk}/").content.decode()
    assert "Change my vote" in page and "3 of 8 on the roll" in page and "The result" not in page
    assert client.get(f"/decisions/{motion.pk}/ballots.json").status_code == 404
    at_once(motion, "counted")
    page = client.get(f"/decisions/{motion.pk}/").content.decode()
    assert "The result" in page and "Twenty minutes" in page and "Who voted what" in page
    assert client.get(f"/decisions/{motion.pk}/ballots.json").json()["ballots"] == ["1", "1", "1"]
    stranger = Client().get(f"/decisions/{motion.pk}/").content.decode()
    assert "The result" in stranger and "Who voted what" not in stranger
    again = Client().get(f"/api/v1/decisions/{motion.pk}/recount/").json()
    assert again["same"] is True and again["outcome"]["winners"] == ["1"]


@pytest.mark.parametrize("method", ["consent", "approval", "condorcet", "shares"])
def test_every_method_has_its_ballot(garden: Garden, people: list[User], method: str) -> None:
    more = {"effect": "", "options": [{"title": "Bench", "cost": 5}], "budget": 5} if method == "shares" else {}
    motion = at_once(ask(people[0], method=method, **more), "open")
    client = signed_in(people[1])
    assert client.get(f"/decisions/{motion.pk}/").status_code == 200
    sent = {"rank-1": "1", "rank-0": "2"} if method == "condorcet" else {"choice": "1"}
    assert client.post(f"/decisions/{motion.pk}/vote/", sent).status_code == 302
    expected = {"consent": "1", "approval": ["1"], "condorcet": ["1", "0"], "shares": ["1"]}[method]
    assert Ballot.objects.get().choice == expected
    assert client.get(f"/decisions/{motion.pk}/").status_code == 200


def test_a_refused_proposal_keeps_what_was_typed(garden: Garden, people: list[User]) -> None:
    client = signed_in(people[0])
    answer = client.post("/decisions/new/", form(**{"minutes-1": "99"}))
    assert answer.status_code == 422
    page = answer.content.decode()
    assert "from 1 to 60" in page and 'value="99"' in page and WHY in page
    assert client.post("/decisions/new/", form(**{"minutes-1": "soon"})).status_code == 400
    assert not Motion.objects.exists()


def test_who_may(garden: Garden, people: list[User]) -> None:
    motion = at_once(ask(people[0]), "open")
    stranger, nobody = signed_in(User.objects.create(username="stranger")), Client()
    member = signed_in(people[1])
    n = motion.pk
    for client, path, status in [
        (nobody, "/decisions/", 200),
        (nobody, f"/decisions/{n}/", 200),
        (nobody, "/decisions/new/", 302),
        (nobody, "/decisions/bodies/test.garden/rose/", 200),
        (nobody, "/decisions/bodies/test.garden/tulip/", 404),
        (nobody, "/decisions/bodies/no.such/rose/", 404),
        (nobody, "/decisions/999999/", 404),
        (nobody, f"/api/v1/decisions/{n}/", 200),
        (nobody, "/api/v1/decisions/", 200),
        (nobody, "/api/v1/decisions/999999/", 404),
        (nobody, f"/api/v1/decisions/{n}/recount/", 409),
        (nobody, "/api/v1/policies/?kind=test.tap&scope=test.garden:rose", 200),
        (nobody, "/api/v1/policies/?kind=test.tap&scope=test.garden:tulip", 404),
        (nobody, "/api/v1/policies/?kind=test.tap", 400),
        (nobody, "/decisions/recount.py", 200),
        (nobody, f"/decisions/{n}/ballots.json", 404),
        (nobody, f"/api/v1/decisions/{n}/token/", 409),
        (nobody, "/api/v1/decisions/999999/token/", 404),
        (nobody, "/decisions/bodies/test.garden/rose/delegate/", 405),
        (stranger, "/decisions/new/?kind=test.garden&key=rose", 200),
        (member, "/decisions/new/", 200),
    ]:
        assert client.get(path).status_code == status, path
    for client, path, sent, status in [
        (nobody, f"/decisions/{n}/vote/", {"choice": "1"}, 302),
        (stranger, f"/decisions/{n}/vote/", {"choice": "1"}, 403),
        (member, f"/decisions/{n}/vote/", {"choice": "7"}, 400),
        (member, f"/decisions/{n}/vote/", {}, 400),
        (stranger, f"/decisions/{n}/withdraw/", {}, 403),
        (member, f"/decisions/{n}/stop/", {"reason": "against the water law"}, 403),
        (stranger, "/decisions/new/", form(), 403),
        (nobody, f"/api/v1/decisions/{n}/vote/", {"choice": "1"}, 401),
        (nobody, f"/api/v1/decisions/{n}/token/", {"blinded": "eA=="}, 401),
        (member, f"/api/v1/decisions/{n}/token/", {"blinded": "eA=="}, 409),
        (nobody, f"/api/v1/decisions/{n}/ballot/", {"token": "eA==", "signature": "eA==", "choice": "1"}, 409),
        (nobody, "/api/v1/decisions/999999/ballot/", {"token": "eA==", "signature": "eA==", "choice": "1"}, 404),
        (nobody, "/decisions/bodies/test.garden/rose/delegate/", {"to": "gardener-1"}, 302),
        (stranger, "/decisions/bodies/test.garden/rose/delegate/", {"to": "gardener-1"}, 400),
        (member, "/decisions/bodies/test.garden/tulip/delegate/", {"to": "gardener-1"}, 404),
    ]:
        kind = {"content_type": "application/json"} if path.startswith("/api/") else {}
        assert client.post(path, sent, **kind).status_code == status, path
    assert not Ballot.objects.exists() and Motion.objects.count() == 1


def test_the_api_proposes_and_votes(garden: Garden, people: list[User]) -> None:
    client = signed_in(people[0])
    document = {
        "body": "test.garden:rose",
        "title": "Shall the tap run longer?",
        "text": WHY,
        "method": "approval",
        "effect": "test.tap",
        "options": [{"title": "Longer", "value": {"minutes": 15}}, {"title": "Shorter", "value": {"minutes": 5}}],
    }
    made = client.post("/api/v1/decisions/", document, content_type="application/json")
    assert made.status_code == 201, made.content
    assert [o["title"] for o in made.json()["options"]] == ["Leave it as it is", "Longer", "Shorter"]
    motion = at_once(Motion.objects.get(pk=made.json()["number"]), "open")
    path = f"/api/v1/decisions/{motion.pk}/vote/"
    kept = client.post(path, {"choice": ["2", "1"]}, content_type="application/json")
    assert kept.json()["choice"] == ["1", "2"]
    refused = client.post(path, {"choice": ["9"]}, content_type="application/json")
    assert (refused.status_code, refused.json()["code"]) == (400, "decision:bad-vote")
    nowhere = client.post(
        "/api/v1/decisions/", document | {"body": "test.garden:tulip"}, content_type="application/json"
    )
    assert nowhere.status_code == 404


def test_policies_tell_what_holds(garden: Garden, people: list[User]) -> None:
    motion = at_once(ask(people[0]), "open")
    for person in people[:3]:
        services.vote(motion=motion, person=person, choice="1")
    for state in ("counted", "passed", "enacted"):
        at_once(motion, state)
    told = Client().get("/api/v1/policies/?kind=test.tap&scope=test.garden:rose").json()
    assert [(row["value"], row["decision"]) for row in told] == [({"minutes": 20}, motion.pk)]
    page = Client().get("/decisions/bodies/test.garden/rose/").content.decode()
    assert "20 minutes" in page and motion.title in page
