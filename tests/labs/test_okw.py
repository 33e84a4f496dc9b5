"""Open Know-Where: what is read, what is said of mistakes, and that a lab comes back as it went."""

import json
from pathlib import Path
from typing import Any

import pytest
import yaml
from django.core.management import CommandError, call_command
from django.test import Client
from hypothesis import given, settings
from hypothesis import strategies as st

from commons.people.models import Membership
from commons.people.services import set_role
from labs import okw
from labs.engine import hours
from labs.models import Lab, Machine
from labs.okw import opening, vocabulary
from labs.services import okw as services
from labs.services import profile
from tests.labs.conftest import lab, machine, person

#: As a mapping initiative might write it: labels of the standard, articles, a class Location, agents with properties.
DOCUMENT = """\
name: Harbour Makerspace
facilityStatus: Active
description: Wood, metal and printers.
location:
  address: {number: "12", street: Dock Road, city: Leith, postcode: EH6 6LX, country: GB}
  gpsCoordinates: "55.9756, -3.1703"
  what3Words: tests.only.words
owner: {name: Harbour Trust, website: https://harbour.example}
contact:
  languages: [en-gb, gd]
  website: https://make.harbour.example
  contact: {email: hello@harbour.example, landline: "+44 131 000"}
affiliations:
  - {name: FabLabs.org, website: https://fablabs.example}
openingHours: Mo-Fr 10:00-18:00; Sa 10:00-14:00
accessType: Membership (access requires membership)
backupGenerator: false
equipment:
  - equipmentType: https://en.wikipedia.org/wiki/Laser_cutting
    make: Trotec
    model: Speedy 300
    powerRating: 1500 W
    bedSize: 726 x 432
    laserPower: 60
    materialsWorked: [https://en.wikipedia.org/wiki/Plywood, {materialType: Acrylic}]
  - equipmentType: https://en.wikipedia.org/wiki/3D_printing
    manufacturingProcess: https://en.wikipedia.org/wiki/Fused_filament_fabrication
    name: Prusa
    quantity: 2
    buildVolume: {x: 250, y: 210, z: 220}
    condition: In repair
"""


def test_a_document_of_a_mapping_initiative() -> None:
    reading = okw.read(DOCUMENT.encode())
    assert (reading.ok, reading.findings) == (True, ())
    (told,) = reading.facilities
    assert (told.name, told.address, told.lat, told.lon) == (
        "Harbour Makerspace", "Dock Road 12, EH6 6LX Leith, GB", 55.9756, -3.1703,
    )  # fmt: skip
    assert (told.access, told.status, told.email, told.phone) == (
        "membership", "active", "hello@harbour.example", "+44 131 000",
    )  # fmt: skip
    assert told.week == {day: [["10:00", "18:00"]] for day in hours.DAYS[:5]} | {"sat": [["10:00", "14:00"]]}
    assert told.more["backupGenerator"] is False
    laser, printer = told.equipment
    assert (laser.cls, laser.name, laser.power_w, laser.x_mm, laser.z_mm) == (
        "laser-cutter", "Trotec Speedy 300", 1500, 726, None,
    )  # fmt: skip
    assert laser.more == {"laserPower": 60}
    assert (printer.cls, printer.process, printer.quantity, printer.working) == ("3d-printer", "fff", 2, False)


@pytest.mark.parametrize(
    ("text", "level", "line", "where"),
    [
        ("name: [\n", "error", 2, ""),
        ("description: x\n", "error", 1, ""),
        ("name: A\nfacility_status: Sleeping\n", "warning", 2, "facility_status"),
        ("name: A\nopening_hours: when the cat is out\n", "warning", 2, "opening_hours"),
        ("name: A\nlocation:\n  gps_coordinates: 95, 10\n", "warning", 3, "location.gps_coordinates"),
        ("name: A\nequipment:\n- {}\n", "error", 3, "equipment.0"),
        ("name: A\nequipment:\n- name: B\n  power_rating: lots\n", "warning", 4, "equipment.0.power_rating"),
        ("name: A\nequipment:\n- name: B\n  build_volume: 12000000\n", "warning", 4, "equipment.0.build_volume"),
        ("name: A\nequipment:\n- equipment_type: Time machine\n", "warning", 3, "equipment.0"),
        ("- name: A\n- description: B\n", "error", 2, "facilities.1"),
        ("name: &a A\nabout: *a\n", "error", 1, ""),
        ('[{"name": "A"},\n {"name": ""}]', "error", 2, "facilities.1"),
    ],
)
def test_mistakes_have_their_line_and_field(text: str, level: str, line: int, where: str) -> None:
    (finding,) = okw.read(text.encode()).findings
    assert (finding.level, finding.line, finding.where) == (level, line, where), finding.sentence


@settings(deadline=None, max_examples=80)
@given(st.binary(max_size=300) | st.text(max_size=300).map(str.encode))
def test_nothing_makes_the_reader_fall(raw: bytes) -> None:
    okw.read(raw)


spans = st.sampled_from([[], [["09:00", "17:00"]], [["08:00", "12:00"], ["13:00", "24:00"]]])


@settings(deadline=None, max_examples=50)
@given(st.fixed_dictionaries(dict.fromkeys(hours.DAYS, spans)))
def test_hours_come_back_as_they_were_written(week: dict[str, Any]) -> None:
    told = {day: some for day, some in week.items() if some}
    assert opening.read(opening.write(told)) == told


def test_each_word_of_ours_has_an_article_that_reads_back() -> None:
    for cls in Machine.Kind.values:
        assert cls == "other" or vocabulary.class_of(vocabulary.class_article(cls)) == cls
    for process in Machine.Process.values:
        assert vocabulary.process_of(vocabulary.process_article(process)) == process


@pytest.mark.django_db
def test_a_lab_comes_back_as_it_went(kamppi: Any) -> None:
    there = lab("there", place=kamppi, address="Annankatu 30", lat=60.1669, lon=24.9366, opening_hours={
        "mon": [["09:00", "12:00"], ["13:00", "17:00"]], "tue": [["09:00", "17:00"]],
    })  # fmt: skip
    profile.change_lab(lab=there, about="Ours.", access="membership", languages=["fi", "en"], email="a@b.example",
                       wheelchair="Lift", website="https://x.example", directions="Second door")  # fmt: skip
    profile.add_backer(lab=there, name="City", part="funder", url="https://city.example")
    for cls in Machine.Kind.values:
        machine(there, cls.title(), cls=cls, maker="Maker", model="M1", rated_w=350, tolerance_mm=0.2,
                materials=["PLA", "vinyl", "moon dust"], about="Careful.")  # fmt: skip
    there.refresh_from_db()
    went = okw.document([services.facility_of(there)])
    for raw in (json.dumps(went).encode(), okw.as_yaml(went).encode()):
        reading = okw.read(raw)
        assert (reading.ok, reading.findings) == (True, ())
        (taken,) = services.take_over(facilities=reading.facilities, by=None, lab=lab(place=kamppi))
        came = okw.document([services.facility_of(Lab.objects.get(pk=taken.lab.pk))])
        # the classes and owner that the document cannot carry: another machine, the organisation
        assert {**came, "owner": went["owner"]} == went


@pytest.mark.django_db
def test_taking_over_twice_changes_and_makes_nothing_twice() -> None:
    reading = okw.read(DOCUMENT.encode())
    owner = person()
    (first,) = services.take_over(facilities=reading.facilities, by=owner)
    assert (first.new, first.lab.slug) == (True, "harbour-makerspace")
    assert first.made == ["Trotec Speedy 300", "Prusa 1", "Prusa 2"]
    assert Membership.objects.get(user=owner).role == "owner"
    (again,) = services.take_over(facilities=reading.facilities, by=owner)
    assert (again.made, again.changed) == ([], first.made)
    laser = Machine.objects.get(name="Trotec Speedy 300")
    assert (laser.materials, laser.okw) == (["plywood", "acrylic"], {"laserPower": 60})
    assert Machine.objects.filter(state="repair").count() == 2
    told = okw.document([services.facility_of(Lab.objects.get())])
    assert told["location"]["address"]["street"] == "Dock Road"  # as it was written, while it is still true
    assert told["location"]["what3Words"] == "tests.only.words"
    assert told["backupGenerator"] is False


@pytest.mark.django_db
def test_commands_pages_and_api(client: Client, tmp_path: Path, capsys: Any) -> None:
    file = tmp_path / "harbour.yaml"
    file.write_text(DOCUMENT)
    call_command("import_okw", str(file), "--dry-run")
    assert not Lab.objects.exists()
    call_command("import_okw", str(file), "--json")
    capsys.readouterr()
    call_command("export_okw", "harbour-makerspace", "--yaml")
    assert yaml.safe_load(capsys.readouterr().out)["name"] == "Harbour Makerspace"
    file.write_text("description: nameless\n")
    with pytest.raises(CommandError, match="mend"):
        call_command("import_okw", str(file))
    told = client.get("/api/v1/labs/harbour-makerspace/okw.json").json()
    assert told["okw_version"] == "1.0"
    assert [one["name"] for one in client.get("/api/v1/labs/okw.json").json()["facilities"]] == ["Harbour Makerspace"]
    manager = person()
    where = Lab.objects.get()
    set_role(organisation=where.organisation, user=manager, role="manager")
    client.force_login(manager)
    body = DOCUMENT.replace("Speedy 300", "Speedy 400")
    looked = client.post("/labs/harbour-makerspace/okw/", {"do": "look", "text": body}).content.decode()
    assert "Trotec Speedy 400" in looked
    assert not Machine.objects.filter(name__contains="400").exists()
    assert client.post("/labs/harbour-makerspace/okw/", {"do": "take", "text": body}).status_code == 302
    assert Machine.objects.filter(name__contains="400").count() == 1
