"""The audit log: what comes into it, what never does, and that nobody can change it unseen."""

import base64
import datetime as dt
import io
import json
import threading
import time
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import DatabaseError, connection, connections, transaction
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from commons.audit import chain, queries, recording, services
from commons.audit.models import Alias, Head, Record
from commons.people import services as people
from commons.people.leaving import leave
from commons.people.models import Organisation, User
from tests.decisions.conftest import Garden, garden
from tests.decisions.test_secret import Voter, opened

__all__ = ["garden"]

pytestmark = pytest.mark.django_db
PASSWORD = "a long enough one"


@pytest.fixture
def chief() -> User:
    return people.create_user(username="chief", is_staff=True, password=PASSWORD)


@pytest.fixture
def anna() -> User:
    return people.create_user(username="anna", name="Anna Ahonen", password=PASSWORD)


@pytest.fixture
def guild(chief: User) -> Organisation:
    return people.create_organisation(handle="guild", name="Guild", kind="lab", founder=chief)


def signed_in(user: User, **how: Any) -> Client:
    client = Client(**how)
    client.force_login(user)
    return client


def newest() -> Record:
    return Record.objects.order_by("-pk")[0]


def told(before: int) -> list[str]:
    return list(Record.objects.filter(pk__gt=before).order_by("pk").values_list("what", flat=True))


def last() -> int:
    return max(Record.objects.values_list("pk", flat=True), default=0)


# --- what comes into it ------------------------------------------------------------------------------------------


def test_one_row_for_each_unsafe_answer_of_who_acts_for_others(chief: User, anna: User, guild: Organisation) -> None:
    people.set_role(organisation=guild, user=anna, role="manager")
    boris = people.create_user(username="boris")
    people.set_role(organisation=guild, user=boris, role="member")
    for user, standing in ((chief, "staff"), (anna, "manager"), (boris, None)):
        client = signed_in(user)
        start = last()
        assert client.get("/me/").status_code == 200 and not told(start), "reading leaves no row"
        assert client.post("/me/profile/", {"name": "x" * 500}).status_code == 422 and not told(start), "nor a refusal"
        answer = client.post("/me/profile/", {"name": f"New {user.username}", "home": ""})
        assert answer.status_code == 302
        assert told(start) == (["POST rooms:profile"] if standing else [])
        if standing:
            row = newest()
            assert (row.standing, row.token) == (standing, None)
            assert row.before and row.after and row.before != row.after
    people.set_role(organisation=guild, user=anna, role="steward")
    signed_in(anna).post("/me/profile/", {"name": "A", "home": ""})
    assert newest().standing == "steward"


def test_a_row_says_who_what_with_what_and_from_where(chief: User, anna: User, guild: Organisation) -> None:
    client = signed_in(chief, REMOTE_ADDR="192.0.2.77")
    start = last()
    assert client.post("/people/guild/members/", {"person": "anna", "role": "trainer"}).status_code == 302
    assert told(start) == ["role given"], "one row: what the service noted"
    row = newest()
    assert row.thing == f"organisation={guild.pk} person={recording.person(anna)} role=trainer"
    known = Alias.objects.get(user=chief)
    assert row.who == known.name and recording.opened_ip(known, row.ip) == "192.0.2.77"
    assert "192.0.2" not in row.ip and row.after and not row.before
    client.post("/people/guild/members/", {"person": "anna", "role": "member"})
    assert newest().before == row.after, "before is what after was"
    start = last()
    assert client.post("/people/guild/members/anna/remove/").status_code == 302
    assert told(start) == ["role taken"]


def test_a_token_is_named_by_its_number(chief: User) -> None:
    token, secret = people.create_token(user=chief, name="script", scopes=["decisions:vote", "labs:manage"])
    assert newest().what == "token made" and secret not in newest().thing and secret[:10] not in newest().thing
    body = {"hardware_id": "x"}
    start = last()
    answer = Client().post(
        "/api/v1/decisions/", body, content_type="application/json", headers={"Authorization": f"Bearer {secret}"}
    )
    assert answer.status_code >= 400 and not told(start)
    found = recording.Scope(request=type("R", (), {"user": chief, "auth": token, "META": {}})())
    row = recording.note_request(found, "POST api:x", {"slug": "printer-1"})
    assert row is not None and (row.token, row.thing) == (token.pk, "slug=printer-1")
    people.revoke_token(token=token)
    assert newest().what == "token revoked"


def test_sign_ins_and_passwords_of_everybody(anna: User) -> None:
    client, start = Client(), last()
    assert client.post("/account/login/", {"login": "anna", "password": PASSWORD}).status_code == 302
    change = {"oldpassword": PASSWORD, "password1": "quite another one", "password2": "quite another one"}
    assert client.post("/account/password/change/", change).status_code == 302
    assert client.post("/account/logout/").status_code == 302
    assert told(start) == ["signed in", "password changed", "signed out"]
    assert newest().standing == "person"


def test_no_name_and_no_secret_is_in_a_row(chief: User, anna: User, guild: Organisation) -> None:
    people.set_role(organisation=guild, user=anna, role="trainer")
    token, secret = people.create_token(user=anna, name="Anna's script", scopes=["designs:read"])
    people.revoke_token(token=token)
    link = people.create_sign_in_link(user=anna)
    Client().post(f"/sign-in/{link}/")
    kwargs = {"name": "Anna", "person": "anna", "secret": link, "path": "notes of Anna.md", "pk": 7, "lab": "guild"}
    said = recording.named(kwargs)
    assert said.count(recording.person(anna)) == 2 and "lab=guild" in said and "pk=7" in said
    everything = said + json.dumps(list(Record.objects.values()), default=str)
    for word in ("anna", "Anna", link, secret, secret[:10], "chief"):
        assert word not in everything, word


def test_who_leaves_is_cut_and_the_chain_holds(chief: User, anna: User, guild: Organisation) -> None:
    people.set_role(organisation=guild, user=anna, role="manager")
    signed_in(anna, REMOTE_ADDR="192.0.2.9").post("/me/profile/", {"name": "A", "home": ""})
    name = recording.person(anna)[1:]
    services.seal()
    before = queries.lines(queries.Asked(name="anna"))
    assert before and before[0].ip == "192.0.2.9"
    assert leave(user=anna)
    services.seal()
    assert not Alias.objects.filter(name=name).exists() and not queries.lines(queries.Asked(name="anna"))
    row = next(line for line in queries.lines(queries.Asked()) if line.record.who == name)
    assert (row.name, row.ip) == ("", "")
    assert queries.verify().broken_at is None
    page = signed_in(chief).get("/audit/").content.decode()
    assert "An account that is gone" in page and "192.0.2.9" not in page


# --- what never does ---------------------------------------------------------------------------------------------


def test_nothing_on_the_way_to_a_ballot_is_written_or_timed(garden: Garden, chief: User, guild: Organisation) -> None:
    """The voters are staff and managers, whose every other act leaves a row."""
    voters = [User.objects.create(username=f"secret-{i}", is_staff=True) for i in range(11)]
    long_ago = timezone.now() - dt.timedelta(days=3_000)
    garden.people = {person.pk: long_ago for person in (*voters, chief)}
    motion = opened(voters)
    voter, path = Voter(motion, chief), f"/api/v1/decisions/{motion.pk}"
    member, nobody = signed_in(chief), Client()
    start = last()
    with CaptureQueriesContext(connection) as asked:
        blinded = {"blinded": base64.b64encode(voter.sent.message).decode()}
        signed = member.post(f"{path}/token/", blinded, content_type="application/json")
        assert signed.status_code == 200, signed.content
        from commons.decisions.engine import blind

        signature = blind.unblinded(
            voter.key, voter.token, base64.b64decode(signed.json()["signature"]), voter.sent.inverse
        )
        ballot = {
            "token": base64.b64encode(voter.token).decode(),
            "signature": base64.b64encode(signature).decode(),
            "choice": "1",
        }
        for caller in (nobody, member):  # also where a browser would send its cookies
            assert caller.post(f"{path}/ballot/", ballot, content_type="application/json").status_code == 200
    assert not told(start)
    assert asked.captured_queries and not [q["sql"] for q in asked.captured_queries if "audit_" in q["sql"]]
    member.post("/me/profile/", {"name": "x", "home": ""})
    assert told(start) == ["POST rooms:profile"], "the same person's next act leaves its row"


def test_open_votes_leave_no_row_either(garden: Garden, chief: User) -> None:
    from tests.decisions.test_motions import ask, at_once

    garden.people = {chief.pk: timezone.now() - dt.timedelta(days=3_000)}
    motion, client = at_once(ask(chief), "open"), signed_in(chief)
    start = last()
    assert client.post(f"/decisions/{motion.pk}/vote/", {"choice": "1"}).status_code in {200, 302}
    answer = client.post(f"/api/v1/decisions/{motion.pk}/vote/", {"choice": "1"}, content_type="application/json")
    assert answer.status_code < 500 and not told(start)


# --- nobody changes it unseen ------------------------------------------------------------------------------------


@pytest.fixture
def ten() -> None:
    for i in range(10):
        recording.note("made by a test", f"n={i}")
    services.seal()


@pytest.mark.parametrize(
    "sql",
    [
        "UPDATE audit_record SET what = 'nothing' WHERE number = 3",
        "UPDATE audit_record SET hash = repeat('0', 64) WHERE number = 3",
        "UPDATE audit_record SET number = 99, hash = repeat('1', 64), what = 'x' WHERE number IS NULL",
        "DELETE FROM audit_record WHERE number = 10",
        "DELETE FROM audit_record WHERE number IS NULL",
        "TRUNCATE audit_record",
        "UPDATE audit_head SET hash = repeat('0', 64)",
        "DELETE FROM audit_head",
        "TRUNCATE audit_head",
    ],
)
def test_the_database_refuses_every_change(ten: None, sql: str) -> None:
    services.publish()
    recording.note("not sealed yet")
    with pytest.raises(DatabaseError, match="only added to"), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(sql)


def by_force(sql: str) -> None:
    """What only the database's own administrator can do."""
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL session_replication_role = replica")
        cursor.execute(sql)
        cursor.execute("SET LOCAL session_replication_role = origin")


@pytest.mark.parametrize(
    ("sql", "row", "why"),
    [
        ("UPDATE audit_record SET what = 'nothing' WHERE number = 3", 3, "not the one that was sealed"),
        ("UPDATE audit_record SET at = at + interval '1 microsecond' WHERE number = 7", 7, "not the one"),
        ("UPDATE audit_record SET token = 5 WHERE number = 1", 1, "not the one"),
        ("DELETE FROM audit_record WHERE number = 4", 4, "missing"),
        ("UPDATE audit_record SET number = number + 100 WHERE number >= 6", 6, "missing"),
        ("DELETE FROM audit_record WHERE number >= 9", 9, "a head of row 10 was published"),
    ],
)
def test_who_changes_it_by_force_is_found_at_the_first_row(ten: None, sql: str, row: int, why: str) -> None:
    assert services.publish() is not None and services.publish() is None
    assert queries.verify().broken_at is None
    by_force(sql)
    found = queries.verify()
    assert found.broken_at == row and why in found.why
    printed = io.StringIO()
    with pytest.raises(CommandError):
        call_command("audit_verify", "--json", stdout=printed)
    assert json.loads(printed.getvalue())["first_broken_row"] == row


def test_who_writes_the_whole_chain_anew_is_found_by_a_published_head(ten: None) -> None:
    services.publish(dt.date(2026, 3, 1))
    by_force("UPDATE audit_record SET what = 'nothing' WHERE number = 5")
    end = chain.BEGINNING
    for row in Record.objects.order_by("number").values("id", *chain.FIELDS):
        end = chain.linked(end, row)
        by_force(f"UPDATE audit_record SET hash = '{end}' WHERE id = {row['id']}")  # noqa: S608
    found = queries.verify()
    assert found.broken_at == 10 and "2026-03-01" in found.why


def test_the_chain_can_be_worked_out_by_hand(ten: None) -> None:
    import hashlib

    row = Record.objects.get(number=1)
    said = (
        f'{{"after":"","at":"{row.at.isoformat(timespec="microseconds")}","before":"","ip":"","number":1,'
        f'"standing":"city","thing":"n=0","token":null,"what":"made by a test","who":""}}'
    )
    assert row.hash == hashlib.sha256(bytes(32) + said.encode()).hexdigest()
    assert list(Record.objects.order_by("number").values_list("number", flat=True)) == list(range(1, 11))


def test_the_command_says_that_all_is_well(ten: None) -> None:
    printed = io.StringIO()
    call_command("audit_verify", "--json", stdout=printed)
    said = json.loads(printed.getvalue())
    assert (said["ok"], said["rows"], said["first_broken_row"]) == (True, 10, None)


@pytest.mark.django_db(transaction=True)
def test_many_writers_at_once_keep_one_chain_and_wait_for_nobody() -> None:
    """One of them keeps its transaction open all the time: the others' rows are sealed without it."""
    slowest: list[float] = []
    held, go_on = threading.Event(), threading.Event()

    def sluggard() -> None:
        with transaction.atomic():
            recording.note("slow")
            held.set()
            go_on.wait(30)
        connections.close_all()

    def writer(mine: int) -> None:
        for i in range(20):
            start = time.perf_counter()
            with transaction.atomic():
                recording.note("quick", f"n={mine}.{i}")
            slowest.append(time.perf_counter() - start)
        connections.close_all()

    slow = threading.Thread(target=sluggard)
    slow.start()
    held.wait(30)
    threads = [threading.Thread(target=writer, args=(n,)) for n in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    services.seal()
    assert Record.objects.exclude(number=None).count() == 120
    go_on.set()
    slow.join()
    services.seal()
    found = queries.verify()
    assert (found.rows, found.broken_at, found.waiting) == (121, None, 0)
    assert Record.objects.get(what="slow").number == 121, "in the order in which they were there"
    slowest.sort()
    words = f"a row and its sealing: median {slowest[60] * 1000:.1f} ms, slowest of 120 {slowest[-1] * 1000:.1f} ms"
    print(words)  # noqa: T201 a figure of docs/security.md
    assert slowest[114] < 2.0


# --- pages -------------------------------------------------------------------------------------------------------


def test_staff_read_it_and_others_see_its_heads_alone(ten: None, chief: User, anna: User) -> None:
    for i in range(queries.PAGE + 5):
        recording.note("many", f"i={i}", by=anna)
    services.seal()
    assert Client().get("/audit/").status_code == 302 and signed_in(anna).get("/audit/").status_code == 403
    staff = signed_in(chief)
    page = staff.get("/audit/").content.decode()
    assert page.count("<tr>") == queries.PAGE + 1 and "below=" in page and 'href="/people/anna/"' in page
    address = page.split('rel="next" href="?')[1].split('"')[0].replace("&amp;", "&")
    older = staff.get(f"/audit/?{address}").content.decode()
    assert "n=9" in older and 'rel="next"' not in older
    assert "n=3" in staff.get("/audit/?what=BY+A+test").content.decode()
    assert "No such rows" in staff.get("/audit/?name=nobody").content.decode()
    tomorrow = (timezone.now() + dt.timedelta(days=1)).date()
    assert "No such rows" in staff.get(f"/audit/?first={tomorrow}").content.decode()
    assert staff.get("/audit/?first=never").status_code == 422 and staff.get("/audit/?below=x").status_code == 422
    head = services.publish()
    assert head is not None
    for address in ("/audit/heads/", "/audit/heads.atom"):
        answer = Client().get(address)
        assert answer.status_code == 200 and head.hash in answer.content.decode()
    assert Head.objects.count() == 1
