"""From a repository to a badge: reading, answering, signing off, renewing; sessions with places; trust; credentials."""

import datetime as dt
import json
import threading
from typing import Any

import pytest
from django.db import connection
from django.utils import timezone

from commons.errors import CityError
from commons.notices.models import Notice
from commons.runs.models import Run
from labs.credentials import verifying
from labs.errors import NotQualified
from labs.errors.learning import (
    BadCourse,
    BadCredential,
    BadSession,
    BadSignOff,
    BadTrust,
    MayNotSign,
    NotReady,
    SessionOver,
    TooSoon,
)
from labs.models import Badge, BadgeGrant, CheckAnswer, Credential, IssuerKey, OutsideBadge, Seat, StatusList, Teaching
from labs.queries import badges, learning
from labs.services import badges as giving
from labs.services import bookings, courses, credentials, sessions, trust
from labs.services import learning as services
from tests.labs import learning_stage as stage
from tests.labs.conftest import lab, machine, person, tomorrow

pytestmark = pytest.mark.django_db
NOW_SOON = dt.timedelta(minutes=1)


def test_a_course_is_taught_by_what_its_repository_says() -> None:
    taught = stage.teaching(lab())
    assert (taught.badge.kind, taught.badge.valid_months, taught.badge.lab) == ("safety", 24, taught.lab)
    assert (taught.course.title, taught.course.version, len(taught.course.keys)) == ("Laser safety", "1.0", 5)
    assert len(taught.course.commit) == 40


def test_a_version_with_a_fault_is_not_taught() -> None:
    taught = stage.teaching(lab())
    before, owner = taught.course.commit, taught.course.design.created_by
    assert owner is not None
    stage.push(taught.course.design, owner, {"01-before.md": b"# T\n\n```check choice\nWhat?\n- [ ] a\n- [ ] b\n```\n"})
    course = courses.refresh(course=taught.course)
    assert course.commit == before
    assert [(p["path"], p["line"]) for p in course.problems] == [("01-before.md", 3)]
    stage.push(course.design, owner, {"01-before.md": stage.LESSON.encode()})
    mended = courses.refresh(course=course)
    assert mended.problems == []
    assert mended.commit != before


def test_what_is_no_course_is_refused_by_lines() -> None:
    here, owner = lab(), person()
    design = stage.course_design(owner, {"course.toml": b'title = "x"\n', "README.md": b"hello"})
    with pytest.raises(BadCourse) as refusal:
        courses.teach(lab=here, design=design, by=None)
    assert {p["path"] for p in refusal.value.data["problems"]} == {"course.toml"}
    assert not Teaching.objects.filter(lab=here).exists()


def test_the_newest_release_is_taught() -> None:
    from designs.services import index_now, releases

    taught = stage.teaching(lab())
    design, owner = taught.course.design, taught.course.design.created_by
    assert owner is not None
    index_now(design=design, by=owner)
    releases.publish(design=design, version="1.0.0", name="", notes="", by=owner, ref=taught.course.commit)
    stage.push(design, owner, {"course.toml": stage.manifest(version="2.0")})
    assert courses.refresh(course=taught.course).version == "1.0"
    releases.publish(design=design, version="2.0.0", name="", notes="", by=owner, ref=design.default_branch)
    assert courses.refresh(course=taught.course).version == "2.0"


def test_answers_are_kept_until_the_question_changes() -> None:
    taught, learner = stage.teaching(lab()), person()
    stage.learn(taught.course, learner)
    assert learning.progress(taught.course, learner).done
    assert set(CheckAnswer.objects.values_list("commit", flat=True)) == {taught.course.commit}
    owner = taught.course.design.created_by
    assert owner is not None
    changed = stage.LESSON.replace("Open the lid", "Open a window").replace("Never cut", "Do not cut")
    stage.push(taught.course.design, owner, {"01-before.md": changed.encode()})
    course = courses.refresh(course=taught.course)
    progress = learning.progress(course, learner)
    assert (progress.passed, progress.of) == (4, 5)


def test_wrong_answers_wait_after_a_while() -> None:
    taught, learner, now = stage.teaching(lab()), person(), timezone.now()
    content = taught.course.content
    assert content is not None
    wrong = {f"c-{content.lessons[0].checks[0].key}": ["0"]}
    ask: dict[str, Any] = {"course": taught.course, "lesson": content.lessons[0], "user": learner}
    for _try in range(services.FREE_TRIES):
        assert not next(iter(services.answer(**ask, answers=wrong, now=now).values())).right
    with pytest.raises(TooSoon):
        services.answer(**ask, answers=wrong, now=now + dt.timedelta(seconds=30))
    right = stage.right_answers(taught.course)
    later = services.answer(**ask, answers=right, now=now + dt.timedelta(seconds=61))
    assert all(found.right for found in later.values())
    assert services.answer(**ask, answers=wrong, now=now + dt.timedelta(seconds=62)), "what is passed stays passed"
    assert CheckAnswer.objects.filter(user=learner, passed_at=None).count() == 0


def test_the_way_to_the_badge() -> None:
    here = lab()
    taught, learner, trainer = stage.teaching(here), person(), stage.fellow(here)
    with pytest.raises(MayNotSign, match="earn the badge"):
        services.sign_off(teaching=taught, user=learner, trainer=trainer, seen=[0, 1])
    giving.give(badge=taught.badge, user=trainer, given_in=here)
    with pytest.raises(NotReady, match="5 checks"):
        services.sign_off(teaching=taught, user=learner, trainer=trainer, seen=[0, 1])
    stage.learn(taught.course, learner)
    assert learning.ready(taught) == [learner]
    for seen in ([], [0], [0, 1, 2], [1, 7]):
        with pytest.raises(BadSignOff):
            services.sign_off(teaching=taught, user=learner, trainer=trainer, seen=seen)
    signed = services.sign_off(teaching=taught, user=learner, trainer=trainer, seen=[1, 0])
    assert learning.ready(taught) == []
    assert not badges.held(learner, at=timezone.now(), lab=here), "a trainer alone gives no badge"
    with pytest.raises(NotReady):
        services.confirm(sign_off=signed, by=trainer)
    grant = services.confirm(sign_off=signed, by=learner)
    assert (grant.badge, grant.given_in, grant.granted_by) == (taught.badge, here, trainer)
    assert grant.expires_at is not None
    assert grant.expires_at == giving.months_later(grant.granted_at, 24)
    assert badges.held(learner, at=timezone.now(), lab=here) == {taught.badge.pk}
    with pytest.raises(NotReady):
        services.confirm(sign_off=signed, by=learner)
    assert {"labs.sign_off", "labs.badge"} <= set(Notice.objects.filter(person=learner).values_list("kind", flat=True))


@pytest.mark.parametrize("who", ["member", "stranger", "oneself", "trainer elsewhere"])
def test_who_may_not_sign(who: str) -> None:
    here = lab()
    taught, learner = stage.teaching(here), person()
    stage.learn(taught.course, learner)
    trainer = {
        "member": lambda: stage.fellow(here, "member"),
        "stranger": person,
        "oneself": lambda: learner,
        "trainer elsewhere": lambda: stage.fellow(lab(), "owner"),
    }[who]()
    with pytest.raises(MayNotSign):
        services.sign_off(teaching=taught, user=learner, trainer=trainer, seen=[0, 1])


def test_a_sign_off_can_be_taken_back_until_it_is_confirmed() -> None:
    here = lab()
    taught, learner, trainer = stage.teaching(here), person(), stage.fellow(here, "manager")
    stage.learn(taught.course, learner)
    signed = services.sign_off(teaching=taught, user=learner, trainer=trainer, seen=[0, 1])
    services.withdraw(sign_off=signed, by=trainer)
    with pytest.raises(NotReady):
        services.confirm(sign_off=signed, by=learner)
    again = services.sign_off(teaching=taught, user=learner, trainer=trainer, seen=[0, 1])
    services.confirm(sign_off=again, by=learner)
    with pytest.raises(NotReady):
        services.withdraw(sign_off=again, by=trainer)


def test_what_comes_before_is_asked_for() -> None:
    here = lab()
    first = stage.teaching(here, title="First steps", badge="first-steps", kind="competency")
    with pytest.raises(BadCourse, match="knows none of that name"):
        stage.teaching(
            lab(), title="Laser", badge="laser-safety", more='valid_months = 24\nneeds = ["first-steps-x"]\n'
        )
    second = stage.teaching(
        here, title="Laser", badge="laser-safety", more='valid_months = 24\nneeds = ["first-steps"]\n'
    )
    learner, trainer = person(), stage.fellow(here, "manager")
    stage.learn(second.course, learner)
    with pytest.raises(NotReady, match="First steps"):
        services.sign_off(teaching=second, user=learner, trainer=trainer, seen=[0, 1])
    stage.pass_course(first, learner, trainer)
    services.sign_off(teaching=second, user=learner, trainer=trainer, seen=[0, 1])


def test_a_machine_says_what_is_missing_and_when_the_next_session_is() -> None:
    here = lab()
    taught, learner = stage.teaching(here), person()
    laser = machine(here, cls="laser-cutter", required_badges=[taught.badge])
    with pytest.raises(NotQualified):
        bookings.create_booking(machine=laser, user=learner, start=tomorrow(10), end=tomorrow(11))
    trainer = stage.fellow(here, "manager")
    plan: dict[str, Any] = {"teaching": taught, "trainer": trainer}
    full = sessions.plan(**plan, starts_at=tomorrow(9), ends_at=tomorrow(12), places=1)
    sessions.join(session=full, user=person())
    later = sessions.plan(**plan, starts_at=tomorrow(9, days=7), ends_at=tomorrow(12, days=7), places=2)
    with pytest.raises(NotQualified, match="The course “Laser safety” leads to it") as refusal:
        bookings.create_booking(machine=laser, user=learner, start=tomorrow(10), end=tomorrow(11))
    assert refusal.value.data["course"] == f"{taught.course.design.owner.name}/{taught.course.design.slug}"
    assert refusal.value.data["next_session"]["id"] == str(later.pk)
    assert refusal.value.data["next_session"]["free"] == 2
    (way,) = learning.ways(machine=laser, user=learner, at=tomorrow(10))
    assert (way.badge, way.teachings, way.session, way.free) == (taught.badge, (taught,), later, 2)
    stage.pass_course(taught, learner, trainer)
    assert learning.ways(machine=laser, user=learner, at=tomorrow(10)) == []
    bookings.create_booking(machine=laser, user=learner, start=tomorrow(10), end=tomorrow(11))


def test_a_badge_that_ends_before_the_booking_does_not_count() -> None:
    here = lab()
    badge = Badge.objects.create(slug="short", name="Short", lab=here)
    laser, learner = machine(here, required_badges=[badge]), person()
    giving.give(badge=badge, user=learner, given_in=here, expires_at=tomorrow(10, minutes=30))
    with pytest.raises(NotQualified):
        bookings.create_booking(machine=laser, user=learner, start=tomorrow(10), end=tomorrow(11))


def test_renewal_ends_old_badges_and_new_ones_are_good() -> None:
    here = lab()
    taught, learner, trainer = stage.teaching(here), person(), stage.fellow(here, "manager")
    old = stage.pass_course(taught, learner, trainer)
    BadgeGrant.objects.filter(pk=old.pk).update(granted_at=timezone.now() - dt.timedelta(days=30))
    owner = taught.course.design.created_by
    assert owner is not None
    stage.push(taught.course.design, owner, {"course.toml": stage.manifest(version="2.0")})
    taught.course = courses.refresh(course=taught.course)
    content = taught.course.content
    assert content is not None and content.major > taught.major, "the desk is told of a new first number"
    asked = courses.ask_renewal(teaching=taught, by=trainer, days=30)
    taught.refresh_from_db()
    assert taught.major == 2
    assert Notice.objects.filter(person=learner, kind="labs.renewal").count() == 1
    held = {day: badges.held(learner, at=asked.until + dt.timedelta(days=day), lab=here) for day in (-1, 1)}
    assert held == {-1: {taught.badge.pk}, 1: set()}
    signed = services.sign_off(teaching=taught, user=learner, trainer=trainer, seen=[0, 1])
    new = services.confirm(sign_off=signed, by=learner)
    assert new.pk != old.pk
    assert badges.held(learner, at=asked.until + dt.timedelta(days=1), lab=here) == {taught.badge.pk}


def test_whose_badges_count() -> None:
    here, there = lab(), lab()
    badge = Badge.objects.create(slug="saw", name="Saw")
    saw, maker, now = machine(here, required_badges=[badge]), person(), timezone.now()
    giving.give(badge=badge, user=maker, given_in=there)
    assert badges.missing(machine=saw, user=maker, at=now) == [badge]
    rule = trust.add_rule(lab=here, giver=there, badge=badge)
    assert badges.missing(machine=saw, user=maker, at=now) == []
    assert badges.may_use([saw], maker, at=now) == {saw.pk}
    trust.remove_rule(rule=rule)
    trust.set_scope(lab=here, scope="all")
    assert badges.missing(machine=saw, user=maker, at=now) == []
    trust.set_scope(lab=here, scope="own")
    assert badges.missing(machine=saw, user=maker, at=now) == [badge]
    giving.give(badge=badge, user=maker, given_in=None)
    assert badges.missing(machine=saw, user=maker, at=now) == [], "the site itself is believed"


def test_what_one_may_use_is_asked_in_few_questions(django_assert_max_num_queries: Any) -> None:
    here = lab()
    badge = Badge.objects.create(slug="saw", name="Saw", lab=here)
    maker = person()
    giving.give(badge=badge, user=maker, given_in=here)
    for _number in range(12):
        machine(here, required_badges=[badge])
    from labs.queries import catalogue

    machines = list(catalogue.machines(here))
    with django_assert_max_num_queries(4):
        assert len(badges.may_use(machines, maker, at=timezone.now())) == 12


@pytest.mark.parametrize(
    "facts",
    [
        {},
        {"issuer_did": "did:key:z6Mk", "giver": True},
        {"issuer_did": "https://evil.example", "badge": True},
        {"issuer_did": "did:key:z6Mk"},
        {"giver": "self"},
    ],
)
def test_rules_that_cannot_be(facts: dict[str, Any]) -> None:
    here, there = lab(), lab()
    badge = Badge.objects.create(slug="saw", name="Saw")
    real = {**facts}
    if "giver" in real:
        real["giver"] = here if real["giver"] == "self" else there
    if "badge" in real:
        real["badge"] = badge
    with pytest.raises(BadTrust):
        trust.add_rule(lab=here, **real)


# --- sessions ----------------------------------------------------------------------------------------------------


def session(**more: Any) -> Any:
    taught = more.pop("teaching", None) or stage.teaching(lab())
    facts = {"starts_at": tomorrow(9), "ends_at": tomorrow(12), "places": 2, "trainer": stage.fellow(taught.lab)}
    return sessions.plan(teaching=taught, **{**facts, **more})


def test_places_and_the_line() -> None:
    held, people = session(), [person() for _number in range(5)]
    states = [sessions.join(session=held, user=user).state for user in people]
    assert states == ["taken", "taken", "waiting", "waiting", "waiting"]
    assert sessions.join(session=held, user=people[2]).state == "waiting", "asking again loses no place in the line"
    sessions.leave(session=held, user=people[3])
    sessions.leave(session=held, user=people[0])
    assert state(held, people) == ["left", "taken", "taken", "left", "waiting"]
    assert Notice.objects.filter(person=people[2], kind="labs.session").count() == 1
    assert sessions.join(session=held, user=people[0]).state == "waiting", "who comes back stands at the end"
    sessions.change_places(session=held, places=4)
    assert state(held, people) == ["taken", "taken", "taken", "left", "taken"]
    found = learning.find_session(held.pk)
    assert (found.taken, found.waiting) == (4, 0)


def state(held: Any, people: list[Any]) -> list[str]:
    states = dict(Seat.objects.filter(session=held).values_list("user_id", "state"))
    return [states[user.pk] for user in people]


def test_a_session_that_is_over() -> None:
    held, user, trainer = session(), person(), person()
    sessions.join(session=held, user=user)
    with pytest.raises(SessionOver):
        sessions.mark(session=held, came={user.pk})
    begun = held.starts_at + NOW_SOON
    with pytest.raises(SessionOver):
        sessions.join(session=held, user=person(), now=begun)
    absent = person()
    sessions.join(session=held, user=absent)
    assert sessions.mark(session=held, came={user.pk, trainer.pk}, now=begun) == 1
    assert state(held, [user, absent]) == ["came", "missed"]


def test_a_session_is_called_off_and_all_are_told() -> None:
    held, people = session(places=1), [person(), person()]
    for user in people:
        sessions.join(session=held, user=user)
    sessions.cancel(session=held, by=None, reason="The trainer is ill.")
    assert Notice.objects.filter(kind="labs.session", text__contains="ill").count() == 2
    with pytest.raises(SessionOver):
        sessions.join(session=held, user=person())
    assert not learning.coming(lab=held.teaching.lab).exists()


def test_people_are_reminded_once() -> None:
    held, user = session(), person()
    sessions.join(session=held, user=user)
    assert sessions.remind(now=held.starts_at - dt.timedelta(hours=30)) == 0
    assert sessions.remind(now=held.starts_at - dt.timedelta(hours=20)) == 1
    assert sessions.remind(now=held.starts_at - dt.timedelta(hours=19)) == 0
    assert Notice.objects.filter(person=user, kind="labs.session").count() == 1


@pytest.mark.parametrize(
    "wrong",
    [
        {"ends_at": tomorrow(8)},
        {"starts_at": tomorrow(9, days=-3)},
        {"ends_at": tomorrow(9, days=9)},
        {"starts_at": tomorrow(9, days=900), "ends_at": tomorrow(10, days=900)},
        {"places": 0},
        {"places": 501},
    ],
)
def test_sessions_that_cannot_be(wrong: dict[str, Any]) -> None:
    with pytest.raises(BadSession):
        session(**wrong)


def test_only_trainers_hold_sessions() -> None:
    with pytest.raises(BadSession):
        session(trainer=person())


@pytest.mark.django_db(transaction=True)
def test_thirty_ask_at_once_for_six_places() -> None:
    held, people = session(places=6), [person() for _number in range(30)]
    gate, faults = threading.Barrier(10), []

    def ask(mine: list[Any]) -> None:
        try:
            gate.wait()
            for user in mine:
                sessions.join(session=held, user=user)
        except Exception as fault:  # told below
            faults.append(fault)
        finally:
            connection.close()

    threads = [threading.Thread(target=ask, args=(people[n::10],)) for n in range(10)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert faults == []
    found = learning.find_session(held.pk)
    assert (found.taken, found.waiting) == (6, 24)


# --- credentials -------------------------------------------------------------------------------------------------


def signed_badge(email: str = "") -> tuple[Credential, Any]:
    here, learner = lab(), person()
    if email:
        confirm_email(learner, email)
    badge = Badge.objects.create(slug=f"laser-{here.slug}", name="Laser", about="May cut.", lab=here, kind="safety")
    giving.give(badge=badge, user=learner, given_in=here)
    stage.work_off("labs.sign_badge")
    return Credential.objects.select_related("grant__badge", "list__key__lab").get(grant__user=learner), learner


def confirm_email(user: Any, email: str) -> None:
    from allauth.account.models import EmailAddress

    EmailAddress.objects.create(user=user, email=email, verified=True, primary=True)


def own(url: str) -> bytes:
    """What this site serves at an address, by its own views."""
    from django.conf import settings
    from django.test import Client

    answer = Client().get(url.removeprefix(settings.PUBLIC_URL))
    if answer.status_code != 200:
        raise OSError(f"{url}: {answer.status_code}")
    return bytes(answer.content)


def judged(document: Any) -> verifying.Verdict:
    return verifying.verify(json.dumps(document), fetch=own, now=timezone.now())


def test_a_badge_of_a_lab_becomes_a_credential_and_is_taken_back() -> None:
    credential, learner = signed_badge("aino@city.example")
    verdict = judged(credential.document)
    assert verdict.good, verdict.why
    assert (verdict.issuer, verdict.person) == (credential.list.key.did, str(learner))
    assert verifying.names_person(verdict, ["aino@city.example"])
    giving.take_back(grant=credential.grant)
    assert judged(credential.document).good, "the list that is served is the one that was signed"
    stage.work_off("labs.sign_lists")
    after = judged(credential.document)
    assert (after.signature, after.status) == ("good", "bad")
    assert not badges.held(learner, at=timezone.now())


def test_what_was_taken_back_stays_so_when_its_person_goes() -> None:
    credential, learner = signed_badge()
    document, listed = credential.document, credential.list
    giving.take_back(grant=credential.grant)
    learner.delete()
    stage.work_off("labs.sign_lists")
    credentials.start_lists()
    stage.work_off("labs.sign_lists")
    assert not Credential.objects.filter(list=listed).exists()
    assert judged(document).status == "bad"


def test_a_neighbour_on_the_list_stays_good() -> None:
    first, _learner = signed_badge()
    here, other = first.list.key.lab, person()
    giving.give(badge=first.grant.badge, user=other, given_in=here)
    stage.work_off("labs.sign_badge")
    second = Credential.objects.get(grant__user=other)
    assert second.list_id == first.list_id
    giving.take_back(grant=first.grant)
    stage.work_off("labs.sign_lists")
    assert judged(second.document).good


def test_what_an_old_key_signed_stays_good_and_can_be_taken_back() -> None:
    credential, _learner = signed_badge()
    here = credential.list.key.lab
    new = credentials.renew_key(lab=here)
    assert credentials.issuer_key(lab=here) == new != credential.list.key
    assert judged(credential.document).good
    giving.take_back(grant=credential.grant)
    stage.work_off("labs.sign_lists")
    assert judged(credential.document).status == "bad"
    document = json.loads(own(f"/labs/{here.slug}/did.json"))
    assert {m["publicKeyMultibase"] for m in document["verificationMethod"]} == {
        new.multikey,
        credential.list.key.multikey,
    }


def test_keys_lie_sealed() -> None:
    credential, _learner = signed_badge()
    key = IssuerKey.objects.get(pk=credential.list.key_id)
    assert "PRIVATE" not in key.sealed
    assert credentials.pem_of(key).startswith(b"-----BEGIN PRIVATE KEY-----")


def test_lists_are_signed_again_before_they_run_out() -> None:
    credential, _learner = signed_badge()
    listed, now = credential.list, timezone.now()
    assert credentials.lists_due(now) == []
    assert credentials.lists_due(now + dt.timedelta(days=5)) == [listed]
    StatusList.objects.filter(pk=listed.pk).update(until=now - NOW_SOON)
    credentials.start_lists()
    stage.work_off("labs.sign_lists")
    listed.refresh_from_db()
    assert listed.until is not None and listed.until > now + dt.timedelta(days=6)


def foreign(email: str, **more: Any) -> dict[str, Any]:
    """A badge of a lab of another site, whose status list nobody asks for."""
    from labs.credentials import keys, signing
    from labs.credentials.documents import Issued, did_key

    key = more.pop("key", None) or keys.new_key()
    multikey, now = keys.multikey_of(key), timezone.now()
    facts: dict[str, Any] = {
        "id": "urn:uuid:6b2f7a52-6f0e-4c4e-9a1e-2f3b1c9d7e55",
        "issuer_did": did_key(multikey),
        "issuer_name": "Lab elsewhere",
        "issuer_url": "https://else.example/",
        "person_id": "https://else.example/people/aino/",
        "person_name": "Aino",
        "person_email": email,
        "achievement_id": "https://else.example/badges/laser/",
        "name": "Laser",
        "about": "May cut.",
        "criteria": "Seen done.",
        "kind": "safety",
        "given_at": now - dt.timedelta(days=1),
        "expires_at": now + dt.timedelta(days=90),
        "list_url": "",
        "list_index": 0,
    }
    return signing.sign_badge(Issued(**{**facts, **more}), pem=keys.pem_of(key), multikey=multikey)


def bring(user: Any, document: dict[str, Any]) -> Run:
    run = trust.start_bringing(user=user, document=json.dumps(document))
    stage.work_off("labs.bring_badge")
    run.refresh_from_db()
    return run


def test_a_badge_from_elsewhere_counts_where_a_rule_names_its_issuer() -> None:
    here, other, learner, now = lab(), lab(), person(), timezone.now()
    confirm_email(learner, "aino@city.example")
    badge = Badge.objects.create(slug="laser", name="Laser")
    laser, elsewhere = machine(here, required_badges=[badge]), machine(other, required_badges=[badge])
    document = foreign("aino@city.example")
    assert bring(learner, document).status == "done"
    assert badges.missing(machine=laser, user=learner, at=now) == [badge]
    trust.add_rule(lab=here, issuer_did=document["issuer"]["id"], badge=badge)
    now = timezone.now()
    assert badges.missing(machine=laser, user=learner, at=now) == []
    assert badges.missing(machine=elsewhere, user=learner, at=now) == [badge], "only where the lab says so"
    assert badges.missing(machine=laser, user=learner, at=now + dt.timedelta(days=91)) == [badge]
    kept = OutsideBadge.objects.get(user=learner)
    trust.recheck(brought=kept, verdict={**kept.verdict, "status": "bad"})
    assert badges.missing(machine=laser, user=learner, at=timezone.now()) == [badge]


def test_a_badge_of_somebody_else_is_not_accepted() -> None:
    thief = person()
    confirm_email(thief, "mallory@city.example")
    run = bring(thief, foreign("aino@city.example"))
    assert (run.status, run.error_code) == ("failed", BadCredential.code)
    assert not OutsideBadge.objects.exists()


def test_an_address_that_was_not_confirmed_proves_nothing() -> None:
    thief = person()
    thief.email = "aino@city.example"
    thief.save()
    assert bring(thief, foreign("aino@city.example")).status == "failed"


def test_a_tampered_badge_from_elsewhere_is_not_accepted() -> None:
    learner = person()
    confirm_email(learner, "aino@city.example")
    document = foreign("aino@city.example")
    document["credentialSubject"]["achievement"]["name"] = "Everything"
    assert bring(learner, document).status == "failed"
    with pytest.raises(CityError):
        trust.start_bringing(user=learner, document="[]")
