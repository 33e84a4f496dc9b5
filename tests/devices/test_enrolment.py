"""Codes that let a device in once, tokens that end at once."""

import datetime as dt
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import connection
from django.utils import timezone

from commons.devices import queries, services
from commons.devices.authentication import device_of
from commons.devices.errors import CodeNotGood, SecondHeartbeat
from commons.devices.models import Device, EnrolmentCode
from commons.devices.services import heartbeat
from tests.devices.streams import day_start, reading


@pytest.fixture
def waiting(db: None) -> Device:
    return services.create_device(name="Laser", kind="laser")


def test_a_code_works_once_and_gives_a_token(waiting: Device) -> None:
    shown = services.create_enrolment_code(device=waiting)
    assert len(shown.code) == 9
    assert not set(shown.code) & set("0O1IL")
    device, token = services.enrol(code=shown.code, kind="laser-cutter", hardware_id="pi-7")
    assert (device.kind, device.hardware_id, device.is_active) == ("laser-cutter", "pi-7", True)
    assert device_of(token) == device
    assert token.encode() not in bytes(device.token_sha256)
    with pytest.raises(CodeNotGood):
        services.enrol(code=shown.code)


def test_a_code_may_be_typed_as_people_type(waiting: Device) -> None:
    shown = services.create_enrolment_code(device=waiting)
    assert services.enrol(code=f" {shown.code.lower().replace('-', ' ')} ")[0] == waiting


def test_a_code_ends_after_ten_minutes(waiting: Device) -> None:
    shown = services.create_enrolment_code(device=waiting)
    assert shown.expires_at - timezone.now() <= dt.timedelta(minutes=10)
    EnrolmentCode.objects.update(expires_at=timezone.now())
    with pytest.raises(CodeNotGood):
        services.enrol(code=shown.code)


def test_a_new_code_voids_the_one_that_waits(waiting: Device) -> None:
    old = services.create_enrolment_code(device=waiting)
    new = services.create_enrolment_code(device=waiting)
    with pytest.raises(CodeNotGood):
        services.enrol(code=old.code)
    assert services.enrol(code=new.code)[0] == waiting


def test_a_revoked_token_is_dead_at_once_and_so_is_a_waiting_code(waiting: Device) -> None:
    _device, token = services.enrol(code=str(services.create_enrolment_code(device=waiting)))
    code = services.create_enrolment_code(device=waiting)
    services.revoke_device(device=waiting)
    assert device_of(token) is None
    with pytest.raises(CodeNotGood):
        services.enrol(code=str(code))


def test_a_device_enrolled_again_goes_on_counting(waiting: Device) -> None:
    device, token = services.enrol(code=str(services.create_enrolment_code(device=waiting)))
    services.ingest(device=device, readings=[reading(1, day_start(), 1.0)])
    services.revoke_device(device=device)
    again, new = services.enrol(code=str(services.create_enrolment_code(device=waiting)))
    assert device_of(token) is None
    assert device_of(new) == again
    assert queries.next_seq(again) == 2
    assert services.ingest(device=again, readings=[reading(1, day_start(), 1.0)]).duplicates == 1


def test_a_rotated_token_replaces_the_old_one(waiting: Device) -> None:
    device, token = services.enrol(code=str(services.create_enrolment_code(device=waiting)))
    new = services.rotate_token(device=device)
    assert device_of(token) is None
    assert device_of(new) == device


def test_ten_at_once_and_one_gets_in(transactional_db: None) -> None:
    device = services.create_device(name="Laser", kind="laser")
    code = str(services.create_enrolment_code(device=device))

    def attempt(_n: int) -> bool:
        try:
            services.enrol(code=code)
        except CodeNotGood:
            return False
        finally:
            connection.close()
        return True

    with ThreadPoolExecutor(10) as pool:
        assert sum(pool.map(attempt, range(10))) == 1


def test_no_device_can_pose_as_the_heartbeat(waiting: Device) -> None:
    heartbeat.beat()
    device, _token = services.enrol(code=str(services.create_enrolment_code(device=waiting)), kind="heartbeat")
    assert device.kind == "laser"
    with pytest.raises(SecondHeartbeat):
        services.create_device(name="other", kind="heartbeat")
