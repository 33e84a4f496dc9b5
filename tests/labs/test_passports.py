"""Each finished job gets a passport: it names nobody, is signed, is only added to, and speaks INTERFACER's fields."""

import copy
import datetime as dt
import json
from collections.abc import Callable
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import DatabaseError, transaction
from django.test import Client
from django.utils import timezone

from commons import sockets
from commons.people.models import User
from commons.people.services import set_role
from designs.models import Design
from labs.errors.passports import BadEntry, BadPassport, NotHolder
from labs.models import Job, Machine, Passport, PassportEntry
from labs.passports import fields, signing
from labs.queries import passports as reads
from labs.services import bookings
from labs.services import passports as services
from tests.labs.conftest import design, person
from tests.labs.test_credentials import independent
from tests.labs.test_jobs import HOUR, START, Agent

WHEN = dt.date(2026, 11, 1)


def issued(job: Job) -> Passport:
    found = services.settle(job=job)
    assert found is not None
    return found


def said(passport: Passport) -> dict[str, Any]:
    return reads.told(reads.find(passport.pk))


@pytest.fixture
def made(printer: Machine) -> tuple[Passport, User, User]:
    """A clamp that Wilhelmina booked and that was measured; the design is Designersson's."""
    author = person("designersson")
    author.name = "Dorothea Designersson"
    author.save()
    source = design(author, b"solid clamp", slug="clamp", licence="CERN-OHL-S-2.0")
    maker = person("wilhelmina")
    maker.name = "Wilhelmina Plantedname"
    maker.save()
    agent, now = Agent(printer), timezone.now()
    agent.draws(100.0, START, now + HOUR / 60)
    booking = bookings.create_booking(machine=printer, user=maker, start=now, end=now + HOUR, design=source.design)
    agent.tells(agent.says("started", now, file={"name": "wilhelminas-clamp.stl", "sha256": source.sha256}))
    agent.tells(agent.says("finished", now + HOUR / 70, material_g=41.5))
    job = Job.objects.get()
    assert job.booking_id == booking.pk
    return issued(job), maker, author


def test_a_passport_tells_design_licence_lab_mass_and_energy(made: tuple[Passport, User, User]) -> None:
    told = said(made[0])
    assert told["productOverview"]["productName"]["value"] == "Clamp"
    assert told["productOverview"]["netWeight"] == {"type": "Number", "value": 41.5, "units": "g"}
    assert told["design"]["licence"] == "CERN-OHL-S-2.0"
    assert told["design"]["open"] is True
    assert "Open Source Initiative" in told["design"]["reasons"][0]
    assert told["design"]["provenance"] == "proven"
    energy = told["environmentalImpact"]["energyConsumptionPerUnit"]
    assert energy["units"] == "kWh"
    assert energy["value"] == pytest.approx(told["energy"]["kwh"], abs=1e-6)
    assert told["energy"]["quality"] in {"integrated", "partial"}
    assert [e["kind"] for e in told["entries"]] == ["made"]


def test_no_person_is_in_the_public_part(made: tuple[Passport, User, User], client: Client, printer: Machine) -> None:
    """Planted: who booked, who wrote an entry, the file's name, the lab's own people. The designer alone is named, as
    the licence asks."""
    passport, maker, author = made
    boss = person("bosslady")
    boss.name = "Bosslady Labperson"
    boss.save()
    set_role(organisation=printer.lab.organisation, user=boss, role="owner")
    services.happened(passport=passport, kind="repaired", facts={"performedAction": "New screw"}, by=maker, today=WHEN)
    services.sign_some(most=5)
    signed = reads.signed(reads.find(passport.pk))
    assert signed is not None
    texts = [json.dumps(signed.document)]
    for path in ("", "interfacer/", "credential/"):
        answer = client.get(f"/api/v1/passports/{passport.pk}/{path}")
        assert answer.status_code == 200, path
        texts.append(answer.content.decode())
    page = client.get(f"/passports/{passport.pk}/")
    assert page.status_code == 200
    texts.append(page.content.decode())
    for text in texts:
        for planted in ("wilhelmin", "plantedname", "bosslady", "labperson", passport.code):
            assert planted not in text.casefold(), planted
    assert author.username in texts[1], "the licence asks that the designer is named"


def test_a_private_design_looks_like_nothing_anybody_knows(printer: Machine) -> None:
    owner = person("keeper")
    secret = design(owner, b"solid secret", slug="secret-part", public=False, licence="CC-BY-4.0")
    agent, now = Agent(printer), timezone.now()
    bookings.create_booking(machine=printer, user=owner, start=now, end=now + HOUR, design=secret.design)
    agent.tells(agent.says("started", now, file={"name": "secret.stl", "sha256": secret.sha256}))
    agent.tells(agent.says("finished", now + HOUR / 70))
    text = json.dumps(said(issued(Job.objects.get())))
    for planted in ("secret", "Secret", secret.sha256, secret.oid, secret.commit, "CC-BY-4.0", "keeper"):
        assert planted not in text


@pytest.mark.parametrize(
    "change", [{"visibility": "private"}, {"deleted_at": timezone.now()}, {"hidden_at": timezone.now()}, None]
)
def test_of_a_design_that_goes_only_its_licence_stays(
    made: tuple[Passport, User, User], change: dict[str, Any] | None, client: Client
) -> None:
    passport = made[0]
    services.sign_some(most=5)
    rows = Design.objects.filter(slug="clamp")
    if change is None:
        rows.delete()
    else:
        rows.update(**change)
    told = said(passport)
    assert told["design"] == {
        "licence": "CERN-OHL-S-2.0", "open": True, "reasons": told["design"]["reasons"], "withdrawn": True,
    }  # fmt: skip
    assert "Clamp" not in json.dumps(told)
    assert client.get(f"/api/v1/passports/{passport.pk}/credential/").status_code == 409, "the old one names it"
    assert services.settle_due(timezone.now())["withdrawn"] == 1
    services.sign_some(most=5)
    answer = client.get(f"/api/v1/passports/{passport.pk}/credential/")
    assert answer.status_code == 200
    assert "Clamp" not in answer.content.decode()
    assert [e["kind"] for e in said(passport)["entries"]] == ["made", "design"]


def renamed(document: dict[str, Any]) -> None:
    document["credentialSubject"]["productOverview"]["productName"]["value"] = "Vice"


def thriftier(document: dict[str, Any]) -> None:
    document["credentialSubject"]["environmentalImpact"]["energyConsumptionPerUnit"]["value"] = 0.000001


def opened(document: dict[str, Any]) -> None:
    document["credentialSubject"]["design"]["licence"] = "CC0-1.0"


def of_another(document: dict[str, Any]) -> None:
    document["credentialSubject"]["id"] = "https://city.example/passports/1/"


def more(document: dict[str, Any]) -> None:
    document["credentialSubject"]["certificates"] = {"nameOfCertificate": {"type": "Text", "value": "GS"}}


def unsigned(document: dict[str, Any]) -> None:
    document["proof"]["proofValue"] = "z" + document["proof"]["proofValue"][:0:-1]


def reworded(document: dict[str, Any]) -> None:
    document["@context"][1] = {"@vocab": "urn:elsewhere#"}


TAMPERED: tuple[Callable[[dict[str, Any]], None], ...] = (
    renamed, thriftier, opened, of_another, more, unsigned, reworded,
)  # fmt: skip


def test_an_independent_verifier_agrees_and_refuses_what_was_tampered_with(
    made: tuple[Passport, User, User], tmp_path: Path
) -> None:
    """@digitalbazaar/vc shares no line with our signer."""
    services.sign_some(most=5)
    signed = reads.signed(reads.find(made[0].pk))
    assert signed is not None
    document = json.loads(json.dumps(signed.document))
    bad = []
    for how in TAMPERED:
        forged = copy.deepcopy(document)
        how(forged)
        bad.append(forged)
        with pytest.raises(signing.Refused):
            signing.check(forged)
    assert signing.check(document).startswith("did:key:z6Mk")
    verdicts = independent([document, *bad], tmp_path)
    assert [v["verified"] for v in verdicts] == [True, *[False] * len(bad)], verdicts


@pytest.mark.parametrize(
    "rubbish", [None, [], {}, {"proof": {}}, {"@context": [], "proof": {"@id": 1}}, "x", {"a": [[1]]}]
)
def test_rubbish_is_no_passport(rubbish: Any) -> None:
    with pytest.raises(signing.Refused):
        signing.check(rubbish)


def test_entries_are_never_changed_nor_deleted(made: tuple[Passport, User, User]) -> None:
    entries = PassportEntry.objects.filter(passport=made[0])
    for act in (lambda: entries.update(facts={}), entries.delete):
        with pytest.raises(DatabaseError, match="only ever added"), transaction.atomic():
            act()
    assert entries.count() == 1


def test_an_account_may_go_and_its_entries_stay(made: tuple[Passport, User, User]) -> None:
    visitor = person("visitor")
    services.happened(
        passport=made[0], kind="repaired", facts={"performedAction": "Oiled"}, by=visitor, code=made[0].code, today=WHEN
    )
    visitor.delete()
    assert PassportEntry.objects.get(kind="repaired").by is None


def test_a_late_file_and_late_readings_are_new_entries(made: tuple[Passport, User, User]) -> None:
    passport = made[0]
    job = Job.objects.get()
    Job.objects.update(material_g=55.0, energy_kwh=None)
    job.energy_figures.model.objects.create(
        job=job, number=2, quality="measured", coverage=1, kwh=0.5, warm_kwh=0.1, making_kwh=0.4, idle_kwh=0.0,
        pm_kwh=0.01, sha256="0" * 64,
    )  # fmt: skip
    services.issue(job=job)
    told = said(passport)
    assert [e["kind"] for e in told["entries"]] == ["made", "energy", "corrected"]
    assert told["environmentalImpact"]["energyConsumptionPerUnit"]["value"] == 0.5
    assert told["productOverview"]["netWeight"]["value"] == 55
    first = PassportEntry.objects.get(number=1)
    assert first.facts["material"]["mass_g"] == 41.5


def test_who_may_add_and_what(made: tuple[Passport, User, User], printer: Machine) -> None:
    passport, maker, _author = made
    visitor, trainer = person(), person()
    set_role(organisation=printer.lab.organisation, user=trainer, role="trainer")
    facts = {"performedAction": "Glued the jaw", "reasonForRepair": "It broke", "dateOfRepair": "2026-10-30"}
    with pytest.raises(NotHolder):
        services.happened(passport=passport, kind="repaired", facts=facts, by=visitor)
    with pytest.raises(NotHolder):
        services.happened(passport=passport, kind="repaired", facts=facts, by=visitor, code="wrongcode2")
    for who, code in ((maker, ""), (trainer, ""), (visitor, passport.code)):
        services.happened(passport=passport, kind="repaired", facts=facts, by=who, code=code, today=WHEN)
    assert said(passport)["repairInformation"]["performedAction"]["value"] == "Glued the jaw"
    for bad in (
        {"performedAction": ""},
        {"performedAction": "Call me: +358 40 123 4567"},
        {"performedAction": "write to a.b@c.example"},
        {"performedAction": "by Wilhelmina Plantedname"},
        {"performedAction": "glued", "dateOfRepair": "2099-01-01"},
        {"performedAction": "glued", "dateOfRepair": "soon"},
    ):
        with pytest.raises(BadEntry):
            services.happened(passport=passport, kind="repaired", facts=bad, by=maker, today=WHEN)
    with pytest.raises(BadEntry):
        services.happened(passport=passport, kind="made", facts=facts, by=maker)
    with pytest.raises(NotHolder):
        services.correct(passport=passport, material="PETG", mass_g=None, by=maker)
    services.correct(passport=passport, material="PETG", mass_g=40.0, by=trainer)
    assert said(passport)["recyclability"]["materialComposition"]["value"] == "PETG"
    services.issue(job=Job.objects.get())
    assert said(passport)["productOverview"]["netWeight"]["value"] == 40, "the machine does not overrule a person"


def test_a_reported_entry_is_hidden_and_that_it_was_stays(made: tuple[Passport, User, User], client: Client) -> None:
    passport, maker, _author = made
    entry = services.happened(
        passport=passport, kind="repaired", facts={"performedAction": "Rudeness"}, by=maker, today=WHEN
    )
    target = sockets.report_targets.get("labs.passport_entry")
    assert target is not None
    found = target.find(str(entry.pk), maker)
    assert found is not None
    assert "Rudeness" in found.excerpt
    target.hide(str(entry.pk), "rude")
    told = said(passport)
    assert "Rudeness" not in json.dumps(told)
    assert told["entries"][1]["hidden"] is True
    assert b"Rudeness" not in client.get(f"/passports/{passport.pk}/").content
    target.unhide(str(entry.pk))
    assert "Rudeness" in json.dumps(said(passport))


def every_field() -> dict[str, Any]:
    """A document that uses each of INTERFACER's fields once."""
    found: dict[str, Any] = {
        section: {name: {"type": "Text", "value": f"{section} {name}"} for name in names}
        for section, names in fields.SECTIONS.items()
    }
    found["environmentalImpact"]["energyConsumptionPerUnit"] = {"type": "Number", "value": 0.5, "units": "kWh"}
    found["packaging"]["chemicalConsumption"] = {
        "amount": {"type": "Number", "value": 2, "units": "g"}, "ingredient": {"type": "Text", "value": "glue"},
    }  # fmt: skip
    found["components"] = [{name: {"type": "Text", "value": name} for name in fields.COMPONENT}]
    return found


def test_every_interfacer_field_goes_in_and_comes_out_the_same(printer: Machine, client: Client) -> None:
    document = every_field()
    passport = services.bring(lab=printer.lab, document=document, by=None, source="elsewhere.example")
    answer = client.get(f"/api/v1/passports/{passport.pk}/interfacer/").json()
    assert answer == document
    services.sign_some(most=5)
    signed = reads.signed(reads.find(passport.pk))
    assert signed is not None
    assert signing.check(json.loads(json.dumps(signed.document)))


def test_an_export_of_ours_holds_their_names_alone_and_can_be_read_again(made: tuple[Passport, User, User]) -> None:
    ours = fields.written(said(made[0]))
    read = fields.read(ours)
    assert (read.fields, read.left) == (ours, [])


def test_what_cannot_be_taken_is_listed_with_its_reason(printer: Machine) -> None:
    read = fields.read(
        {
            "_id": "68e4", "productOverview": {"productName": "Drill", "shoeSize": "44", "gtin": {"value": ["x"]}},
            "economicOperator": {"contactInformation": "anna@tools.example", "companyName": "Tools"},
            "components": [{"linkToDPP": "https://x.example/1"}, "loose"], "surprise": 1, "packaging": "box",
        }
    )  # fmt: skip
    assert read.fields == {
        "productOverview": {"productName": {"type": "Text", "value": "Drill"}},
        "economicOperator": {"companyName": {"type": "Text", "value": "Tools"}},
        "components": [{"linkToDPP": {"type": "Text", "value": "https://x.example/1"}}],
    }
    assert {one.path for one in read.left} == {
        "_id", "productOverview.shoeSize", "productOverview.gtin", "economicOperator.contactInformation",
        "components.1", "surprise", "packaging",
    }  # fmt: skip
    assert all(one.why for one in read.left)
    with pytest.raises(BadPassport):
        services.bring(lab=printer.lab, document={"surprise": 1}, by=None)


def test_routes_and_who_may(made: tuple[Passport, User, User], client: Client, printer: Machine) -> None:
    """Role × route: all read; the label is the holder's and the lab's; to add one needs the label or a part in it."""
    passport, maker, _author = made
    visitor, boss = person(), person()
    set_role(organisation=printer.lab.organisation, user=boss, role="owner")
    page, label = f"/passports/{passport.pk}/", f"/passports/{passport.pk}/label/"
    entry = {"kind": "repaired", "performedAction": "Glued"}
    table: dict[User | None, tuple[int, int, int, int]] = {
        None: (200, 404, 302, 302), visitor: (200, 404, 403, 302), maker: (200, 200, 302, 302),
        boss: (200, 200, 302, 302),
    }  # fmt: skip
    for who, expected in table.items():
        client.logout()
        if who is not None:
            client.force_login(who)
        held = f"{page}?held={passport.code}"
        got = (
            client.get(page).status_code, client.get(label).status_code, client.post(page, entry).status_code,
            client.post(held, entry).status_code,
        )  # fmt: skip
        assert got == expected, who
    missing = "/passports/00000000-0000-4000-8000-000000000000/"
    assert client.get(missing).status_code == client.get(f"{missing}label/").status_code == 404
    assert client.get(f"/api/v1{missing}").status_code == 404
    client.force_login(visitor)
    brought = client.post(
        f"/api/v1/labs/{printer.lab.slug}/passports/", json.dumps(every_field()), content_type="application/json"
    )
    assert brought.status_code == 403
    client.force_login(boss)
    dry = client.post(
        f"/api/v1/labs/{printer.lab.slug}/passports/?dry=1", json.dumps(every_field()), content_type="application/json"
    )
    assert (dry.status_code, dry.json()["passport"], dry.json()["left"]) == (200, None, [])
    count = Passport.objects.count()
    brought = client.post(
        f"/api/v1/labs/{printer.lab.slug}/passports/", json.dumps(every_field()), content_type="application/json"
    )
    assert (brought.status_code, Passport.objects.count()) == (201, count + 1)


def test_the_command_brings_passports_and_lists_what_is_left(printer: Machine, tmp_path: Path) -> None:
    file = tmp_path / "passports.json"
    file.write_text(json.dumps([every_field(), {"_id": "1", "productOverview": {"productName": "Drill"}}]))
    out = StringIO()
    call_command("import_passport", str(file), "--lab", printer.lab.slug, "--dry-run", "--json", stdout=out)
    told = json.loads(out.getvalue())["passports"]
    assert [one["left"] for one in told] == [[], [{"path": "_id", "why": told[1]["left"][0]["why"]}]]
    assert not Passport.objects.exists()
    asked = ["import_passport", str(file), "--lab", printer.lab.slug, "--source", "their site", "--json"]
    call_command(*asked, stdout=out)
    assert Passport.objects.count() == 2
    assert said(Passport.objects.latest("created_at"))["statedBy"] == "their site"
    with pytest.raises(CommandError):
        call_command("import_passport", str(tmp_path / "missing.json"), "--lab", printer.lab.slug)


def test_a_design_that_is_found_out_later_is_a_correction(printer: Machine) -> None:
    source = design(person(), b"solid late", slug="late")
    job = Agent(printer).made({"name": "x.gcode"}, hours=1)
    passport = issued(job)
    assert "design" not in said(passport)
    job.refresh_from_db()
    job.design, job.provenance = source.design, Job.Provenance.PROVEN
    job.design_commit, job.design_path = source.commit, "body.stl"
    job.save()
    assert services.settle_due(timezone.now())["settled"] == 1
    told = said(passport)
    assert told["productOverview"]["productName"]["value"] == "Late"
    assert [entry["kind"] for entry in told["entries"]] == ["made", "corrected"]
