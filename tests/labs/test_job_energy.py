"""The energy of a job: by whichever meter knows it, split, priced, graded, and frozen as it was known."""

import datetime as dt
import itertools
from typing import Any

import pytest
from django.db import IntegrityError, InternalError, transaction
from django.test import Client
from django.utils import timezone

from commons.devices import queries as device_queries
from commons.devices import services as devices
from commons.devices.models import Device, Retention
from commons.devices.services import retention
from commons.places.models import Place
from energy import series
from energy.models import Community, CommunityVersion, VersionSeries
from labs.engine import draw
from labs.models import Circuit, EnergyFigure, Job, Lab, Machine, PowerMeter
from labs.services import jobs as services
from labs.services import passports
from tests.energy.ledger import published
from tests.labs.conftest import machine
from tests.labs.test_jobs import HOUR, START, Agent

MINUTE = dt.timedelta(minutes=1)


def plug(name: str = "plug") -> Device:
    device = devices.create_device(name=name, kind="plug")
    code = devices.create_enrolment_code(device=device)
    return devices.enrol(code=str(code), kind="plug", hardware_id=name)[0]


def draws(device: Device, watts: float, start: dt.datetime, hours: float, first: int = 1, step_s: int = 60) -> None:
    count = int(hours * 3600 // step_s) + 1
    devices.ingest(
        device=device,
        readings=[
            {"seq": first + n, "ts": (start + dt.timedelta(seconds=step_s * n)).isoformat(), "channel": "power_w",
             "value": watts}
            for n in range(count)
        ],
    )  # fmt: skip


def counts(device: Device, wh_per_minute: float, start: dt.datetime, minutes: int) -> None:
    devices.ingest(
        device=device,
        readings=[
            {"seq": 1 + n, "ts": (start + n * MINUTE).isoformat(), "channel": "energy_wh_total",
             "value": 7000 + wh_per_minute * n}
            for n in range(minutes + 1)
        ],
    )  # fmt: skip


def settled(job: Job) -> EnergyFigure:
    services.settle(job=job)
    found = job.energy_figures.order_by("-number").first()
    assert found is not None
    job.refresh_from_db()
    assert (job.energy_kwh, job.energy_quality, job.settle_at) == (found.kwh, found.quality, None)
    if found.kwh is not None:
        parts = (found.warm_kwh, found.making_kwh, found.idle_kwh)
        assert sum(p or 0 for p in parts) == pytest.approx(found.kwh, rel=1e-9, abs=1e-9)
        assert all(p is not None and p >= 0 for p in parts)
        assert found.pm_kwh is not None
        assert found.why, "an uncertainty without its reason"
        assert sum(one["kwh"] for one in found.why) == pytest.approx(found.pm_kwh)
    return found


def test_a_plug_tied_to_the_machine_measures_what_its_agent_cannot(printer: Machine) -> None:
    meter = plug()
    PowerMeter.objects.create(device=meter, machine=printer, class_pct=1)
    counts(meter, 2.0, START - 10 * MINUTE, 100)
    job = Agent(printer).made({"name": "a.gcode"}, hours=1)
    assert (job.energy_quality, job.energy_kwh) == ("measured", pytest.approx(0.12))
    found = settled(job)
    assert (found.quality, found.kwh) == ("measured", pytest.approx(0.12))
    assert found.inputs["meters"] == [str(meter.pk)]
    codes = {one["code"]: one["kwh"] for one in found.why}
    assert codes["class"] == pytest.approx(0.0012)


def test_late_readings_of_a_tied_plug_give_a_new_dated_figure(printer: Machine) -> None:
    meter = plug()
    PowerMeter.objects.create(device=meter, machine=printer)
    job = Agent(printer).made({"name": "a.gcode"}, hours=1)
    first = settled(job)
    assert first.quality == "estimated"
    draws(meter, 100.0, START - HOUR / 2, 2)
    job.refresh_from_db()
    assert job.settle_at is not None
    assert job.energy_kwh == pytest.approx(0.1)
    second = settled(job)
    assert [f.number for f in job.energy_figures.all()] == [1, 2]
    assert (second.quality, second.kwh) == ("integrated", pytest.approx(0.1))
    first.refresh_from_db()
    assert first.quality == "estimated", "a figure stays as it was"
    assert services.settle(job=job) is None, "the same knowledge gives no new figure"


def test_a_figure_cannot_be_rewritten(printer: Machine) -> None:
    found = settled(Agent(printer).made({"name": "a.gcode"}, hours=1))
    with pytest.raises((InternalError, IntegrityError), match="never changed"), transaction.atomic():
        EnergyFigure.objects.filter(pk=found.pk).update(kwh=0.0)


@pytest.fixture
def board(city_lab: Lab) -> tuple[Device, list[Machine]]:
    """A circuit with a meter and three machines on it, of 200 W, 600 W and unknown plate."""
    circuit = Circuit.objects.create(lab=city_lab, name="A", limit_w=3500)
    found = [
        machine(city_lab, name, rated_w=watts, circuit=circuit)
        for name, watts in (("One", 200), ("Two", 600), ("Three", None))
    ]
    meter = plug("meter")
    PowerMeter.objects.create(device=meter, circuit=circuit)
    return meter, found


def test_alone_on_a_shared_meter_gets_nearly_all(board: tuple[Device, list[Machine]]) -> None:
    meter, machines = board
    counts(meter, 2.0, START - HOUR, 240)
    found = settled(Agent(machines[0]).made({"name": "a"}, hours=1))
    own = draw.of_class("3d-printer", 200)
    idle = draw.of_class("3d-printer", 600).idle_w + draw.of_class("3d-printer").idle_w
    assert found.quality == "shared"
    assert found.kwh == pytest.approx(0.12 * own.making_w / (own.making_w + idle))
    assert found.why[0]["code"] == "shared"
    assert found.why[0]["others"] == 2


def test_what_others_are_known_to_take_is_taken_off_first(board: tuple[Device, list[Machine]]) -> None:
    meter, machines = board
    counts(meter, 10.0, START - HOUR, 240)
    known = Agent(machines[1])
    known.draws(500.0, START - HOUR, START + 3 * HOUR)
    found = settled(Agent(machines[0]).made({"name": "a"}, hours=1))
    own, third = draw.of_class("3d-printer", 200), draw.of_class("3d-printer")
    rest = 0.6 - 0.5
    assert found.kwh == pytest.approx(rest * own.making_w / (own.making_w + third.idle_w))
    assert found.why[0]["known"] == 1
    assert found.kwh + (found.pm_kwh or 0) >= rest * 0.99


def test_two_that_run_share_by_power_and_time_and_never_take_more_than_there_is(
    board: tuple[Device, list[Machine]],
) -> None:
    meter, machines = board
    counts(meter, 5.0, START - HOUR, 240)
    one = Agent(machines[0]).made({"name": "a"}, hours=1)
    two = Agent(machines[1]).made({"name": "b"}, hours=1)
    parts = [settled(one).kwh or 0, settled(two).kwh or 0]
    assert 0 < sum(parts) <= 0.3 + 1e-9
    own = [draw.of_class("3d-printer", watts).making_w for watts in (200, 600)]
    assert parts[0] / parts[1] == pytest.approx(own[0] / own[1], rel=0.15)


def test_without_any_meter_it_is_an_estimate_that_says_its_table(printer: Machine) -> None:
    found = settled(Agent(printer).made({"name": "a"}, hours=2))
    usual = draw.of_class("3d-printer")
    assert (found.quality, found.kwh) == ("estimated", pytest.approx(2 * usual.making_w / 1000))
    assert found.why[0]["source"] == usual.source
    assert (found.pm_kwh or 0) >= 2 * (usual.high_w - usual.making_w) / 1000


def test_half_a_measurement_says_what_the_gap_may_hold(printer: Machine) -> None:
    agent = Agent(printer)
    agent.draws(100.0, START - HOUR, START + HOUR)
    found = settled(agent.made({"name": "a"}, hours=2))
    assert (found.quality, found.kwh) == ("partial", pytest.approx(0.1))
    gap = next(one for one in found.why if one["code"] == "gap")
    assert gap["hours"] == pytest.approx(1.0, abs=0.01)
    assert gap["kwh"] == pytest.approx(draw.of_class("3d-printer").high_w / 1000, rel=0.01)


def test_states_of_the_agent_split_the_curve_of_the_plug(printer: Machine) -> None:
    meter = plug()
    PowerMeter.objects.create(device=meter, machine=printer)
    draws(meter, 300.0, START, 0.25, step_s=30)
    draws(meter, 100.0, START + 15 * MINUTE + dt.timedelta(seconds=30), 1, first=500, step_s=30)
    agent = Agent(printer)
    devices.ingest(
        device=agent.device,
        readings=[
            {"seq": next(agent.seq), "ts": (START + at * MINUTE).isoformat(), "channel": "state", "value": word}
            for at, word in ((0, "warming"), (15, "making"), (50, "idle"))
        ],
    )
    found = settled(agent.made({"name": "a"}, hours=1))
    assert found.split_by == "state"
    assert found.warm_kwh == pytest.approx(0.075, rel=0.02)
    assert found.making_kwh == pytest.approx(0.1 * 35 / 60, rel=0.03)
    assert found.idle_kwh == pytest.approx(0.1 * 10 / 60, rel=0.02)
    assert [p[0] for p in found.phases] == ["warm", "making", "idle"]


def community(place: Place, start: dt.datetime, hours: int, **curves: list[float]) -> CommunityVersion:
    made = Community.objects.create(slug="c", name="C", place=place)
    version = CommunityVersion.objects.create(
        community=made, number=3, content_sha256="f" * 64, currency="EUR", timezone="UTC", start=start,
        step_minutes=60, steps=hours, load_kwh=sum(curves["load"]), pv_kwh=sum(curves["pv"]),
    )  # fmt: skip
    VersionSeries.objects.bulk_create(
        VersionSeries(version=version, name=name, packed=series.pack(values))
        for name, values in {**curves, "cells": [float(hour) for hour in range(hours)]}.items()
    )
    published(version)
    return version


def test_cost_and_co2_follow_each_hours_price_and_sun(printer: Machine, kamppi: Place) -> None:
    """1 kW-share of sun: none in the first hour, 0.6 kW to spare in the second; prices and grams differ too."""
    community(
        kamppi, START, 4, load=[2.0, 1.0, 1, 1], pv=[0.0, 1.6, 0, 0], import_price=[0.30, 0.10, 1, 1],
        co2=[0.2, 0.5, 9, 9],
    )  # fmt: skip
    agent = Agent(printer)
    agent.draws(100.0, START - HOUR, START + 3 * HOUR)
    found = settled(agent.made({"name": "a"}, hours=2))
    assert found.cost == pytest.approx(0.1 * 0.30 + 0.1 * 0.10)
    assert found.co2_g == pytest.approx(1000 * (0.1 * 0.2 + 0.1 * 0.4 * 0.5))
    assert found.solar_share == pytest.approx(0.3)
    assert (found.currency, found.inputs["energy_data"]["version"]) == ("EUR", 3)
    assert found.inputs["energy_data"]["exact"] is True


def test_new_data_of_the_neighbourhood_do_not_change_a_figure_that_stands(printer: Machine, kamppi: Place) -> None:
    community(kamppi, START, 4, load=[1.0] * 4, pv=[0.0] * 4, import_price=[0.3] * 4, co2=[0.2] * 4)
    agent = Agent(printer)
    agent.draws(100.0, START - HOUR, START + 3 * HOUR)
    job = agent.made({"name": "a"}, hours=1)
    found = settled(job)
    VersionSeries.objects.all().update(packed=series.pack([9.0] * 4))
    assert services.due(timezone.now() + HOUR) == []
    assert job.energy_figures.get().co2_g == found.co2_g


def test_any_order_of_readings_gives_the_same_figure(city_lab: Lab) -> None:
    told: set[Any] = set()
    for order in itertools.permutations(range(3)):
        agent = Agent(machine(city_lab))
        batches = [(START - HOUR / 2, 100.0), (START + HOUR / 4, 200.0), (START + HOUR, 50.0)]
        first = [1000, 2000, 3000]
        job = agent.made({"name": "a"}, hours=1)
        for nth in order:
            draws(agent.device, batches[nth][1], batches[nth][0], 0.5, first=first[nth], step_s=60)
        found = settled(job)
        told.add((round(found.kwh or 0, 9), round(found.pm_kwh or 0, 9), found.quality, found.split_by))
    assert len(told) == 1


def test_the_job_page_draws_the_phases_and_the_api_tells_the_figure(printer: Machine, client: Client) -> None:
    agent = Agent(printer)
    agent.draws(300.0, START, START + 10 * MINUTE)
    agent.draws(100.0, START + 11 * MINUTE, START + HOUR)
    job = agent.made({"name": "a"}, hours=1)
    before = client.get(f"/api/v1/jobs/{job.pk}/").json()
    assert (before["energy"], before["passport"]) == (None, None)
    passport = passports.settle(job=job)
    assert passport is not None
    page = client.get(f"/jobs/{job.pk}/").content.decode()
    assert '<rect class="phase warm" x="0"' in page
    assert '<rect class="phase making"' in page
    assert f"/passports/{passport.pk}/" in page
    told = client.get(f"/api/v1/jobs/{job.pk}/").json()
    assert told["passport"].endswith(f"/passports/{passport.pk}/")
    parts = (told["energy"]["warm_kwh"], told["energy"]["making_kwh"], told["energy"]["idle_kwh"])
    assert sum(parts) == pytest.approx(told["energy"]["kwh"])
    assert told["energy"]["split_by"] == "power"


def test_a_figure_stays_when_its_readings_are_no_longer_kept(printer: Machine) -> None:
    """Once the raw readings have gone, the rollups know the edges of a job by time alone: 5 minutes of 600 W would be
    three times as much."""
    agent = Agent(printer)
    start = (timezone.now() - dt.timedelta(days=20)).replace(minute=5, second=0, microsecond=0)
    agent.draws(0.0, start - 4 * MINUTE, start - MINUTE)
    agent.draws(600.0, start, start + 5 * MINUTE)
    agent.draws(0.0, start + 6 * MINUTE, start + 30 * MINUTE)
    job = agent.made({"name": "a.gcode"}, start=start, hours=5 / 60)
    figure = settled(job)
    assert figure.kwh == pytest.approx(0.05, rel=0.01)
    for kind in Retention.Kind.values:
        retention.set_policy(kind=kind, raw_days=7, quarter_days=30)
    retention.run()
    left = device_queries.energy(agent.device, start, start + 5 * MINUTE)
    assert left.uncertain_kwh > 0
    assert left.kwh < 0.8 * figure.kwh, "the rollups alone would say something else"
    services.readings_came(device=agent.device, start=start, end=start + HOUR)
    job.refresh_from_db()
    assert (job.energy_kwh, job.energy_quality) == (figure.kwh, figure.quality)
    assert settled(job) == figure
    assert job.energy_figures.count() == 1
