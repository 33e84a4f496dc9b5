"""Reports: anybody signed in, one case for each thing, decisions with a log that the database keeps as it is."""

from collections.abc import Callable
from typing import Any

import pytest
from django.db import DatabaseError, connection, transaction
from django.test import Client

from commons.errors import CityError
from commons.notices.models import Notice
from commons.people.models import User
from commons.people.services import create_organisation, create_token, create_user, set_role
from commons.reports import services
from commons.reports.models import Case, LogEntry, Report
from designs.models import Design
from designs.services.makes import add_make
from designs.services.talk import say

pytestmark = pytest.mark.django_db


@pytest.fixture
def chief() -> User:
    return create_user(username="chief", is_staff=True)


def kinds(person: User) -> list[str]:
    return list(Notice.objects.filter(person=person, kind__startswith="reports.").values_list("kind", flat=True))


def refused(call: Callable[[], object]) -> str:
    with pytest.raises(CityError) as refusal:
        call()
    return refusal.value.code


def reported(thing: Any, kind: str, by: User) -> Case:
    return services.report(kind=f"designs.{kind}", key=str(thing.pk), reason="spam", words="", by=by).case


def test_a_design_is_hidden_answered_and_shown_again(
    client: Client,
    design: Design,
    maker: User,
    neighbour: User,
    chief: User,
) -> None:
    case = reported(design, "design", neighbour)
    assert refused(lambda: services.hide(case=case, by=neighbour, reason="x")) == "report:not-yours"
    assert refused(lambda: services.hide(case=case, by=chief, reason=" ")) == "report:bad-report"
    services.hide(case=case, by=chief, reason="It is advertising.")
    assert (kinds(neighbour), kinds(maker)) == (["reports.outcome"], ["reports.hidden"])
    assert client.get("/designs/aila/test-cube/").status_code == 404
    client.force_login(neighbour)
    assert client.get("/designs/aila/test-cube/").status_code == 404
    assert client.get("/api/v1/designs/aila/test-cube/").status_code == 404
    client.force_login(maker)
    page = client.get("/designs/aila/test-cube/").content.decode()
    assert "Hidden by the city" in page and "It is advertising." in page
    own = client.get(f"/reports/{case.pk}/").content.decode()
    assert "It is advertising." in own and "niko" not in own and "Niko" not in own, "who reported stays unknown"
    client.post(f"/reports/{case.pk}/appeal/", {"words": "It is not."})
    assert refused(lambda: services.appeal(case=case, by=maker, words="Please.")) == "report:wrong-state"
    client.force_login(chief)
    assert "asks to look again" in client.get("/reports/").content.decode()
    client.post(f"/reports/{case.pk}/decide/", {"do": "restore", "words": "Right."})
    client.logout()
    assert client.get("/designs/aila/test-cube/").status_code == 200
    verbs = list(LogEntry.objects.order_by("pk").values_list("verb", "by"))
    assert verbs == [("report", "niko"), ("hide", "chief"), ("appeal", "aila"), ("restore", "chief")]


def test_comments_and_makes_are_hidden(
    client: Client,
    design: Design,
    maker: User,
    neighbour: User,
    chief: User,
) -> None:
    comment = say(design=design, author=neighbour, body="Buy my things")
    made = add_make(design=design, author=neighbour, text="A make of nothing")
    for thing, kind in ((comment, "comment"), (made, "make")):
        services.hide(case=reported(thing, kind, maker), by=chief, reason="Advertising")
    talk, makes = "/designs/aila/test-cube/talk/", "/designs/aila/test-cube/makes/"
    assert "Buy my things" not in client.get(talk).content.decode()
    assert "A make of nothing" not in client.get(makes).content.decode()
    assert "Buy my things" not in client.get("/api/v1/designs/aila/test-cube/comments/").content.decode()
    design.refresh_from_db()
    assert design.make_count == 0
    client.force_login(neighbour)
    assert "Advertising" in client.get(talk).content.decode() and "Advertising" in client.get(makes).content.decode()


def test_many_reports_are_one_case(design: Design, maker: User, neighbour: User, chief: User) -> None:
    mia = create_user(username="mia")
    first, second = reported(design, "design", neighbour), reported(design, "design", mia)
    reported(design, "design", mia)
    assert first == second and Report.objects.count() == 2
    services.dismiss(case=first, by=chief)
    assert kinds(neighbour) == kinds(mia) == ["reports.outcome"] and kinds(maker) == []
    assert refused(lambda: services.dismiss(case=first, by=chief)) == "report:wrong-state"
    reported(design, "design", mia)
    first.refresh_from_db()
    assert first.state == "open", "a new report opens it again"


def test_the_log_never_changes(design: Design, neighbour: User) -> None:
    reported(design, "design", neighbour)
    entry = LogEntry.objects.get()
    for statement in ("UPDATE reports_logentry SET words = 'x'", "DELETE FROM reports_logentry"):
        with pytest.raises(DatabaseError, match="never changed"), transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(statement)
    with pytest.raises(DatabaseError), transaction.atomic():
        entry.delete()
    assert LogEntry.objects.get() == entry


def test_nobody_decides_about_their_own(design: Design, neighbour: User, chief: User) -> None:
    comment = say(design=design, author=chief, body="Mine")
    case = reported(comment, "comment", neighbour)
    assert refused(lambda: services.dismiss(case=case, by=chief)) == "report:not-yours"
    city = create_organisation(handle="city-hall", name="City", kind="city")
    guild = create_organisation(handle="guild", name="Guild", kind="association", founder=neighbour)
    steward = create_user(username="steward-anna")
    set_role(organisation=guild, user=steward, role="owner")
    assert refused(lambda: services.dismiss(case=case, by=steward)) == "report:not-yours"
    set_role(organisation=city, user=steward, role="steward")
    services.warn(case=case, by=steward, words="Be kinder.")
    assert "Be kinder." in Notice.objects.get(person=chief, kind="reports.warned").text
    services.dismiss(case=case, by=steward)


def test_rates_and_reasons(design: Design, neighbour: User) -> None:
    def send(key: object, reason: str = "spam", words: str = "") -> Report:
        return services.report(kind="designs.comment", key=str(key), reason=reason, words=words, by=neighbour)

    comments = [say(design=design, author=neighbour, body=f"{n}") for n in range(services.MAX_IN_AN_HOUR + 1)]
    for key in ("", "x", "9" * 30, "-1", "424242"):
        assert refused(lambda k=key: send(k)) == "report:no-such-thing"
    assert refused(lambda: send(comments[0].pk, "nonsense")) == "report:bad-report"
    assert refused(lambda: send(comments[0].pk, "other")) == "report:bad-report"
    for comment in comments[:-1]:
        send(comment.pk)
    assert refused(lambda: send(comments[-1].pk)) == "report:too-many"
    assert Report.objects.count() == services.MAX_IN_AN_HOUR


def test_pages_and_api(client: Client, design: Design, neighbour: User, chief: User) -> None:
    address = f"/reports/new/?kind=designs.design&key={design.pk}"
    assert client.get(address).status_code == 302
    client.force_login(neighbour)
    assert "Test cube" in client.get(address).content.decode()
    bad = client.post("/reports/new/", {"kind": "designs.design", "key": design.pk, "reason": "other", "words": ""})
    assert bad.status_code == 422
    sent = {"kind": "designs.design", "key": design.pk, "reason": "rights", "words": "Mine"}
    assert client.post("/reports/new/", sent)["Location"] == "/designs/aila/test-cube/"
    case = Case.objects.get()
    assert client.get("/reports/").status_code == 403 and client.get(f"/reports/{case.pk}/").status_code == 404
    assert client.post(f"/reports/{case.pk}/decide/", {"do": "hide", "words": "x"}).status_code == 404
    assert "Test cube" in client.get("/me/reports/").content.decode()
    headers = {"authorization": f"Bearer {create_token(user=neighbour, name='t', scopes=['designs:write'])[1]}"}
    body = {"kind": "designs.design", "key": "aila/test-cube", "reason": "spam"}
    made = client.post("/api/v1/reports/", body, headers=headers, content_type="application/json")
    assert made.status_code == 201 and made.json()["id"] == Report.objects.get().pk, "the open report gets other words"
    assert len(client.get("/api/v1/reports/", headers=headers).json()["results"]) == 1
    client.force_login(chief)
    assert "Mine" not in client.get("/reports/counts/").content.decode()
    assert client.get(f"/reports/{case.pk}/").status_code == 200
