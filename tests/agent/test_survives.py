"""Nothing is lost and nothing comes twice, whenever the agent is killed and however bad the network is."""

import random
import time
from pathlib import Path

import pytest
from django.db import connection

from commons.devices import queries
from commons.devices.models import Device
from labs.models import Job, JobEvent, Machine
from labs.services import catalogue
from tests.agent.conftest import Process, until
from tests.agent.proxy import flaky


def counted(device: Device) -> list[float]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT value FROM devices_reading WHERE device = %s ORDER BY value", [device.number])
        return [row[0] for row in cursor.fetchall()]


def survive(agent: Process, city_port: int, printer: Machine, *, total: int, kills: int, batch: int = 37) -> None:
    agent.script = Path(__file__).with_name("counting_agent.py")
    agent.environment["UNTIL"] = str(total)
    luck = random.Random(7)
    with flaky(city_port, bad=0.35, seed=3) as proxy:
        agent.config.write_text(
            f'state = "state"\n[sending]\nbatch = {batch}\nevery_s = 0.1\n[[device]]\nname = "Counter"\n'
            '[[device.source]]\ntype = "counting"\n'
        )
        code = str(catalogue.enrolment_code(machine=printer))
        enrolled = agent.does("enrol", code, "--url", f"http://127.0.0.1:{city_port}")
        assert enrolled.returncode == 0, enrolled.stderr
        through_proxy(agent, proxy.listens_on)
        for _kill in range(kills):
            agent.start()
            time.sleep(luck.uniform(0.4, 2.0))
            assert agent.kill() == -9
        agent.start()
        printer.refresh_from_db()
        device = printer.device
        assert device is not None
        until(
            lambda: len(counted(device)) >= total and events(device) >= total // 25,
            what="all of it",
            seconds=90 + total / 50,
        )
        until(lambda: waiting(agent) == 0, what="an empty journal", seconds=120)
        assert min(proxy.cut.values()) > 0, proxy.cut
    assert counted(device) == [float(n) for n in range(1, total + 1)]
    assert events(device) == total // 25
    assert set(Job.objects.filter(device=device).values_list("outcome", flat=True)) == {"finished"}
    assert queries.acked(device) == total + total // 25 == queries.next_seq(device) - 1


def events(device: Device) -> int:
    return JobEvent.objects.filter(job__device=device).count()


def waiting(agent: Process) -> int:
    import sqlite3

    with sqlite3.connect(agent.folder / "state" / "journal.db") as db:
        return int(db.execute("SELECT count(*) FROM item").fetchone()[0])


def through_proxy(agent: Process, port: int) -> None:
    """The city moves behind the bad network."""
    import sqlite3

    db = sqlite3.connect(agent.folder / "state" / "journal.db")
    db.execute("UPDATE device SET url = ?", (f"http://127.0.0.1:{port}",))
    db.commit()
    db.close()


def test_killed_at_random_in_a_bad_network_nothing_is_lost_or_doubled(
    agent: Process, city_port: int, printer: Machine
) -> None:
    survive(agent, city_port, printer, total=500, kills=4)


@pytest.mark.drill
def test_killed_twenty_times(agent: Process, city_port: int, printer: Machine) -> None:
    survive(agent, city_port, printer, total=5_000, kills=20, batch=250)
