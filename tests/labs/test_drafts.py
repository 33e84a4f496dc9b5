"""Opening a lab by oneself: a draft that its makers alone see, and what it becomes."""

import threading
from typing import Any

import pytest
from django.db import connection
from django.test import Client

from commons.people.errors import HandleTaken
from commons.people.models import Membership, User
from commons.people.services import create_organisation, set_role
from commons.places.models import Place
from labs.errors import BadHours
from labs.errors.ties import BadDraft, UnknownDraft
from labs.models import Lab, LabDraft, Machine
from labs.services import drafts
from tests.labs.conftest import lab, person
from tests.labs.test_sunshine import bearer

pytestmark = pytest.mark.django_db
WEEK = {"mon": [["09:00", "17:00"]]}
MACHINE = {"name": "Ilves", "cls": "3d-printer", "model": "MK4", "rated_w": 350}
WHOLE: dict[str, Any] = {
    "name": "Corner lab", "handle": "corner", "address": "Long street 1", "opening_hours": WEEK, "machine": MACHINE,
}  # fmt: skip


def signed_in(who: User) -> Client:
    client = Client()
    client.force_login(who)
    return client


def test_a_draft_becomes_a_lab_at_once(kamppi: Place) -> None:
    anna, mikko = person("anna"), person("mikko")
    draft = drafts.start(by=anna, facts={"name": "Corner lab"})
    assert draft.facts["handle"] == "corner-lab"
    with pytest.raises(BadDraft) as refused:
        drafts.publish(draft=draft, by=anna)
    assert "where it is" in str(refused.value) and "its first machine" in str(refused.value)
    assert not Lab.objects.exists()
    draft = drafts.change(draft=draft, by=anna, facts=WHOLE | {"place": "kamppi", "lat": 60.17, "lon": 24.94})
    drafts.share(draft=draft, person=mikko)
    made = drafts.publish(draft=draft, by=mikko)
    assert (made.slug, made.name, made.place, made.opening_hours, made.lat) == (
        "corner", "Corner lab", kamppi, WEEK, 60.17,
    )  # fmt: skip
    roles = dict(Membership.objects.values_list("user__username", "role"))
    assert roles == {"anna": "owner", "mikko": "manager"}, "whoever presses the button, it is its owner's"
    machine = Machine.objects.get(lab=made)
    assert (machine.name, machine.cls, machine.process, machine.rated_w) == ("Ilves", "3d-printer", "fff", 350)
    with pytest.raises(UnknownDraft):
        drafts.publish(draft=draft, by=anna)
    assert Client().get("/labs/corner/").status_code == 200


@pytest.mark.parametrize(
    ("facts", "word"),
    [
        ({"name": " "}, "has a name"),
        ({"name": "x" * 121}, "letters at most"),
        ({"place": "atlantis"}, "no place"),
        ({"lat": 91.0, "lon": 0.0}, "latitude"),
        ({"lat": 60.0}, "latitude"),
        ({"lat": True, "lon": True}, "latitude"),
        ({"access": "friends"}, "Who may use it"),
        ({"email": "not an address"}, "no e-mail"),
        ({"opening_hours": [1]}, "Opening hours"),
        ({"machine": {"name": "A"}}, "one of the classes"),
        ({"machine": {"name": "A", "cls": "time-machine"}}, "one of the classes"),
        ({"machine": {"name": "A", "cls": "lathe", "rated_w": 0}}, "highest power"),
        ({"machine": {"name": "A", "cls": "lathe", "price": 1}}, "A machine has"),
        ({"slug": "x"}, "has no “slug”"),
    ],
)
def test_what_cannot_be_said(facts: dict[str, Any], word: str) -> None:
    anna = person()
    with pytest.raises(BadDraft, match=word):
        drafts.start(by=anna, facts={"name": "Lab", **facts})
    assert not LabDraft.objects.exists()


def test_hours_and_names_that_are_taken() -> None:
    anna = person()
    with pytest.raises(BadHours):
        drafts.start(by=anna, facts={"name": "Lab", "opening_hours": {"mon": [["17:00", "09:00"]]}})
    one, two = (drafts.start(by=anna, facts=WHOLE) for _n in range(2))
    drafts.publish(draft=one, by=anna)
    with pytest.raises(HandleTaken):
        drafts.publish(draft=two, by=anna)
    assert Lab.objects.count() == 1 and LabDraft.objects.get() == two, "nothing of it stays half made"
    for _n in range(drafts.MOST_DRAFTS - 1):
        drafts.start(by=anna, facts={"name": "Lab"})
    with pytest.raises(BadDraft, match="discard one first"):
        drafts.start(by=anna, facts={"name": "Lab"})


def test_under_an_organisation_of_ones_own() -> None:
    anna, eve = person(), person()
    guild = create_organisation(handle="guild", name="Guild", kind="lab", founder=anna)
    taken = lab("taken")
    set_role(organisation=taken.organisation, user=anna, role="manager")
    facts = {key: value for key, value in WHOLE.items() if key != "handle"}
    theirs = drafts.start(by=eve, facts=facts | {"organisation": "guild"})
    from commons.people.errors import NotYourOrganisation

    with pytest.raises(NotYourOrganisation):
        drafts.publish(draft=theirs, by=eve)
    second = drafts.start(by=anna, facts=facts | {"organisation": "taken"})
    with pytest.raises(BadDraft, match="has a lab already"):
        drafts.publish(draft=second, by=anna)
    made = drafts.publish(draft=drafts.start(by=anna, facts=facts | {"organisation": "guild"}), by=anna)
    assert made.organisation == guild and made.slug == "guild"


def test_the_pages_show_it_to_its_makers_alone(kamppi: Place) -> None:
    anna, eve = person("anna"), person("eve")
    assert Client().get("/labs/new/").status_code == 302
    client = signed_in(anna)
    assert "Open your lab" in client.get("/labs/new/").content.decode()
    typed = {
        "name": "Corner lab", "handle": "corner", "place": "kamppi", "address": "Long street 1", "access": "public",
        "lat": "60.17", "lon": "24.94", "machine": "Ilves", "cls": "3d-printer", "mon": "9-17", "do": "save",
    }  # fmt: skip
    assert client.post("/labs/new/", typed | {"mon": "soon"}).status_code == 422
    assert client.post("/labs/new/", typed | {"handle": "new"}).status_code in {400, 409, 422}
    answer = client.post("/labs/new/", typed)
    draft = LabDraft.objects.get()
    assert answer["Location"] == f"/labs/new/{draft.pk}/"
    page = client.get(f"/labs/new/{draft.pk}/").content.decode()
    assert "Open Corner lab" in page and "lc-map" in page
    for reader in (Client(), signed_in(eve)):
        assert reader.get(f"/labs/new/{draft.pk}/").status_code in {302, 404}
    assert signed_in(eve).post(f"/labs/new/{draft.pk}/", {"do": "publish"}).status_code == 404
    assert "Corner lab" not in Client().get("/labs/").content.decode()
    assert client.post(f"/labs/new/{draft.pk}/", {"do": "share", "person": "nobody"}).status_code == 422
    client.post(f"/labs/new/{draft.pk}/", {"do": "share", "person": "eve"})
    assert "Corner lab" in signed_in(eve).get(f"/labs/new/{draft.pk}/").content.decode()
    assert client.post(f"/labs/new/{draft.pk}/", {"do": "publish"})["Location"] == "/labs/corner/desk/"
    assert "Corner lab" in Client().get("/labs/").content.decode()
    assert client.get(f"/labs/new/{draft.pk}/").status_code == 404


def test_over_the_api() -> None:
    anna, eve = person(), person()
    key, hers = bearer(anna, "labs:manage"), bearer(eve, "labs:manage")
    client = Client()
    assert client.post("/api/v1/lab-drafts/", {"name": "A"}, content_type="application/json").status_code == 401
    body = {key_: value for key_, value in WHOLE.items() if key_ != "machine"}
    made = client.post("/api/v1/lab-drafts/", body, content_type="application/json", headers=key)
    assert made.status_code == 201 and made.json()["missing"] == ["its first machine"]
    path = f"/api/v1/lab-drafts/{made.json()['id']}/"
    assert client.get(path, headers=hers).status_code == 404
    early = client.post(f"{path}open/", headers=key)
    assert (early.status_code, early.json()["code"]) == (422, "labs:bad-draft")
    bad = client.patch(path, {"machine": {"name": "A"}}, content_type="application/json", headers=key)
    assert (bad.status_code, bad.json()["code"]) == (422, "labs:bad-draft")
    told = {"machine": {"name": "Ilves", "class": "3d-printer"}}
    assert client.patch(path, told, content_type="application/json", headers=key).json()["missing"] == []
    assert client.get("/api/v1/lab-drafts/", headers=key).json()["results"][0]["facts"]["machine"] == told["machine"]
    opened = client.post(f"{path}open/", headers=key)
    assert (opened.status_code, opened.json()["slug"]) == (201, "corner")
    gone = drafts.start(by=anna, facts={"name": "B"})
    assert client.delete(f"/api/v1/lab-drafts/{gone.pk}/", headers=hers).status_code == 404
    assert client.delete(f"/api/v1/lab-drafts/{gone.pk}/", headers=key).status_code == 204


@pytest.mark.django_db(transaction=True)
def test_many_who_open_it_at_once_open_one_lab() -> None:
    anna = person()
    draft = drafts.start(by=anna, facts=WHOLE)
    said: list[str] = []

    def open_it() -> None:
        try:
            said.append(drafts.publish(draft=draft, by=anna).slug)
        except UnknownDraft:
            said.append("gone")
        finally:
            connection.close()

    threads = [threading.Thread(target=open_it) for _n in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(said) == ["corner", *["gone"] * 5] and Lab.objects.count() == 1
