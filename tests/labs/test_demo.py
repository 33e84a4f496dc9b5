"""The demo's labs come through the real services, come once, and go without a trace."""

import datetime as dt
from typing import Any

import pytest
from django.db import connection

from commons.devices.models import Device
from commons.people.models import Handle, Organisation
from labs.demo import seed, work
from labs.models import (
    Badge,
    BadgeGrant,
    Booking,
    Fault,
    Interlock,
    Invoice,
    Job,
    Joining,
    Kiosk,
    Lab,
    LogEntry,
    Machine,
    MaintenancePlan,
    MakeOrder,
    Posting,
    Seat,
    WaitlistEntry,
)
from tests.labs.conftest import design, lab, machine, person

#: What there is as many of after the second seeding as after the first.
ONCE = (Lab, Machine, Badge, BadgeGrant, Device, Fault, LogEntry, MaintenancePlan, Interlock, Kiosk, Invoice, Joining,
        MakeOrder, Seat, WaitlistEntry)  # fmt: skip


def quiet(_line: str) -> None:
    """Nobody listens."""


def test_seed_twice_then_remove(kamppi: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(seed, "PAST", dt.timedelta(days=2))
    monkeypatch.setattr(seed, "FINE", dt.timedelta(hours=1))
    made = design(person("owner"), b"solid demo", facts={"extents_mm": [20, 20, 20]})
    made.design.demo = True
    made.design.save()
    mine = machine(lab("real-lab", place=kamppi))
    seed.seed(quiet)
    open_to_all = Machine.objects.filter(demo=True, required_badges=None, state="ok")
    assert open_to_all.exists()
    assert all(m.device is not None and m.device.is_active for m in open_to_all)
    over = Job.objects.filter(demo=True, outcome="finished")
    assert over.exists()
    measured = over.filter(energy_quality="measured", energy_kwh__gt=0).count()
    assert measured >= 0.9 * over.count()
    proven = over.filter(provenance="proven")
    assert proven.exists()
    assert {j.design for j in proven.select_related("design")} == {made.design}
    assert over.filter(provenance="unknown").exists()
    assert set(Fault.objects.values_list("status", "severity")) == {
        ("open", "down"), ("open", "care"), ("open", "note"), ("fixed", "down")
    }  # fmt: skip
    lokka = Machine.objects.get(name="Lokka", demo=True)
    assert (lokka.state, lokka.state_note) == ("repair", "The belt is worn after 1 904 h; the part is ordered.")
    assert Machine.objects.get(name="Pielinen", demo=True).state == "ok"
    assert all(model.objects.exists() for model in (Invoice, Joining, Kiosk, LogEntry, MaintenancePlan, Posting))
    assert Interlock.objects.filter(driver="none").count() == 2
    assert Booking.objects.filter(machine__name="Neula", status="requested").exists()
    assert Seat.objects.filter(state="waiting").exists()
    counts = [model.objects.count() for model in ONCE]
    before = over.count()
    seed.seed(quiet)
    assert counts == [model.objects.count() for model in ONCE]
    assert 0 <= over.count() - before <= 2
    assert work.tick() <= 2 * Machine.objects.count()
    seed.remove(quiet)
    assert [*Lab.objects.all()] == [mine.lab]
    assert not any(model.objects.exists() for model in (Job, Booking, *ONCE[2:]))
    assert not Organisation.objects.filter(demo=True).exists()
    assert not Handle.objects.filter(name="kamppi-open-lab").exists()
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM devices_reading")
        assert cursor.fetchone() == (0,)
