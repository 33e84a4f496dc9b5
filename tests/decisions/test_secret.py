"""Secret ballots: one token a person, one ballot a token, and nothing in the database that joins the two."""

import base64
import datetime as dt
import hashlib
import json
import logging
import random
import threading
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from django.db import connection, connections, transaction
from django.test import Client
from django.utils import timezone

from commons.decisions import ballot_box, services
from commons.decisions.engine import blind, counting
from commons.decisions.errors import BadMotion, BadVote, MotionNotFound, NotAMember, NotNow, TokenTaken
from commons.decisions.models import Ballot, Motion, RollEntry, SecretBallot
from commons.notices.models import Notice
from commons.people.models import User
from tests.decisions.conftest import Garden
from tests.decisions.test_motions import ask, at_once

DICE = random.Random(9474)


@pytest.fixture
def twelve(garden: Garden) -> list[User]:
    found = [User.objects.create(username=f"secret-{i}") for i in range(12)]
    garden.people = {person.pk: timezone.now() - dt.timedelta(days=3_000) for person in found}
    return found


class Voter:
    """What a voter's browser does."""

    def __init__(self, motion: Motion, person: User) -> None:
        self.motion, self.person = motion, person
        self.key = ballot_box.private_key(motion).public_key()
        self.token = blind.prepared(DICE.randbytes(32), DICE.randbytes(32))
        factor = DICE.randrange(2, self.key.public_numbers().n)
        self.sent = blind.blinded(self.key, self.token, salt=DICE.randbytes(48), factor=factor)
        self.signature = b""

    def register(self) -> "Voter":
        signed = ballot_box.sign_token(motion=self.motion, person=self.person, blinded=self.sent.message)
        self.signature = blind.unblinded(self.key, self.token, signed, self.sent.inverse)
        return self

    def vote(self, choice: Any) -> str:
        return ballot_box.cast(number=self.motion.pk, token=self.token, signature=self.signature, choice=choice)


def opened(people: list[User], **more: Any) -> Motion:
    return at_once(ask(people[0], **({"secret": True} | more)), "open")


@pytest.mark.django_db
def test_a_secret_vote_counts_and_each_finds_the_own_ballot(garden: Garden, twelve: list[User]) -> None:
    motion = opened(twelve)
    with pytest.raises(NotNow, match="secret"):
        services.vote(motion=motion, person=twelve[0], choice="1")
    voters = [Voter(motion, person).register() for person in twelve]
    receipts = [voter.vote("1" if i < 8 else "0") for i, voter in enumerate(voters[:11])]
    assert voters[0].vote("0") == receipts[0], "changed"
    assert voters[0].vote("1") == receipts[0], "and changed back"
    assert (SecretBallot.objects.count(), Ballot.objects.count()) == (11, 0)
    at_once(motion, "counted")
    assert motion.outcome is not None and motion.outcome["figures"]["votes"] == {"0": 3, "1": 8}
    told = json.loads(bytes(motion.ballots))
    assert told["tokens"] == sorted(receipts)
    assert told["ballots"][told["tokens"].index(receipts[9])] == "0"
    assert counting.plain(counting.count(bytes(motion.ballots))) == motion.outcome
    with pytest.raises(NotNow):
        voters[11].vote("1")


@pytest.mark.django_db
def test_one_token_a_person_and_only_from_the_roll(garden: Garden, twelve: list[User]) -> None:
    motion = opened(twelve)
    voter = Voter(motion, twelve[0]).register()
    assert voter.register().signature, "the same token again gets the same answer"
    with pytest.raises(TokenTaken):
        Voter(motion, twelve[0]).register()
    with pytest.raises(NotAMember):
        Voter(motion, User.objects.create(username="outside")).register()
    forged = Voter(motion, twelve[1])
    forged.signature = voter.signature
    with pytest.raises(BadVote, match="no token"):
        forged.vote("1")
    with pytest.raises(BadVote):
        voter.vote("9")
    with pytest.raises(BadVote, match="not made for this vote"):
        ballot_box.sign_token(motion=motion, person=twelve[2], blinded=b"x")
    assert ballot_box.tokens_given(motion) == 1 and not SecretBallot.objects.exists()
    other = opened(twelve)
    stolen = Voter(other, twelve[0])
    stolen.token, stolen.signature = voter.token, voter.signature
    with pytest.raises(BadVote, match="no token"):
        stolen.vote("1")


@pytest.mark.django_db
def test_when_a_vote_cannot_be_secret(garden: Garden, twelve: list[User], people: list[User]) -> None:
    with pytest.raises(BadMotion, match="Fewer than 10"):
        ask(people[0], secret=True)
    garden.people = {person.pk: timezone.now() - dt.timedelta(days=3_000) for person in twelve}
    with pytest.raises(BadMotion, match="Consent"):
        ask(twelve[0], secret=True, method="consent")
    motion = ask(twelve[0], secret=True)
    for person in twelve[:3]:
        del garden.people[person.pk]
    at_once(motion, "open")
    assert motion.state == "stopped" and "secret" in motion.why
    with pytest.raises(MotionNotFound):
        ballot_box.cast(number=10**9, token=bytes(64), signature=b"", choice="1")


@pytest.mark.django_db
def test_over_http_the_box_wants_no_name(garden: Garden, twelve: list[User]) -> None:
    motion = opened(twelve)
    path = f"/api/v1/decisions/{motion.pk}"
    member, nobody = Client(), Client()
    member.force_login(twelve[0])
    page = member.get(f"/decisions/{motion.pk}/").content.decode()
    assert "<lc-ballot" in page and "<noscript>" in page and "needs JavaScript" in page
    island = page.split("<lc-ballot")[1].split("</lc-ballot>")[0]
    assert 'action="/decisions/' not in island, "no form that names a voter"
    assert "<lc-ballot" not in nobody.get(f"/decisions/{motion.pk}/").content.decode()
    assert member.post(f"/decisions/{motion.pk}/vote/", {"choice": "1"}).status_code == 409
    key = nobody.get(f"{path}/token/").json()["key"]
    assert base64.b64decode(key) == ballot_box.public_key(motion)
    voter = Voter(motion, twelve[0])
    blinded = {"blinded": base64.b64encode(voter.sent.message).decode()}
    assert nobody.post(f"{path}/token/", blinded, content_type="application/json").status_code == 401
    signed = member.post(f"{path}/token/", blinded, content_type="application/json").json()["signature"]
    signature = blind.unblinded(voter.key, voter.token, base64.b64decode(signed), voter.sent.inverse)
    ballot = {
        "token": base64.b64encode(voter.token).decode(),
        "signature": base64.b64encode(signature).decode(),
        "choice": "1",
    }
    answer = nobody.post(f"{path}/ballot/", ballot, content_type="application/json", headers={"Idempotency-Key": "k"})
    assert answer.status_code == 200 and SecretBallot.objects.get().token_sha256 == answer.json()["receipt"]
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM web_idempotentanswer")
        assert cursor.fetchone() == (0,), "nothing is kept on this path"
    wrong = nobody.post(f"{path}/ballot/", ballot | {"token": "%%"}, content_type="application/json")
    assert (wrong.status_code, wrong.json()["code"]) == (400, "decision:bad-vote")


@pytest.mark.django_db(transaction=True)
def test_fifty_uses_of_one_token_at_once_are_one_ballot(garden: Garden, twelve: list[User]) -> None:
    voter = Voter(opened(twelve), twelve[0]).register()
    start = threading.Barrier(50)

    def use(number: int) -> str:
        try:
            start.wait(timeout=30)
            return voter.vote(str(number % 2))
        finally:
            connections.close_all()

    with ThreadPoolExecutor(50) as pool:
        receipts = set(pool.map(use, range(50)))
    assert len(receipts) == 1 and SecretBallot.objects.count() == 1
    at_once(voter.motion, "counted")
    assert len(json.loads(bytes(voter.motion.ballots))["ballots"]) == 1


@pytest.mark.django_db(transaction=True)
def test_a_token_is_signed_once_though_many_ask_at_once(garden: Garden, twelve: list[User]) -> None:
    motion = opened(twelve)
    voters = [Voter(motion, twelve[0]) for _ in range(12)]
    start = threading.Barrier(12)

    def take(voter: Voter) -> bool:
        try:
            start.wait(timeout=30)
            return bool(voter.register().signature)
        except TokenTaken:
            return False
        finally:
            connections.close_all()

    with ThreadPoolExecutor(12) as pool:
        assert sum(pool.map(take, voters)) == 1
    assert ballot_box.tokens_given(motion) == 1


# --- who has all of the database ------------------------------------------------------------------------------------


def dump(table: str, motion: Motion) -> list[dict[str, Any]]:
    """The rows of a vote as a thief finds them: in the order of the disk, with the transactions that wrote them."""
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT ctid::text AS place, xmin::text::bigint AS wrote, t.* FROM {table} t "  # noqa: S608
                       "WHERE motion_id = %s ORDER BY ctid", [motion.pk])  # fmt: skip
        names = [column.name for column in cursor.description]
        rows = [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]
    return [row | ({"choice": json.loads(row["choice"])} if "choice" in row else {}) for row in rows]


def linked(roll: list[dict[str, Any]], box: list[dict[str, Any]], truth: dict[int, str]) -> dict[str, int]:
    """How many voters a thief joins to the right ballot: by the order on the disk, of transactions, of numbers, of
    accounts, of hashes; by a transaction that both share; by trying the blinded token as a token."""
    voted = [row for row in roll if row["person_id"] in truth]

    def pairs(one: str, two: str) -> int:
        both = zip(sorted(voted, key=lambda row: row[one]), sorted(box, key=lambda row: row[two]), strict=False)
        return sum(truth[a["person_id"]] == b["token_sha256"] for a, b in both)

    for rows in (roll, box):
        for place, row in enumerate(rows):
            row["disk"] = place
    found = {f"{one} × {two}": pairs(one, two) for one in ("disk", "wrote", "id", "person_id", "blinded_sha256")
             for two in ("disk", "wrote", "token_sha256")}  # fmt: skip
    writes = Counter(row["wrote"] for row in box)
    alone = {row["wrote"]: row["token_sha256"] for row in box if writes[row["wrote"]] == 1}
    found["same transaction"] = sum(truth[row["person_id"]] == alone.get(row["wrote"]) for row in voted)
    found["same hash"] = sum(row["blinded_sha256"] in {b["token_sha256"] for b in box} for row in voted)
    return found


def guessed(roll: list[dict[str, Any]], box: list[dict[str, Any]], truth: dict[int, str]) -> float:
    """The share of pairs of voters, one yes and one no, whom nearness of rows sets in the right order (0.5: chance)."""
    choice = {row["token_sha256"]: row["choice"] for row in box}
    near = [box[min(place, len(box) - 1)]["choice"] for place in range(len(roll))]
    yes = [near[i] for i, row in enumerate(roll) if choice[truth[row["person_id"]]] == "1"]
    no = [near[i] for i, row in enumerate(roll) if choice[truth[row["person_id"]]] == "0"]
    return sum((a > b) + (a == b) / 2 for a in yes for b in no) / (len(yes) * len(no))


@pytest.mark.django_db(transaction=True)
def test_a_thief_of_the_database_links_nobody(garden: Garden, caplog: pytest.LogCaptureFixture) -> None:
    people = User.objects.bulk_create([User(username=f"citizen-{i}") for i in range(200)])
    garden.people = {person.pk: timezone.now() - dt.timedelta(days=3_000) for person in people}
    motion, control = opened(people), opened(people, secret=False)
    voters = [Voter(motion, person) for person in DICE.sample(people, 200)]
    with caplog.at_level(logging.DEBUG):
        truth = {voter.person.pk: voter.register().vote(str(DICE.randrange(2))) for voter in voters}
    for person in people:  # as Loomio writes it: the mark on the roll and a ballot without a name, in one transaction
        with transaction.atomic():
            entry = RollEntry.objects.get(motion=control, person=person)
            RollEntry.objects.filter(pk=entry.pk).update(blinded_sha256="voted")
            receipt = hashlib.sha256(str(person.pk).encode()).hexdigest()
            SecretBallot.objects.create(motion=control, token_sha256=receipt, choice="1")
    naive = linked(
        dump("decisions_rollentry", control),
        dump("decisions_secretballot", control),
        {person.pk: hashlib.sha256(str(person.pk).encode()).hexdigest() for person in people},
    )
    assert naive["same transaction"] == 200, "the control: two rows of one transaction tell everything"
    open_box = linked(dump("decisions_rollentry", motion), dump("decisions_secretballot", motion), truth)
    assert open_box["same transaction"] == 0 and open_box["wrote × wrote"] == 200, (
        "until the box is mixed, who voted right after taking the token is found by the order: so it says on the page"
    )
    services.advance_all()
    mixed = linked(dump("decisions_rollentry", motion), dump("decisions_secretballot", motion), truth)
    assert max(mixed.values()) <= 8, f"the box is mixed while the vote is open: {mixed}"
    assert ballot_box.mix_all() == 0, "and not again before another ballot came"
    at_once(motion, "counted")
    roll, box = dump("decisions_rollentry", motion), dump("decisions_secretballot", motion)
    after = linked(roll, box, truth)
    assert max(after.values()) <= 8, f"200 pairs at random give one right, and hardly ever more than 8: {after}"
    assert abs(guessed(roll, box, truth) - 0.5) <= 0.15
    assert len({row["wrote"] for row in [*roll, *box]}) == 1, "box and roll were written by one transaction"
    told = caplog.text + json.dumps(list(Notice.objects.values_list("text", "url")), default=str)
    assert not any(receipt in told for receipt in truth.values())
    assert {field.name for field in SecretBallot._meta.get_fields()} == {"token_sha256", "motion", "choice"}
    motion.refresh_from_db()
    assert motion.signing_key == "" and ballot_box.tokens_given(motion) == 200
