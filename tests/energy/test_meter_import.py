"""Files read in by households and stewards, devices of the city as meters, and data for the engines made of both."""

import datetime as dt
import json
import math
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.management import CommandError, call_command
from django.test import Client
from django.utils import timezone

from commons.devices import channels
from commons.devices.models import Device, Rollup
from commons.people.models import User
from commons.people.services import create_token
from commons.places.models import Place
from energy import errors, series
from energy.models import Community, MeterDay, MeterFile, MeterPoint, Participant, UtilityMapping
from energy.queries import measured
from energy.services import device_days, founding, meter_files, meters, participants
from energy.services import measured as versions

from .test_members import person
from .test_meter_files import AUTUMN, NOON, german, green_button

pytestmark = pytest.mark.django_db
JUNE = dt.date(2026, 6, 1)


@pytest.fixture(autouse=True)
def in_december(monkeypatch: pytest.MonkeyPatch) -> None:
    now = dt.datetime(2026, 12, 1, 10, tzinfo=dt.UTC)
    monkeypatch.setattr(timezone, "now", lambda: now)


@pytest.fixture
def steward(db: None) -> User:
    return person("stella")


@pytest.fixture
def street(steward: User, kamppi: Place) -> Community:
    assert kamppi.parent is not None
    Place.objects.filter(pk=kamppi.pk).update(timezone="Europe/Berlin")
    return founding.found_community(by=steward, name="Our street", place=Place.objects.get(pk=kamppi.pk))


def home(street: Community, steward: User, name: str, number: str, proved: bool = True) -> MeterPoint:
    """A home of a person, with a meter."""
    _i, code = participants.invite(community=street, by=steward)
    mine = participants.join(code=code, by=person(name), name=name.title(), joined_on=dt.date(2026, 1, 1))
    assert mine.person is not None
    meter = meters.add_meter(participant=mine, by=mine.person, number=number)
    return meters.vouch(meter=meter, by=steward) if proved else meter


@pytest.fixture
def aino(street: Community, steward: User) -> MeterPoint:
    return home(street, steward, "aino", "DE0001")


def owner(meter: MeterPoint) -> User:
    assert meter.participant.person is not None
    return meter.participant.person


def profile(day: dt.date, kwh: float = 0.25, skip: "tuple[int, ...]" = ()) -> str:
    """Quarters of a local day with an offset."""
    clock = measured.ZoneInfo("Europe/Berlin")
    start = measured.midnight(day, clock)
    rows = [
        f"{(start + dt.timedelta(minutes=15 * i)).astimezone(clock).isoformat()};{kwh:.3f}".replace(".", ",")
        for i in range(measured.steps_in(day, clock, 15))
        if i not in skip
    ]
    return "Zeit;Wert kWh\n" + "\n".join(rows) + "\n"


MAPPING = {"time": 0, "values": [{"column": 1}], "decimal": ","}


def bring(aino: MeterPoint, text: str, **more: object) -> MeterFile:
    rest = {"by": owner(aino), "participant": aino.participant, "mapping": MAPPING} | more
    return meter_files.bring(community=aino.participant.community, name="june.csv", data=text.encode(), **rest)


def test_the_same_file_twice_changes_nothing_and_a_corrected_one_is_a_revision(aino: MeterPoint) -> None:
    assert bring(aino, profile(JUNE)).report["days"]["new"] == 1
    again = bring(aino, profile(JUNE))
    assert again.report["days"] == {"new": 0, "revised": 0, "same": 1, "outside": 0, "poorer": 0}
    assert MeterDay.objects.count() == 1
    assert bring(aino, profile(JUNE, 0.5, skip=(0, 1))).report["days"]["revised"] == 1
    rows = list(MeterDay.objects.order_by("revision"))
    assert [(r.revision, r.current, r.missing) for r in rows] == [(1, False, 0), (2, True, 0)]
    values = series.unpack(rows[1].packed)
    assert list(values) == [0.25] * 2 + [0.5] * 94  # a gap takes nothing away
    assert MeterFile.objects.filter(packed=b"").count() == 3


def test_nothing_is_half_imported(aino: MeterPoint) -> None:
    lines = profile(JUNE).splitlines()
    lines[40] = lines[40].replace("0,250", "many")
    with pytest.raises(errors.BadMeterFile) as refused:
        bring(aino, "\n".join(lines))
    assert refused.value.data["lines"][0]["line"] == 41
    assert "not a number" in str(refused.value.sentence)
    assert not MeterDay.objects.exists()
    assert not MeterFile.objects.exists()


def test_a_gap_stays_a_gap(aino: MeterPoint) -> None:
    kept = bring(aino, profile(JUNE, skip=tuple(range(10, 20))))
    assert kept.report["missing_steps"] == 10
    row = MeterDay.objects.get()
    assert row.missing == 10
    assert row.kwh == pytest.approx(86 / 4)
    assert all(math.isnan(v) for v in series.unpack(row.packed)[10:20])


def test_the_day_of_twenty_five_hours(aino: MeterPoint) -> None:
    text, starts = german(AUTUMN, by_clock=True)
    mapping = meter_files.guess(text.encode())
    bring(aino, text, mapping=mapping)
    row = MeterDay.objects.get()
    assert (row.day, row.missing) == (AUTUMN, 0)
    assert list(series.unpack(row.packed)) == pytest.approx([k / 1000 for k in range(len(starts))])
    assert len(starts) == 100


def test_a_mapping_is_remembered_for_its_utility(aino: MeterPoint) -> None:
    with pytest.raises(errors.BadMeterFile, match="not known here"):
        bring(aino, profile(JUNE), mapping=None)
    bring(aino, profile(JUNE), utility="Stadtwerke")
    assert UtilityMapping.objects.get().utility == "Stadtwerke"
    assert bring(aino, profile(JUNE + dt.timedelta(days=1)), mapping=None).report["days"]["new"] == 1


def test_a_stewards_file_goes_to_proved_meters_alone(aino: MeterPoint, street: Community, steward: User) -> None:
    bo = home(street, steward, "bo", "DE0002", proved=False)
    rows = profile(JUNE).splitlines()[1:]
    both = "Zähler;Zeit;kWh\n" + "\n".join(f"{n};{row}" for n in ("DE 0001", "DE0002") for row in rows)
    mapping = {"meter": 0, "time": 1, "values": [{"column": 2}]}
    with pytest.raises(errors.BadMeterFile, match="DE0002"):
        bring(aino, both, by=steward, participant=None, mapping=mapping)
    assert not MeterDay.objects.exists()
    meters.vouch(meter=bo, by=steward)
    assert bring(aino, both, by=steward, participant=None, mapping=mapping).report["days"]["new"] == 2
    with pytest.raises(errors.NotSteward):
        bring(aino, both, by=owner(aino), participant=None, mapping=mapping)
    with pytest.raises(errors.NotSteward):
        bring(aino, profile(JUNE), by=steward)


def test_days_of_a_meter_that_is_no_longer_theirs_are_left_out(aino: MeterPoint) -> None:
    meters.end_meter(meter=aino, by=owner(aino), until=JUNE + dt.timedelta(days=1))
    text = profile(JUNE) + profile(JUNE + dt.timedelta(days=1)).partition("\n")[2]
    days = bring(aino, text).report["days"]
    assert (days["new"], days["outside"]) == (1, 1)


def test_green_button_needs_no_mapping(aino: MeterPoint) -> None:
    data = green_button([(NOON + 900 * i, 250) for i in range(8)])
    kept = meter_files.bring(
        community=aino.participant.community, name="gb.xml", data=data, by=owner(aino), participant=aino.participant
    )
    assert kept.format == "green-button"
    assert MeterDay.objects.get().kwh == pytest.approx(2.0)


@pytest.mark.parametrize("data", [b"", b"PK\x03\x04 a workbook", b"\x00\x01binary", b"x" * 12_000_001])
def test_what_is_no_table_is_refused(aino: MeterPoint, data: bytes) -> None:
    with pytest.raises(errors.BadMeterFile):
        meter_files.receive(
            community=aino.participant.community, by=owner(aino), name="x", data=data, participant=aino.participant
        )


def test_a_device_of_the_city_is_a_meter(aino: MeterPoint, street: Community) -> None:
    device = Device.objects.create(kind="meter", name="Cellar")
    MeterPoint.objects.filter(pk=aino.pk).update(device=device)
    aino.refresh_from_db()
    start = measured.midnight(JUNE, measured.zone(street))
    for i in range(96):
        covered = 900.0 if i != 7 else 600.0
        for channel, wh in ((channels.POWER_W, 999.0), (channels.ENERGY_WH_TOTAL, 100.0)):
            Rollup.objects.create(
                device=device,
                channel=channel,
                step_s=900,
                start=start + dt.timedelta(minutes=15 * i),
                count=3,
                total=1.0,
                energy_wh=wh,
                covered_s=covered,
            )
    assert device_days.bring(meter=aino, start=JUNE, end=JUNE + dt.timedelta(days=2)).new == 1
    row = MeterDay.objects.get()
    assert (row.source, row.missing) == ("device", 1)
    assert row.kwh == pytest.approx(9.5)  # the counter decides, and the quarter that it knew in part is missing
    bring(aino, profile(JUNE))
    assert device_days.bring(meter=aino, start=JUNE, end=JUNE + dt.timedelta(days=1)).revised == 0
    assert MeterDay.objects.get(current=True).source == "file"


def test_a_stranger_connects_no_device(aino: MeterPoint, steward: User) -> None:
    device = Device.objects.create(kind="meter", name="Cellar", public=True)
    for key in (str(device.pk), "nonsense"):
        with pytest.raises(errors.UnknownParticipant):
            meters.connect_device(meter=aino, by=owner(aino), device=key)
    assert aino.participant.community.organisation is not None
    Device.objects.filter(pk=device.pk).update(organisation=aino.participant.community.organisation)
    with pytest.raises(errors.NotSteward):
        meters.connect_device(meter=aino, by=steward, device=str(device.pk))


def test_data_for_the_engines_refuse_gaps_or_say_how_they_were_filled(aino: MeterPoint, street: Community) -> None:
    week = [JUNE + dt.timedelta(days=i) for i in range(8)]
    for day in week:
        bring(aino, profile(day, 0.1 + day.day / 100, skip=(4, 5) if day.day == 8 else ()))
    ask = {"start": week[0], "end": week[-1] + dt.timedelta(days=1), "import_price": 0.3, "export_price": 0.08}
    with pytest.raises(errors.NotMeasured, match=r"Aino \(2 of 768 steps\)"):
        versions.version(street, **ask)
    with pytest.raises(errors.BadCommunity, match="not a way"):
        versions.version(street, fill="guess", **ask)
    made = versions.version(street, fill="week", **ask)
    assert "2 steps that nobody measured are filled by the same time of the nearest week" in made.source
    assert (made.steps, made.step_minutes) == (768, 15)
    expected = sum(96 * (0.1 + d.day / 100) for d in week) - 2 * 0.18 + 2 * 0.11
    assert made.load_kwh == pytest.approx(expected)
    assert made.members.get().person == owner(aino)
    without = {k: v for k, v in ask.items() if not k.endswith("price")}
    assert versions.version(street, fill="zero", **without).number == 2  # at the prices of the data before


def test_a_roof_with_a_meter_of_its_own(aino: MeterPoint, street: Community, steward: User) -> None:
    who = aino.participant
    for direction, kwh in (("feed_in", 0.3), ("solar", 0.5)):
        meter = meters.add_meter(participant=who, by=owner(aino), number="DE0001", direction=direction)
        meters.vouch(meter=meter, by=steward)
        bring(aino, profile(JUNE, kwh), mapping=MAPPING | {"values": [{"column": 1, "direction": direction}]})
    bring(aino, profile(JUNE, 0.1))
    made = versions.version(street, start=JUNE, end=JUNE + dt.timedelta(days=1), import_price=0.3, export_price=0.1)
    assert made.pv_kwh == pytest.approx(48.0)
    assert made.load_kwh == pytest.approx(96 * (0.1 + 0.5 - 0.3))


def test_on_the_pages(client: Client, aino: MeterPoint) -> None:
    client.force_login(owner(aino))
    base = f"/energy/our-street/members/{aino.participant_id}/"
    sent = client.post(f"{base}readings/", {"file": SimpleUploadedFile("june.csv", profile(JUNE).encode())})
    address = sent.headers["Location"]
    page = client.get(address)
    assert page.status_code == 200
    assert page.context["able"]
    form = {k: "" if v is None else v for k, v in page.context["form"].initial.items() if k != "values"}
    form = {k: v for k, v in form.items() if v is not False} | {"column_use": 1, "unit_use": "kWh"}
    form |= {f"unit_{d}": "kWh" for d in ("feed_in", "solar")}
    looked = client.post(address, form | {"do": "preview", "time": 1, "column_use": 0})
    assert looked.status_code == 200
    assert "is not a time" in looked.content.decode()
    assert not MeterDay.objects.exists()
    same = client.post(address, form | {"do": "preview", "time": 1})
    assert "A column means one thing" in same.content.decode()
    kept = client.post(address, form | {"do": "keep", "utility": "Stadtwerke"})
    assert kept.status_code == 302, kept.content.decode()
    assert "1 day is new" in client.get(address).content.decode()
    other = client.post(f"{base}readings/", {"file": SimpleUploadedFile("x.csv", b"a;b\n1;2\n")}).headers["Location"]
    assert "cannot be read" in client.get(other).content.decode()
    assert client.post(other, {"do": "discard"}).status_code == 302
    xml = SimpleUploadedFile("gb.xml", green_button([(NOON + 900 * i, 250) for i in range(8)]))
    third = client.post(f"{base}readings/", {"file": xml}).headers["Location"]
    assert "Is this your file?" in client.get(third).content.decode()
    assert client.post(third, {"do": "keep"}).status_code == 302
    client.force_login(User.objects.get(username="stella"))
    assert client.get(address).status_code == 404
    assert "our-street" in client.get("/energy/our-street/members/").content.decode()


def test_over_the_api(client: Client, aino: MeterPoint, steward: User) -> None:
    def head(user: User, scope: str = "energy:manage") -> dict[str, str]:
        return {"authorization": f"Bearer {create_token(user=user, name='t', scopes=[scope])[1]}"}

    def post(address: str, document: object = None, **more: object) -> Any:
        return client.post(address, document or {}, content_type="application/json", **more)

    mine, books = head(owner(aino)), head(steward)
    base = f"/api/v1/communities/our-street/participants/{aino.participant_id}"
    sent = {"file": SimpleUploadedFile("j.csv", profile(JUNE, skip=(3,)).encode()), "mapping": json.dumps(MAPPING)}
    made = client.post(f"{base}/readings/", sent, headers=mine)
    assert made.status_code == 201, made.content
    assert made.json()["report"]["missing_steps"] == 1
    bad = {"file": SimpleUploadedFile("j.csv", b"t;v\nx;1\ny;2\n"), "mapping": json.dumps(MAPPING)}
    refused = client.post(f"{base}/readings/", bad, headers=mine).json()
    assert (refused["code"], refused["lines"][0]["line"]) == ("energy:bad-meter-file", 2)
    curves = client.get(f"{base}/curves/?start=2026-06-01&end=2026-06-02", headers=mine).json()
    assert (curves["steps"], curves["missing"], curves["use_kwh"][:5]) == (96, 1, [0.25, 0.25, 0.25, None, 0.25])
    assert client.get(f"{base}/curves/?start=2026-06-01&end=2026-06-02", headers=books).status_code == 404
    assert client.get(f"{base}/months/", headers=books).json()[0]["kwh"] == {"use": pytest.approx(95 / 4)}
    assert client.get(f"{base}/months/").status_code == 401
    for query in ("", "?start=2026-06-01&end=2020-01-01", "?start=2026-06-01&end=2029-06-01", "?start=x&end=y"):
        assert client.get(f"{base}/curves/{query}", headers=mine).status_code == 400
    assert len(client.get("/api/v1/communities/our-street/participants/", headers=books).json()) == 1
    assert client.get("/api/v1/communities/our-street/participants/", headers=head(person("sam"))).json() == []
    assert post(f"{base}/leave/", {"on": "2026-07-01"}, headers=head(steward, "energy:read")).status_code == 403
    assert post(f"{base}/assets/", {"kind": "solar", "kwp": 5}, headers=books).status_code == 403
    assert post(f"{base}/assets/", {"kind": "solar", "kwp": 5}, headers=mine).json()["tilt_deg"] == 30
    named = post(f"{base}/meters/", {"number": "DE77777"}, headers=mine).json()
    proof = f"{base}/meters/{named['id']}/proof/"
    assert post(proof, {"code": "AAAA-BBBB"}, headers=mine).status_code == 400
    assert post(proof, headers=mine).status_code == 403
    assert post(proof, headers=books).json()["proof"] == "steward"
    invited = post("/api/v1/communities/our-street/invitations/", {"name": "Bo"}, headers=books).json()
    joined = post("/api/v1/communities/join/", {"code": invited["code"], "name": "Bo"}, headers=head(person("bo")))
    assert joined.status_code == 201
    place = Place.objects.filter(kind="neighbourhood").first()
    assert place is not None
    found = {"name": "By script", "place": place.slug, "kind": "building"}
    assert post("/api/v1/communities/found/", found, headers=mine).json()["slug"] == "by-script"
    left = post(f"{base}/leave/", {"on": "2026-07-01"}, headers=mine).json()
    assert left["left_on"] == "2026-07-01"
    assert {m["valid_until"] for m in left["meters"]} == {"2026-07-01"}


def test_from_the_shell(aino: MeterPoint, tmp_path: Path) -> None:
    path, said = tmp_path / "june.csv", StringIO()
    path.write_text(profile(JUNE))
    call_command("import_meter_csv", "our-street", str(path), by="aino", guess=True, stdout=said)
    (tmp_path / "map.json").write_text(said.getvalue())
    words = {"by": "aino", "participant": aino.participant_id, "mapping": tmp_path / "map.json", "stdout": StringIO()}
    call_command("import_meter_csv", "our-street", str(path), **words)
    assert "1 days new" in words["stdout"].getvalue()
    path.write_text("Zeit;Wert kWh\nwhen;1\n")
    with pytest.raises(CommandError, match="line 2"):
        call_command("import_meter_csv", "our-street", str(path), **words)
    with pytest.raises(CommandError, match="no such"):
        call_command("import_meter_csv", "nowhere", str(path), by="aino")


def test_a_participant_without_meters_is_wholly_missing(street: Community, steward: User) -> None:
    row = participants.enter(community=street, by=steward, name="School", kind="public", joined_on=JUNE)
    found = measured.curves(street, start=JUNE, end=JUNE + dt.timedelta(days=1))
    assert found.missing == {row.pk: 96}
    assert Participant.objects.get().person is None
