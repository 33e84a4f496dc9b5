"""Many at once ask for what only one can have: one effect, clear refusals for the others, and never a fault of ours."""

import json
import sys
import threading
from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.utils import timezone

from commons.decisions.models import SecretBallot
from commons.devices import services as devices
from commons.devices.models import Device
from commons.errors import CityError
from commons.people.models import Membership, User
from commons.people.services import create_token, create_user
from designs import git
from designs.models import Design, Proposal
from designs.services import fork_design, index_now, proposals
from labs.models import Account, Booking, Joining, Posting, StockEntry, Till, WaitlistEntry
from labs.services import bookings, ledger, members, stock, tills, waitlist
from labs.services import rules as rule_services
from tests.decisions.conftest import Garden, garden
from tests.decisions.test_secret import Voter, opened, twelve
from tests.designs.conftest import cube_stl, design, git_client, maker, own_folders
from tests.designs.test_changes import offer, write
from tests.designs.test_changes import stock as stock_git
from tests.labs.conftest import lab, machine, person, tomorrow
from tests.labs.test_booking import HOUR

__all__ = ["design", "garden", "git_client", "maker", "own_folders", "twelve"]
pytestmark = pytest.mark.django_db(transaction=True)
MANY = 20


@pytest.fixture(autouse=True, params=[MANY, pytest.param(50, marks=pytest.mark.drill)])
def many(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """How many ask at once."""
    monkeypatch.setattr(sys.modules[__name__], "MANY", request.param)


def at_once(acts: Sequence[Callable[[], Any]]) -> list[Any]:
    """What each act answers when all begin at the same moment, each on a connection of its own; a refusal is its code.
    Anything else that is raised is a fault of ours and fails the test."""
    gate = threading.Barrier(len(acts))

    def one(act: Callable[[], Any]) -> Any:
        try:
            gate.wait(120)
            return act()
        except CityError as refusal:
            return refusal.code
        finally:
            connection.close()

    with ThreadPoolExecutor(len(acts)) as pool:
        return list(pool.map(one, acts))


def post(where: str, body: Any, secret: str = "", **headers: str) -> tuple[int, dict[str, Any]]:
    given = {**({"authorization": f"Bearer {secret}"} if secret else {}), **headers}
    answer = Client().post(where, json.dumps(body), content_type="application/json", headers=given)
    return answer.status_code, answer.json()


def test_one_key_one_booking() -> None:
    """Twenty times the same request with the same key: one booking, equal answers, or 409 while the first runs; then
    the key answers as before, and refuses another body."""
    asked, start = machine(lab()), tomorrow()
    secret = create_token(user=person(), name="t", scopes=["bookings:write"])[1]
    body = {"machine": asked.pk, "start": start.isoformat(), "end": (start + HOUR).isoformat()}
    key = {"Idempotency-Key": "one key"}
    answers = at_once([lambda: post("/api/v1/bookings/", body, secret, **key)] * MANY)
    made = [told for status, told in answers if status == 201]
    assert made and all(told == made[0] for told in made)
    assert {told["code"] for status, told in answers if status != 201} <= {"idempotency:running"}
    assert post("/api/v1/bookings/", body, secret, **key) == (201, made[0])
    status, told = post("/api/v1/bookings/", {**body, "end": (start + 2 * HOUR).isoformat()}, secret, **key)
    assert (status, told["code"]) == (422, "idempotency:other-body")
    assert Booking.objects.count() == 1


def test_one_change_is_merged_once(design: Design, maker: User) -> None:
    forked = fork_design(design=design, owner=create_user(username="forker").handle, by=None)
    forker = forked.owner.user
    assert forker is not None
    write(forked, forker, {"cube.stl": cube_stl(15)})
    index_now(design=forked, by=forker)
    change = offer(design, forked, forker)
    before = _commits(design)
    secret = create_token(user=maker, name="t", scopes=["designs:write"])[1]
    where = f"/api/v1/designs/{design.owner.name}/{design.slug}/proposals/{change.number}/merge/"
    answers = at_once([lambda: post(where, {}, secret)] * MANY)
    assert Counter(status for status, _told in answers) == {200: 1, 409: MANY - 1}, answers
    assert {told["code"] for status, told in answers if status == 409} == {"design:change-over"}
    change.refresh_from_db()
    assert change.state == Proposal.State.MERGED
    assert _commits(design) == before + 2, "their commit, and one merge"
    with pytest.raises(CityError):
        proposals.merge(proposal=change, by=maker)


def _commits(design: Design) -> int:
    return int(stock_git(git.of(design.repository), "rev-list", "--count", "main"))


def test_a_shelf_is_not_emptied_twice() -> None:
    here, by = lab(), person()
    screws = stock.add_consumable(lab=here, name="Screws")
    stock.enter(consumable=screws, why="came", amount=Decimal(10), by=by)
    heard = at_once([lambda: stock.enter(consumable=screws, why="used", amount=Decimal(3), by=by)] * MANY)
    assert Counter(one if isinstance(one, str) else "used" for one in heard)["used"] == 3
    screws.refresh_from_db()
    assert screws.stock == 1
    assert StockEntry.objects.filter(consumable=screws, why="used").count() == 3


def test_a_quota_holds_on_many_machines_at_once() -> None:
    here, user, start = lab(), person(), tomorrow()
    rule_services.set_rule(lab=here, name="open_bookings", text="3", by=None)
    machines = [machine(here) for _ in range(MANY)]
    heard = at_once(
        [
            lambda asked=asked: bookings.create_booking(machine=asked, user=user, start=start, end=start + HOUR)
            for asked in machines
        ]
    )
    booked = [one for one in heard if isinstance(one, Booking)]
    assert len(booked) == Booking.objects.count() == 3, heard
    assert {one for one in heard if isinstance(one, str)} == {"booking:too-many"}


def test_the_points_of_a_week_are_given_once() -> None:
    here, user, now = lab(), person(), timezone.now()
    tills.set_till(lab=here, mode=Till.Mode.POINTS)
    rule_services.set_rule(lab=here, name="points_week", text="10", by=None)
    given = at_once([lambda: ledger.grant_week(lab=here, user=user, now=now)] * MANY)
    assert sum(given) == 1
    assert Posting.objects.filter(lab=here, what=Posting.What.GRANT).count() == 1
    assert Account.objects.get(lab=here, user=user, unit="points").balance == 10


def test_an_enrolment_code_lets_one_device_in() -> None:
    device = Device.objects.create(name="meter", kind="meter")
    code = str(devices.create_enrolment_code(device=device))
    body = {"code": code, "kind": "meter", "hardware_id": "hw"}
    answers = at_once([lambda: post("/api/v1/devices/enrol/", body)] * MANY)
    assert Counter(status for status, _told in answers) == {201: 1, 403: MANY - 1}, answers
    assert {told["code"] for status, told in answers if status == 403} == {"device:code-not-good"}


def test_an_invitation_is_made_once_and_answered_once() -> None:
    here, invited, by = lab(), person(), person()
    heard = at_once([lambda: members.invite(lab=here, user=invited, by=by)] * MANY)
    made = [one for one in heard if isinstance(one, Joining)]
    assert len(made) == Joining.objects.count() == 1, heard
    heard = at_once([lambda: members.answer(joining=made[0], by=invited, accept=True)] * MANY)
    assert len([one for one in heard if isinstance(one, Joining)]) == 1, heard
    assert len({one for one in heard if isinstance(one, str)}) == 1
    assert Membership.objects.filter(user=invited, organisation=here.organisation).count() == 1


def test_an_offer_of_the_waitlist_is_taken_once_or_withdrawn() -> None:
    asked, start, holder, waiting = machine(lab()), tomorrow(), person(), person()
    taken = bookings.create_booking(machine=asked, user=holder, start=start, end=start + 4 * HOUR)
    entry = waitlist.join(
        user=waiting, lab=asked.lab, machine=asked, earliest=start, latest=start + 4 * HOUR, length=HOUR
    )
    bookings.cancel_booking(booking=taken)
    offered = Booking.objects.get(waitlist_entry=entry)
    take = [lambda: waitlist.accept_offer(booking=offered).status] * (MANY // 2)
    leave = [lambda: waitlist.withdraw(entry=entry).status] * (MANY // 2)
    heard = Counter(at_once([*take, *leave]))
    entry = WaitlistEntry.objects.get(pk=entry.pk)
    offered.refresh_from_db()
    assert (entry.status, offered.status) in {("taken", "booked"), ("withdrawn", "cancelled")}
    assert heard["booked"] == (1 if entry.status == "taken" else 0), heard


def test_one_token_casts_one_ballot_fifty_times(garden: Garden, twelve: list[User]) -> None:
    voter = Voter(opened(twelve), twelve[0]).register()
    receipts = at_once([lambda nth=nth: voter.vote("01"[nth % 2]) for nth in range(50)])
    assert len(set(receipts)) == 1 and SecretBallot.objects.count() == 1
