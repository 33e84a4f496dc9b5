"""Job events of many machines at once, by the way that the web server sends them: stored together, answered each."""

import asyncio
import json
from pathlib import Path
from typing import Any

import orjson
from django.utils import timezone

from commons.devices import door, queries, services, serving, wire
from commons.people import tokens
from labs.models import Job
from tests.devices.test_door import with_process
from tests.labs.conftest import enrolled, lab, machine


def event(seq: int, kind: str, job: str = "print-1") -> dict[str, Any]:
    return {"seq": seq, "ts": timezone.now().isoformat(), "event": kind, "job": job, "file": {"name": "a.gcode"}}


def test_job_events_of_many_machines_come_in_groups(transactional_db: None, settings: Any, tmp_path: Path) -> None:
    settings.INGEST_SOCKET = tmp_path / "door.sock"
    home = lab("grouped")
    made = [enrolled(machine(home, f"m{n}")) for n in range(6)]
    gone, gone_token = enrolled(machine(home, "gone"))
    services.revoke_device(device=gone)

    async def work(_doorkeeper: serving.Doorkeeper) -> None:
        way = door.Way()

        async def say(token: str, body: object) -> tuple[int, Any]:
            said = await way.ask(tokens.fingerprint(token), orjson.dumps(body), wire.JOBS)
            return said.status, json.loads(said.body) if said.body else None

        steps = [event(1, "started"), {"events": [event(2, "progress"), event(2, "progress")]}, event(3, "finished")]
        answers = await asyncio.gather(*(say(token, step) for step in steps for _device, token in made))
        assert {status for status, _said in answers} == {200}
        assert [said["acked"] for _status, said in answers[-len(made) :]] == [3] * len(made)
        odd = await asyncio.gather(
            say(made[0][1], {"events": []}),
            say(made[1][1], event(4, "started", "print-2")),
            say(made[2][1], event(1, "started")),
            say(gone_token, event(1, "started")),
        )
        assert [status for status, _said in odd] == [400, 200, 200, wire.UNKNOWN_TOKEN]
        assert odd[0][1]["code"].startswith("job:")
        assert (odd[1][1]["acked"], odd[2][1]["duplicates"]) == (4, 1)

    with_process(work)
    assert [queries.acked(device) for device, _token in made] == [3, 4, 3, 3, 3, 3]
    assert Job.objects.count() == 7
    assert Job.objects.filter(device_job="print-1", outcome="finished").count() == 6
