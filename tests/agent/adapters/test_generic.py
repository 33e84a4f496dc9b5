"""Machines of any make, over MQTT and HTTP; jobs from what they do or from their power."""

import asyncio
import datetime as dt
import json
from typing import Any

import aiomqtt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from livingcity_agent.adapters import mqtt_generic
from livingcity_agent.adapters.base import AdapterError
from livingcity_agent.adapters.http_generic import HttpGeneric
from livingcity_agent.adapters.making import Making
from livingcity_agent.adapters.mqtt_generic import MqttGeneric
from livingcity_agent.parsers.by_power import ByPower, Threshold
from tests.agent.adapters.stage import (
    Kept,
    Mosquitto,
    Quiet,
    free_port,
    made,
    run_until,
    sentences,
    serving,
    tried,
    until,
)

BEGIN = dt.datetime(2026, 6, 18, 12, 0, tzinfo=dt.UTC)


def _at(second: float) -> dt.datetime:
    return BEGIN + dt.timedelta(seconds=second)


class Answers(Quiet):
    """What it was given, as JSON; with a password where it has one."""

    def get(self) -> None:
        body, password = self.here["body"], self.here.get("password")
        if password and self.headers.get("X-Api-Key") != password:
            return self.send({}, 403)
        if "to" in self.here:
            return self.send(b"", 302, Location=self.here["to"])
        return self.send(body, self.here.get("status", 200))


LASER = {"machine": {"state": "RUN", "power_kw": 1.25}, "meter": {"kwh": [10.5, 3]}, "door": True, "head_f": 95}
VALUES = """
[[value]]
channel = "state"
path = "machine.state"
words = {RUN = "making", IDLE = "idle", E-STOP = "error"}
[[value]]
channel = "power_w"
path = "/machine/power_kw"
unit = "kW"
[[value]]
channel = "energy_wh_total"
path = "meter.kwh[0]"
unit = "kWh"
[[value]]
channel = "temperature_c"
path = "head_f"
unit = "F"
[[value]]
channel = "x_door_open"
path = "door"
[[value]]
channel = "x_flow"
path = "meter.kwh[1]"
scale = 0.5
offset = -1
"""


def test_http_reads_what_was_described() -> None:
    sink = Kept()
    with serving(Answers, {"body": LASER, "password": "key"}) as address:
        toml = f'url = "{address}/status?all=1"\nevery_s = 1\nheaders = {{X-Api-Key = "key"}}\n{VALUES}'
        until(made(HttpGeneric, toml), sink, lambda kept: len(kept.values("x_flow")) > 0)
    said = {r.channel: r.value for r in sink.readings}
    wanted = {"power_w": 1250.0, "energy_wh_total": 10_500.0, "temperature_c": 35.0, "x_door_open": 1.0, "x_flow": 0.5}
    assert said == {"state": "making"} | {k: pytest.approx(v) for k, v in wanted.items()}


def test_one_value_that_is_not_there_does_not_silence_the_others() -> None:
    sink = Kept()
    gone, door = '[[value]]\nchannel = "x_gone"\npath = "gone"\n', '[[value]]\nchannel = "x_door"\npath = "door"'
    with serving(Answers, {"body": LASER}) as address:
        until(made(HttpGeneric, f'url = "{address}"\n{gone}{door}'), sink, lambda kept: bool(kept.readings))
        with pytest.raises(AdapterError, match="nothing of what was described"):
            until(made(HttpGeneric, f'url = "{address}"\n{gone}'), sink, lambda _kept: False)
    assert sink.values("x_door") == [1.0]


def test_http_reads_a_bare_number() -> None:
    sink = Kept()
    with serving(Answers, {"body": b" 231.5\n"}) as address:
        toml = f'url = "{address}"\n[[value]]\nchannel = "voltage_v"'
        until(made(HttpGeneric, toml), sink, lambda kept: bool(kept.readings))
    assert sink.values("voltage_v") == [231.5]


def test_http_check_what_a_beginner_gets_wrong() -> None:
    one = '\n[[value]]\nchannel = "power_w"\npath = "machine.power"'
    closed = made(HttpGeneric, f'url = "http://127.0.0.1:{free_port()}"{one}')
    assert "cannot be reached" in sentences(closed)[1]
    with serving(Answers, {"body": LASER, "password": "key"}) as address:
        assert "refuses the name or the password" in sentences(made(HttpGeneric, f'url = "{address}"{one}'))[1]
    with serving(Answers, {"body": LASER}) as address:
        well, said = sentences(made(HttpGeneric, f'url = "{address}"{one}'))
        assert not well
        assert "leads nowhere at step 2, “power”; there is: state, power_kw" in said
        words = f'url = "{address}"\n[[value]]\nchannel = "state"\npath = "machine.state"'
        assert "say with “words” what it means" in sentences(made(HttpGeneric, words))[1]
        good = sentences(made(HttpGeneric, f'url = "{address}"{VALUES}'))
        assert good[0]
    with serving(Answers, {"body": b"<html>no JSON</html>"}) as address:
        assert not sentences(made(HttpGeneric, f'url = "{address}"{one}'))[0]
    with serving(Answers, {"body": {}, "to": "https://elsewhere.test/"}) as address:
        assert "sends on to https://elsewhere.test/" in sentences(made(HttpGeneric, f'url = "{address}"{one}'))[1]
    with serving(Answers, {"body": {}, "status": 500}) as address:
        assert "answers 500" in sentences(made(HttpGeneric, f'url = "{address}"{one}'))[1]


@pytest.mark.parametrize(
    ("toml", "why"),
    [
        ("", "“value” is missing"),
        ('[[value]]\nchannel = "watts"', "must be a channel of the city"),
        ('[[value]]\nchannel = "power_w"\nunit = "kWh"', "must be one of W, mW, kW, MW"),
        ('[[value]]\nchannel = "power_w"\npath = "a["', "is no path such as"),
        ('[[value]]\nchannel = "state"\nwords = {RUN = "running"}', "must be one of off, idle"),
        ('[[value]]\nchannel = "power_w"\nvalue = 3', "“value” of value 1. is not known"),
        ('jobs_from_state = true\n[[value]]\nchannel = "power_w"', "needs a value with the channel “state”"),
        ('[[value]]\nchannel = "x_a"\n[jobs]\nabove_w = 5', "needs a value with the channel “power_w”"),
        ('[headers]\nX = "a\\nb"\n[[value]]\nchannel = "x_a"', "must be one line"),
    ],
)
def test_faults_of_the_table(toml: str, why: str) -> None:
    faults = tried(HttpGeneric, f'url = "http://m"\n{toml}')[1]
    assert any(why in fault for fault in faults), faults


MQTT = """
[[value]]
topic = "shop/+/power"
channel = "power_w"
[[value]]
topic = "shop/laser/json"
channel = "energy_wh_total"
path = "total"
unit = "Wmin"
[[value]]
topic = "shop/laser/json"
channel = "state"
path = "state"
"""


async def _say(broker: Mosquitto, said: list[tuple[str, Any]], *, retain: bool = False) -> None:
    async with aiomqtt.Client("127.0.0.1", broker.port, username="lab", password="labpass") as client:
        for topic, body in said:
            await client.publish(topic, body if isinstance(body, str) else json.dumps(body), retain=retain)


def test_mqtt_reads_what_was_described(broker: Mosquitto) -> None:
    sink = Kept()
    adapter = made(MqttGeneric, broker.toml() + "jobs_from_state = true" + MQTT)
    messages = [
        ("shop/laser/power", "nonsense"),
        ("shop/laser/power", "40.5"),
        ("shop/laser/json", {"total": 600, "state": "making"}),
        ("shop/laser/json", {"state": "idle"}),
        ("shop/laser/power", "2"),
    ]

    async def go() -> None:
        async def speak() -> None:
            await asyncio.sleep(0.5)
            await _say(broker, messages)
            await asyncio.sleep(30)

        await run_until(adapter, sink, lambda: 2.0 in sink.values("power_w"), meanwhile=speak())

    asyncio.run(_say(broker, [("shop/laser/power", "999")], retain=True))
    asyncio.run(go())
    asyncio.run(_say(broker, [("shop/laser/power", "")], retain=True))
    assert sink.values("power_w") == [40.5, 2.0], "a retained value is of unknown age"
    assert sink.values("energy_wh_total") == [10.0]
    assert sink.values("state") == ["making", "idle"]
    assert sink.events == ["started", "finished"]


def test_mqtt_check(broker: Mosquitto, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mqtt_generic, "ANSWER_S", 0.5)
    retained = [("shop/x/power", "3"), ("shop/laser/json", {"total": 60, "state": "BUSY"})]
    asyncio.run(_say(broker, retained, retain=True))
    well, said = sentences(made(MqttGeneric, broker.toml() + MQTT))
    asyncio.run(_say(broker, [(topic, "") for topic, _body in retained], retain=True))
    assert not well
    assert "shop/+/power gives power_w = 3.0" in said
    assert "energy_wh_total = 1.0" in said
    assert "“BUSY” is none of" in said
    assert "Nothing came on shop/+/power" in sentences(made(MqttGeneric, broker.toml() + MQTT))[1]
    assert "refuses the name" in sentences(made(MqttGeneric, broker.toml("wrong") + MQTT))[1]


def test_mqtt_says_when_nothing_is_heard(broker: Mosquitto) -> None:
    adapter = made(MqttGeneric, broker.toml() + "silent_s = 1" + MQTT.replace("shop", "nowhere"))
    with pytest.raises(Exception, match="Nothing was heard for 1 s"):
        until(adapter, Kept(), lambda _kept: False)


def test_mqtt_topics_are_checked(broker: Mosquitto) -> None:
    for topic in ("a/#/b", "a/b+", "a#"):
        assert (
            "is no topic" in tried(MqttGeneric, broker.toml() + f'[[value]]\ntopic = "{topic}"\nchannel = "x_a"')[1][0]
        )


# --- jobs from what a machine does


def test_jobs_follow_from_state() -> None:
    sink = Kept()
    making = Making(sink)
    for second, state in enumerate(
        ["idle", "warming", "making", "paused", "paused", "making", "idle", "idle", "making"]
    ):
        making.see(state, _at(second))
    making.see("error", _at(20))
    assert sink.events == ["started", "paused", "progress", "finished", "started", "failed"]
    assert [job.job for job in sink.jobs[:4]] == ["job@2026-06-18T12:00:01.000Z"] * 4
    assert sink.jobs[4].job != sink.jobs[0].job


def test_a_restart_goes_on_with_the_job() -> None:
    sink = Kept()
    Making(sink).see("making", _at(0))
    Making(sink).see("making", _at(5))
    again = Making(sink)
    assert again.running
    again.see("idle", _at(9))
    assert sink.events == ["started", "finished"]
    assert sink.memory == {}


@given(
    st.lists(st.sampled_from(["off", "idle", "warming", "making", "paused", "error"]), max_size=40),
    st.sets(st.integers(0, 39)),
)
def test_whatever_a_machine_does_each_job_begins_once_and_ends_once(states: list[str], restarts: set[int]) -> None:
    sink = Kept()
    making = Making(sink)
    for n, state in enumerate(states):
        if n in restarts:
            making = Making(sink)
        making.see(state, _at(n))
    making.end("cancelled", _at(99))
    by_job: dict[str, list[str]] = {}
    for event in sink.jobs:
        by_job.setdefault(event.job, []).append(event.event)
    for events in by_job.values():
        assert events[0] == "started"
        assert events.count("started") == 1
        assert [e in {"finished", "failed", "cancelled"} for e in events] == [False] * (len(events) - 1) + [True]


def test_jobs_follow_from_power() -> None:
    """A laser cutter: 8 W idle, 350 W while it cuts, 20 s between two cuts of one job, then the next job."""
    cutting = [
        (0, 8),
        (10, 350),
        (30, 350),
        (40, 8),
        (60, 350),
        (80, 8),
        (190, 8),
        (200, 8),
        (210, 8),
        (300, 350),
        (306, 350),
    ]
    power = ByPower(Threshold(above_w=30, for_s=5, idle_for_s=120))
    sink = Kept()
    making = Making(sink)
    for second, watts in cutting:
        making.see(*power.feed(watts, _at(second)))
    assert [(job.event, job.at) for job in sink.jobs] == [
        ("started", _at(10)),
        ("finished", _at(80)),
        ("started", _at(300)),
    ]


def test_a_peak_that_is_over_at_once_is_no_job() -> None:
    power = ByPower(Threshold(above_w=30, for_s=5, idle_for_s=60))
    said = [
        power.feed(watts, _at(second))[0]
        for second, watts in [(0, 5), (1, 900), (2, 5), (7, 5), (8, 900), (12, 900), (13, 900)]
    ]
    assert said == ["idle"] * 6 + ["making"]


def test_jobs_from_power_over_http() -> None:
    sink = Kept()
    here = {"body": b"350"}
    with serving(Answers, here) as address:
        toml = f'url = "{address}"\nevery_s = 1\n[[value]]\nchannel = "power_w"\n[jobs]\nabove_w = 30\nfor_s = 0'
        until(made(HttpGeneric, toml), sink, lambda kept: bool(kept.jobs))
    assert sink.values("power_w")[0] == 350.0
    assert (sink.values("state"), sink.events) == (["making"], ["started"])
