"""The share of open production from the rows: sums by day are exact at once, whoever sums, and stay what they were."""

import datetime as dt
import threading
from typing import Any

import pytest
from django.db import connection, connections
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from commons.places.models import Place
from designs.models import Design, FileVersion
from labs.engine import openness
from labs.models import Job, Lab, ProductionDay, ProductionDue
from labs.queries import figure, openness_tests, production
from labs.services import production as services
from tests.labs.conftest import design, lab, machine, person
from tests.labs.test_jobs import HOUR, START, Agent


def shares(place: Place | None = None) -> openness.Tallies:
    today = timezone.now().astimezone(dt.UTC).date()
    return figure.lines(production.of_place(place), today - dt.timedelta(days=89), today)


def test_summing_changes_nothing_that_is_read(kamppi: Place) -> None:
    opened, closed = design(person(), b"open"), design(person(), b"closed", licence="CC-BY-NC-4.0")
    agent = Agent(machine(lab(place=kamppi)))
    agent.draws(100.0, START - HOUR, START + 5 * HOUR)
    agent.made({"sha256": opened.sha256}, job="a", hours=2)
    agent.made({"sha256": closed.sha256}, job="b", hours=1)
    agent.made({"sha256": "e" * 64}, job="c", hours=1)
    agent.tells(agent.says("started", START, "d"), agent.says("failed", START + HOUR, "d"))
    live = openness.told(shares(kamppi))
    assert not ProductionDay.objects.exists()
    assert services.sum_days() >= 1
    assert not ProductionDue.objects.exists()
    summed = openness.told(shares(kamppi))
    for unit in openness.UNITS:
        for name in ("lower", "upper", "coverage", "total", "jobs"):
            assert summed[unit][name] == pytest.approx(live[unit][name]), (unit, name)
    assert summed["machine_hours"]["lower"] == pytest.approx(0.5)
    assert summed["energy_kwh"]["total"] == pytest.approx(0.4)
    later = agent.made({"sha256": opened.sha256}, job="late", start=START + HOUR, hours=4)
    assert shares(kamppi)["machine_hours"].lower == pytest.approx(6 / 8), "a due day is read from its jobs"
    services.sum_days()
    assert shares(kamppi)["machine_hours"].lower == pytest.approx(6 / 8)
    later.delete()
    assert shares(kamppi)["machine_hours"].lower == pytest.approx(0.5)


@pytest.mark.parametrize(
    "change", [{"visibility": "private"}, {"deleted_at": timezone.now()}, {"licence": "CC-BY-NC-4.0"}, None]
)
def test_what_becomes_of_a_design_later_does_not_change_what_was_made(
    kamppi: Place, change: dict[str, Any] | None
) -> None:
    opened = design(person(), b"open")
    agent = Agent(machine(lab(place=kamppi)))
    job = agent.made({"sha256": opened.sha256}, hours=2)
    if change is None:
        Design.objects.filter(pk=opened.design.pk).delete()
    else:
        Design.objects.filter(pk=opened.design.pk).update(**change)
    job.refresh_from_db()
    job.save()
    assert shares(kamppi)["machine_hours"].lower == 1
    assert (job.licence_made, job.public_made) == ("CERN-OHL-S-2.0", True)


def test_a_version_that_came_after_the_job_was_not_its_source_in_public(kamppi: Place) -> None:
    opened = design(person(), b"open")
    FileVersion.objects.update(committed_at=timezone.now())
    Agent(machine(lab(place=kamppi))).made({"sha256": opened.sha256}, hours=2)
    told = shares(kamppi)["machine_hours"]
    assert (told.lower, told.by_class["proven_closed"]) == (0, 2)


def test_a_plate_is_shared_out_by_volume(kamppi: Place) -> None:
    job = Agent(machine(lab(place=kamppi))).made({"name": "plate.gcode"}, hours=4)
    job.made_of = [
        {"provenance": "proven", "licence": "CERN-OHL-W-2.0", "public": True, "share": 0.5},
        {"provenance": "proven", "licence": "CC-BY-4.0", "public": False, "share": 0.25},
    ]
    job.save()
    told = shares(kamppi)["machine_hours"]
    assert {name: amount for name, amount in told.by_class.items() if amount} == {
        "proven_open": 2, "proven_closed": 1, "unknown": 1,
    }  # fmt: skip
    services.sum_days()
    assert shares(kamppi)["machine_hours"].by_class == told.by_class


def test_the_front_figure_asks_as_much_for_a_hundred_days_as_for_one(kamppi: Place) -> None:
    agent = Agent(machine(lab(place=kamppi)))
    agent.made({"sha256": "a" * 64}, job="first")
    services.sum_days()

    def asked() -> int:
        with CaptureQueriesContext(connection) as seen:
            figure.open_production(kamppi)
        return len(seen)

    few = asked()
    for n in range(60):
        agent.made({"sha256": f"{n:064x}"}, job=f"j{n}", start=START - n * 24 * HOUR)
    services.sum_days()
    assert asked() <= few
    assert ProductionDay.objects.count() <= 61
    assert shares(kamppi)["jobs"].total == 61


@pytest.mark.django_db(transaction=True)
def test_many_at_once_are_all_counted() -> None:
    """Six agents finish jobs while two workers sum: nothing is lost or counted twice."""
    of: Lab = lab()
    agents = [Agent(machine(of)) for _n in range(6)]
    gate = threading.Barrier(8)

    def makes(agent: Agent) -> None:
        gate.wait()
        for n in range(5):
            agent.made({"sha256": "a" * 64}, job=f"j{n}", hours=1)
        connections.close_all()

    def sums() -> None:
        gate.wait()
        for _n in range(6):
            services.sum_days()
        connections.close_all()

    threads = [threading.Thread(target=makes, args=(agent,)) for agent in agents]
    threads += [threading.Thread(target=sums) for _n in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(120)
    assert shares()["jobs"].total == Job.objects.count() == 30
    services.sum_days()
    assert shares()["jobs"].total == 30


def test_a_lab_that_goes_takes_its_sums_with_it(kamppi: Place) -> None:
    of = lab(place=kamppi)
    Agent(machine(of)).made({"sha256": "a" * 64})
    services.sum_days()
    Lab.objects.filter(pk=of.pk).update(demo=True)
    Lab.objects.get(pk=of.pk).delete()
    services.sum_days()
    assert not ProductionDay.objects.exists()
    assert not ProductionDue.objects.exists()


def test_the_page_the_test_set_and_the_program_are_everybodys(client: Client, kamppi: Place) -> None:
    opened = design(person(), b"open")
    of = lab(place=kamppi)
    Agent(machine(of)).made({"sha256": opened.sha256}, hours=2)
    page = client.get("/figures/open-production/?place=kamppi").content.decode()
    assert "version 2" in page
    assert of.name in page
    assert "Free Cultural Works" in page
    told = client.get("/figures/open-production/figures.json?place=kamppi").json()
    assert told["figures"]["machine_hours"]["lower"] == 1
    assert len(told["weeks"]) == 13
    assert len(told["months"]) == 12
    assert told["labs"][of.slug]["jobs"]["total"] == 1
    assert client.get("/figures/open-production/test-set.json").json() == openness_tests.document()
    program = b"".join(client.get("/figures/open-production/check.py").streaming_content)  # type: ignore[attr-defined]
    assert program == openness_tests.CHECK.read_bytes()
    assert client.get("/figures/open-production/?place=nowhere").status_code == 404


def test_jobs_as_csv_name_nobody_and_no_private_file(client: Client, kamppi: Place) -> None:
    of, owner = lab(place=kamppi), person("plantedowner")
    secret = design(owner, b"secret", slug="plantedsecret", public=False)
    Agent(machine(of)).made({"name": "plantedfile.stl", "sha256": secret.sha256})
    text = b"".join(client.get(f"/labs/{of.slug}/made/jobs.csv").streaming_content).decode()  # type: ignore[attr-defined]
    assert text.startswith("id,lab,machine_class,started_at,finished_at,design,path,commit,licence,open,provenance")
    assert text.count("\n") == 2
    assert "planted" not in text
    assert client.get(f"/labs/{of.slug}/made/").status_code == 200
