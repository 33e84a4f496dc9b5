"""The pages of learning: who gets in, what they show, and the whole way to a badge through forms alone."""

import datetime as dt
import html
import json
import re
from dataclasses import dataclass
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from commons.people.models import User
from commons.people.services import set_role
from commons.runs.models import Run
from designs.models import Design
from labs.models import Credential, Lab, Renewal, Seat, SignOff, Teaching, TrustRule
from labs.queries import badges
from labs.services import badges as giving
from labs.services import courses, credentials, sessions
from labs.services import learning as services
from tests.labs import learning_stage as stage
from tests.labs.conftest import lab, machine, person, tomorrow
from tests.labs.test_learning import confirm_email, foreign

pytestmark = pytest.mark.django_db


@dataclass
class Stage:
    """A lab that teaches a course, with a session, a sign-off and a badge that is shown."""

    here: Lab
    taught: Teaching
    session: Any
    learner: User
    trainer: User
    manager: User
    signed: SignOff
    credential: Credential

    @property
    def design(self) -> Design:
        return self.taught.course.design

    def client(self, who: User | None) -> Client:
        client = Client()
        if who is not None:
            client.force_login(who)
        return client


@pytest.fixture
def city() -> Stage:
    here = lab()
    taught = stage.teaching(here)
    learner, trainer, manager = person(), stage.fellow(here), stage.fellow(here, "manager")
    giving.give(badge=taught.badge, user=trainer, given_in=here)
    stage.work_off("labs.sign_badge")
    stage.learn(taught.course, learner)
    signed = services.sign_off(teaching=taught, user=learner, trainer=trainer, seen=[0, 1])
    held = sessions.plan(teaching=taught, starts_at=tomorrow(9), ends_at=tomorrow(12), places=1, trainer=trainer)
    credential = credentials.share(credential=Credential.objects.get(grant__user=trainer))
    return Stage(here, taught, held, learner, trainer, manager, signed, credential)


def addresses(city: Stage) -> dict[str, str]:
    name, slug = city.design.owner.name, city.design.slug
    return {
        "courses": reverse("rooms:courses"),
        "course": reverse("rooms:course", args=[name, slug]),
        "lesson": reverse("rooms:lesson", args=[name, slug, "before"]),
        "lab_courses": reverse("rooms:lab_courses", args=[city.here.slug]),
        "teaching": reverse("rooms:teaching", args=[city.here.slug, city.taught.pk]),
        "sign": reverse("rooms:sign", args=[city.here.slug, city.taught.pk, city.learner.username]),
        "session": reverse("rooms:course_session", args=[city.here.slug, city.session.pk]),
        "badge": reverse("rooms:lab_badge", args=[city.here.slug, city.taught.badge.slug]),
        "trust": reverse("rooms:lab_trust", args=[city.here.slug]),
        "sign_off": reverse("rooms:sign_off", args=[city.signed.pk]),
        "my_badges": reverse("rooms:my_badges"),
        "badge_file": reverse("rooms:badge_file", args=[city.credential.pk]),
        "shared": reverse("rooms:shared_badge", args=[city.credential.share]),
        "shared_file": reverse("rooms:shared_badge_file", args=[city.credential.share]),
        "verify": reverse("rooms:verify"),
        "did": reverse("lab-did", args=[city.here.slug]),
        "status": reverse("status-list", args=[city.here.slug, city.credential.list.key_id, 1]),
    }


#: What a GET answers to a stranger, a person, the learner, the trainer and a manager.
ROLES = ("stranger", "person", "learner", "trainer", "manager")
TABLE = {
    "courses": (200, 200, 200, 200, 200),
    "course": (200, 200, 200, 200, 200),
    "lesson": (200, 200, 200, 200, 200),
    "lab_courses": (200, 200, 200, 200, 200),
    "teaching": (302, 404, 404, 200, 200),
    "sign": (302, 404, 404, 200, 200),
    "session": (200, 200, 200, 200, 200),
    "badge": (200, 200, 200, 200, 200),
    "trust": (200, 200, 200, 200, 200),
    "sign_off": (302, 404, 200, 200, 404),
    "my_badges": (302, 200, 200, 200, 200),
    "badge_file": (302, 404, 404, 200, 404),
    "shared": (200, 200, 200, 200, 200),
    "shared_file": (200, 200, 200, 200, 200),
    "verify": (200, 200, 200, 200, 200),
    "did": (200, 200, 200, 200, 200),
    "status": (200, 200, 200, 200, 200),
}


def test_who_gets_in(city: Stage) -> None:
    """Every page x every role, public and then private; what one may not see is as if it were not there."""
    found: dict[str, tuple[int, ...]] = {}
    people = [None, person(), city.learner, city.trainer, city.manager]
    clients = [city.client(who) for who in people]
    for name, address in addresses(city).items():
        found[name] = tuple(client.get(address).status_code for client in clients)
    assert found == TABLE
    Design.objects.filter(pk=city.design.pk).update(visibility="private")
    for name in ("course", "lesson", "session"):
        answers = [client.get(addresses(city)[name]).status_code for client in clients]
        assert answers == [404, 404, 404, 404, 404], name
    for name in ("courses", "lab_courses"):
        assert city.design.slug not in clients[1].get(addresses(city)[name]).content.decode(), name


#: Forms that change something: address, fields, and who may send them (others: sign in, or no such page).
FORMS = {
    "teach": ("lab_courses", {"design": "x/y"}, {"manager"}),
    "renew": ("teaching", {"do": "renew", "days": "9"}, {"manager"}),
    "stop": ("teaching", {"do": "stop"}, {"manager"}),
    "mark": ("session", {"do": "mark"}, {"trainer", "manager"}),
    "cancel": ("session", {"do": "cancel", "reason": "x"}, {"trainer", "manager"}),
    "scope": ("trust", {"do": "scope", "scope": "all"}, {"manager"}),
    "key": ("trust", {"do": "key"}, {"manager"}),
    "confirm": ("sign_off", {"do": "confirm"}, {"learner"}),
}


@pytest.mark.parametrize("form", FORMS)
def test_who_changes_what(city: Stage, form: str) -> None:
    page, fields, may = FORMS[form]
    people = dict(zip(ROLES, [None, person(), city.learner, city.trainer, city.manager], strict=True))
    before = _state(city)
    for role, who in people.items():
        if role in may:
            continue
        answer = city.client(who).post(addresses(city)[page], fields)
        assert answer.status_code in {302, 403, 404, 409, 200}, role
        assert _state(city) == before, f"{role} changed something by {form}"


def _state(city: Stage) -> tuple[Any, ...]:
    city.session.refresh_from_db()
    return (
        Teaching.objects.filter(ended_at=None).count(),
        Renewal.objects.count(),
        city.session.cancelled_at,
        list(Seat.objects.values_list("state", flat=True)),
        getattr(Lab.objects.get(pk=city.here.pk), "trust_policy", None) is None,
        city.here.issuer_keys.count(),
        SignOff.objects.exclude(confirmed_at=None).count(),
    )


def test_a_person_comes_to_the_badge_through_forms_alone(city: Stage) -> None:
    """Without a script: read, answer wrongly and rightly, take a place, be signed off, confirm, download, share."""
    new = person()
    client, trainer = city.client(new), city.client(city.trainer)
    at = addresses(city)
    page = client.get(at["lesson"]).content.decode()
    assert page.count("<fieldset") == 4
    assert "Never cut <strong>PVC</strong>" in page
    content = city.taught.course.content
    assert content is not None
    wrong = {f"c-{content.lessons[0].checks[0].key}": "0", f"c-{content.lessons[0].checks[3].key}": ["A1", "C3"]}
    answer = client.post(at["lesson"], wrong).content.decode()
    assert "Read the lesson again" in answer
    assert "0 of 1 dangers found" in answer
    right = stage.right_answers(city.taught.course)
    assert client.post(at["lesson"], right).status_code == 302
    assert "Air feeds the fire" in client.get(at["lesson"]).content.decode()
    after = reverse("rooms:lesson", args=[city.design.owner.name, city.design.slug, "after"])
    client.post(after, {"read": "1"})
    assert "5 of 5 passed" in client.get(at["course"]).content.decode()
    client.post(at["session"], {"do": "join"})
    assert Seat.objects.get(user=new).state == "taken"
    assert new.username in trainer.get(at["teaching"]).content.decode()
    sign = reverse("rooms:sign", args=[city.here.slug, city.taught.pk, new.username])
    assert "Finds the emergency stop" in trainer.get(sign).content.decode()
    assert trainer.post(sign, {"seen": ["0"]}).status_code == 422
    assert trainer.post(sign, {"seen": ["0", "1"]}).status_code == 302
    signed = SignOff.objects.get(user=new)
    assert client.post(reverse("rooms:sign_off", args=[signed.pk]), {"do": "confirm"}).status_code == 302
    assert badges.held(new, at=timezone.now(), lab=city.here) == {city.taught.badge_id}
    assert "being signed" in client.get(at["my_badges"]).content.decode()
    stage.work_off("labs.sign_badge")
    credential = Credential.objects.get(grant__user=new)
    file = client.get(reverse("rooms:badge_file", args=[credential.pk]))
    assert json.loads(file.content)["proof"]["cryptosuite"] == "eddsa-rdfc-2022"
    client.post(reverse("rooms:share_badge", args=[credential.pk]))
    credential.refresh_from_db()
    shown = reverse("rooms:shared_badge", args=[credential.share])
    assert "This badge is good" in Client().get(shown).content.decode()
    client.post(reverse("rooms:share_badge", args=[credential.pk]), {"do": "unshare"})
    assert Client().get(shown).status_code == 404


def test_the_booking_page_says_what_is_missing_and_when(city: Stage) -> None:
    laser = machine(city.here, cls="laser-cutter", required_badges=[city.taught.badge])
    new = person()
    for page in ("rooms:book", "rooms:machine"):
        shown = city.client(new).get(reverse(page, args=[city.here.slug, laser.slug])).content.decode()
        assert "You need the badge “Laser safety”." in shown, page
        assert addresses(city)["course"] in shown
        assert addresses(city)["session"] in shown
        assert "1 place free" in shown
    shown = city.client(city.trainer).get(reverse("rooms:book", args=[city.here.slug, laser.slug])).content.decode()
    assert "You need the badge" not in shown


def verified(document: str | bytes) -> str:
    """What the page of checks says of a document."""
    client = Client()
    text = document.decode() if isinstance(document, bytes) else document
    answer = client.post(reverse("rooms:verify"), {"document": text})
    assert answer.status_code == 302
    assert "being checked" in client.get(answer["Location"]).content.decode()
    stage.work_off("labs.verify_badge")
    return html.unescape(re.sub(r"\s+", " ", client.get(answer["Location"]).content.decode()))


def test_anybody_has_a_badge_checked(city: Stage) -> None:
    document = json.dumps(city.credential.document)
    found = verified(document)
    assert "This badge is good" in found
    assert city.here.name in found and "A lab of this site" in found
    tampered = verified(document.replace("Laser safety", "Laser mastery"))
    assert "This badge is not good" in tampered and "Laser mastery" not in tampered
    giving.take_back(grant=city.credential.grant)
    stage.work_off("labs.sign_lists")
    taken = verified(document)
    assert "This badge is not good" in taken and "Its issuer has taken it back" in taken


def test_a_strange_badge_is_said_to_be_strange(city: Stage) -> None:
    document = foreign("aino@city.example")
    found = verified(json.dumps(document))
    assert "we do not know it" in found
    assert "No lab here believes this issuer" in found
    client = city.client(city.manager)
    rule = {"do": "rule", "issuer_did": document["issuer"]["id"], "issuer_name": "Elsewhere", "believes": "1"}
    assert client.post(addresses(city)["trust"], rule).status_code == 422, "it must count as something"
    assert client.post(addresses(city)["trust"], {**rule, "badge": city.taught.badge_id}).status_code == 302
    assert TrustRule.objects.get().by == city.manager
    assert "Labs here that believe it" in verified(json.dumps(document))


@pytest.mark.parametrize("rubbish", ["", "no json", "[]", "{" * 5000, '{"proof": 1}', "\x00"])
def test_rubbish_is_no_fault(rubbish: str) -> None:
    answer = Client().post(reverse("rooms:verify"), {"document": rubbish})
    assert answer.status_code in {302, 400, 422}


def test_a_file_that_is_too_long_is_refused() -> None:
    from django.core.files.uploadedfile import SimpleUploadedFile

    upload = SimpleUploadedFile("b.json", b"{" + b" " * 200_000 + b"}")
    assert Client().post(reverse("rooms:verify"), {"file": upload}).status_code == 422


def test_checks_are_slowed_down(settings: Any) -> None:
    settings.CACHES = {"default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache", "LOCATION": "verify"}}
    client, document = Client(), json.dumps({"a": 1})
    codes = [client.post(reverse("rooms:verify"), {"document": document}).status_code for _try in range(21)]
    assert codes == [302] * 20 + [429]


def test_a_badge_is_brought_by_its_page(city: Stage) -> None:
    from django.core.files.uploadedfile import SimpleUploadedFile

    confirm_email(city.learner, "aino@city.example")
    document = json.dumps(foreign("aino@city.example")).encode()
    client = city.client(city.learner)
    answer = client.post(reverse("rooms:my_badges"), {"file": SimpleUploadedFile("badge.json", document)})
    assert answer.status_code == 302
    assert client.get(answer["Location"]).status_code == 200
    stage.work_off("labs.bring_badge")
    assert "No lab takes it yet" in client.get(reverse("rooms:my_badges")).content.decode()


def test_a_manager_teaches_announces_and_asks_for_renewal(city: Stage) -> None:
    other = stage.course_design(
        city.manager, stage.files(title="CNC", badge="cnc", kind="competency"), name="cnc course"
    )
    client, at = city.client(city.manager), addresses(city)
    bad = stage.course_design(city.manager, {"course.toml": b"title = 3\n", "README.md": b"x"}, name="no course")
    page = client.post(at["lab_courses"], {"design": f"{bad.owner.name}/{bad.slug}"})
    assert page.status_code == 422
    assert "course.toml" in page.content.decode()
    assert client.post(at["lab_courses"], {"design": f"{other.owner.name}/{other.slug}"}).status_code == 302
    assert Teaching.objects.filter(lab=city.here, course__title="CNC").exists()
    day = f"{tomorrow(9, days=3):%Y-%m-%d}"
    form = {"do": "session", "day": day, "begins": "18:00", "ends": "20:00", "places": "4", "trainer": city.trainer.pk}
    assert client.post(at["teaching"], form).status_code == 302
    assert client.post(at["teaching"], {**form, "ends": "17:00"}).status_code == 422
    assert client.post(at["teaching"], {"do": "renew", "days": "x"}).status_code == 422
    owner = city.design.created_by
    assert owner is not None
    stage.push(city.design, owner, {"course.toml": stage.manifest(version="2.0")})
    courses.refresh(course=city.taught.course)
    assert "new first number" in client.get(at["teaching"]).content.decode()
    assert client.post(at["teaching"], {"do": "renew", "days": "30", "reason": "New laser"}).status_code == 302
    assert Renewal.objects.get().by == city.manager
    assert "new first number" not in client.get(at["teaching"]).content.decode()


def test_a_session_is_by_the_clock_of_the_lab(city: Stage, kamppi: Any) -> None:
    Lab.objects.filter(pk=city.here.pk).update(place=kamppi)
    day = tomorrow(9, days=3).date()
    form = {"do": "session", "day": f"{day}", "begins": "18:00", "ends": "20:00", "places": "4"}
    city.client(city.manager).post(addresses(city)["teaching"], {**form, "trainer": city.trainer.pk})
    made = city.taught.sessions.latest("made_at")
    assert made.starts_at.astimezone(made.teaching.lab.zone) == dt.datetime.combine(day, dt.time(18), kamppi_zone())
    assert (
        "18:00–20:00" in Client().get(reverse("rooms:course_session", args=[city.here.slug, made.pk])).content.decode()
    )


def kamppi_zone() -> Any:
    from zoneinfo import ZoneInfo

    return ZoneInfo("Europe/Helsinki")


def test_trainers_write_down_who_came(city: Stage) -> None:
    sessions.join(session=city.session, user=city.learner)
    type(city.session).objects.filter(pk=city.session.pk).update(starts_at=timezone.now() - dt.timedelta(hours=1))
    client = city.client(city.trainer)
    client.post(addresses(city)["session"], {"do": "mark", "came": [city.learner.pk, "x", "9" * 30]})
    assert Seat.objects.get(user=city.learner).state == "came"


def test_checks_are_forgotten(city: Stage) -> None:
    from labs.learning_tasks import every_hour

    verified(json.dumps(city.credential.document))
    Run.objects.filter(kind="labs.verify_badge").update(created_at=timezone.now() - dt.timedelta(days=2))
    every_hour()
    assert not Run.objects.filter(kind="labs.verify_badge").exists()


def test_my_things_show_what_i_learned(city: Stage) -> None:
    page = city.client(city.trainer).get(reverse("rooms:me")).content.decode()
    assert "Laser safety" in page
    set_role(organisation=city.here.organisation, user=city.learner, role="member")
    assert "No badge yet" in city.client(city.learner).get(reverse("rooms:me")).content.decode()


def test_the_api(city: Stage) -> None:
    new = person()
    client = city.client(new)
    (course,) = Client().get(reverse("api:courses")).json()["results"]
    assert (course["title"], course["labs"], course["passed"], course["of"]) == ("Laser safety", [city.here.slug], 0, 5)
    one = reverse("api:course", args=course["design"].split("/"))
    assert city.client(city.learner).get(one).json()["passed"] == 5
    (session,) = Client().get(reverse("api:lab_sessions", args=[city.here.slug])).json()["results"]
    seat = reverse("api:seat", args=[session["id"]])
    assert Client().post(seat).status_code in {401, 403}
    assert client.post(seat).json()["state"] == "taken"
    assert city.client(city.learner).post(seat).json()["state"] == "waiting"
    assert client.delete(seat).status_code == 204
    assert Seat.objects.get(user=city.learner).state == "taken"
    (held,) = city.client(city.trainer).get(reverse("api:badges")).json()["results"]
    assert held["credential"]["proof"]["type"] == "DataIntegrityProof"
    assert client.get(reverse("api:badges")).json() == {"results": []}
    asked = client.post(
        reverse("api:verify_badge"), {"credential": held["credential"]}, content_type="application/json"
    )
    assert asked.status_code == 202
    stage.work_off("labs.verify_badge")
    answer = Client().get(reverse("api:verified_badge", args=[asked.json()["id"]])).json()
    assert (answer["status"], answer["verdict"]["good"]) == ("done", True)
    Design.objects.filter(pk=city.design.pk).update(visibility="private")
    assert client.get(one).status_code == 404
    assert client.get(reverse("api:courses")).json()["results"] == []
