"""MTConnect: documents of several versions, and the adapter against a look-alike agent on a real socket."""

import asyncio
import datetime as dt
from collections.abc import Callable
from typing import Any

import pytest

from livingcity_agent.adapters.base import AdapterError
from livingcity_agent.adapters.mtconnect import MTConnect
from livingcity_agent.parsers import mtconnect as parse
from tests.agent.adapters.mill import Agent, Mill
from tests.agent.adapters.plugs import Plug, Shelly2
from tests.agent.adapters.stage import Kept, free_port, made, run_until, sentences, serving, until


@pytest.mark.parametrize("version", ["1.2", "1.5", "1.8", "2.0", "2.5"])
def test_versions_differ_only_in_their_namespace(version: str) -> None:
    mill = Mill(version=version)
    mill.tell("watts", "1250.5")
    header, seen = parse.streams(mill.current())
    assert (header.instance, header.first, header.next) == ("1700000001", 1, 10)
    assert [o.sequence for o in seen] == sorted(o.sequence for o in seen)
    assert [(o.kind, o.value) for o in seen if o.known] == [("Wattage", "1250.5")]
    items = {item.id: item for item in parse.probe(mill.probe())}
    assert (items["joules"].kind, items["joules"].units, items["joules"].device) == (
        "electricalenergy",
        "WATT_SECOND",
        "Mill-1",
    )
    assert items["spindle_w"].component == "Rotary"


@pytest.mark.parametrize(
    ("units", "text", "wanted"),
    [
        ("WATT_SECOND", "3600000", 1000.0),  # 1 kWh by definition
        ("KILOWATT_HOUR", "1.5", 1500.0),
        ("KILOWATT", "1.5", 1500.0),
        ("PERCENT", "87.5", 0.875),
        ("WATT", "10 20 30", 30.0),  # a time series: its last sample
        ("WATT", "UNAVAILABLE", None),
        ("WATT", "", None),
    ],
)
def test_units_of_the_standard(units: str, text: str, wanted: float | None) -> None:
    said = parse.Item("i", "wattage", units, "Device", "M").scaled(text)
    assert said == (None if wanted is None else pytest.approx(wanted))


def test_a_probe_without_units_has_those_of_the_standard() -> None:
    item = b'<DataItems><DataItem id="e" type="ELECTRICAL_ENERGY"/></DataItems>'
    body = b'<MTConnectDevices><Devices><Device name="M">' + item + b"</Device></Devices></MTConnectDevices>"
    assert [(item.id, item.units) for item in parse.probe(body)] == [("e", "WATT_SECOND")]


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("2026-06-18T13:50:00Z", "2026-06-18T13:50:00+00:00"),
        ("2026-06-18T13:50:00.123456789Z", "2026-06-18T13:50:00.123456+00:00"),
        ("2026-06-18T15:50:00.5+02:00", "2026-06-18T15:50:00.500000+02:00"),
        ("2026-06-18T13:50:00", "2026-06-18T13:50:00+00:00"),
        ("2026-06-18T13:50:00Z@100.0", "2026-06-18T13:50:00+00:00"),  # a duration, as in 1.x
        ("soon", None),
    ],
)
def test_time_stamps(text: str, wanted: str | None) -> None:
    said = parse.stamp(text)
    assert (said.isoformat() if said else None) == wanted


BOMB = b"""<?xml version="1.0"?><!DOCTYPE lolz [<!ENTITY lol "lol"><!ENTITY lol2 "&lol;&lol;&lol;&lol;">]>
<MTConnectStreams><Header instanceId="&lol2;"/></MTConnectStreams>"""
OUTSIDE = b'<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd">]><MTConnectStreams><Header/>&x;</MTConnectStreams>'
NONE = [b"", b"\xff\xfe<\0a\0", b"<a", b"<MTConnectStreams/>", b"<html></html>", b"{}"]


@pytest.mark.parametrize(
    "body", [BOMB, OUTSIDE, b"", b"\xff\xfe<\0a\0", b"<a", b"<MTConnectStreams/>", b"<html></html>", b"{}"]
)
def test_what_is_no_document_or_no_safe_one_is_refused(body: bytes) -> None:
    with pytest.raises(parse.NotMTConnect):
        parse.streams(body)


def test_error_documents_of_old_and_new_versions() -> None:
    with pytest.raises(parse.MTConnectRefused, match="NO_DEVICE: Could not find") as old:
        parse.streams(Mill(version="1.3").error("NO_DEVICE", "Could not find the device"))
    assert old.value.code == "NO_DEVICE"
    inner = b'<OutOfRange errorCode="OUT_OF_RANGE"><URI>/sample</URI><ErrorMessage>too old</ErrorMessage></OutOfRange>'
    new = b"<MTConnectError><Errors>" + inner + b"</Errors></MTConnectError>"
    with pytest.raises(parse.MTConnectRefused, match=r"OUT_OF_RANGE.*too old"):
        parse.streams(new)


def test_parts_come_whole_whatever_the_pieces() -> None:
    bodies = [b"<a/>", b"<b>--x</b>", b""]
    stream = b"".join(
        b"--x\r\nContent-type: text/xml\r\nContent-length: %d\r\n\r\n%b\r\n" % (len(b), b) for b in bodies
    )
    for size in (1, 3, 7, 1000):
        buffer, found = bytearray(), []
        for start in range(0, len(stream), size):
            buffer += stream[start : start + size]
            found += parse.parts(buffer, b"x")
        assert found == bodies


# --- the adapter


def _mtconnect(address: str, more: str = "") -> MTConnect:
    return made(MTConnect, f'url = "{address}"\nevery_s = 0.1\n{more}')


def _make(mill: Mill, *, ends: str = "PROGRAM_COMPLETED") -> None:
    mill.tell("pgm", "C:\\NC\\bracket.nc")
    mill.tell("exec", "ACTIVE")
    mill.tell("watts", 1250)
    mill.tell("joules", 3_600_000)
    mill.tell("parts", 1)
    mill.tell("exec", ends)


def _during(adapter: MTConnect, sink: Kept, enough: Callable[[], bool], *steps: Callable[[], Any]) -> None:
    """Run the adapter, and do the steps once it has heard how things stand."""

    async def go() -> None:
        async def speak() -> None:
            while not sink.recall("mtconnect"):
                await asyncio.sleep(0.01)
            for step in steps:
                step()
                await asyncio.sleep(0.05)
            await asyncio.sleep(60)

        await run_until(adapter, sink, enough, meanwhile=speak())

    asyncio.run(go())


@pytest.mark.parametrize("streaming", [True, False])
@pytest.mark.parametrize("version", ["1.2", "2.0"])
def test_a_job_with_its_energy(streaming: bool, version: str) -> None:
    mill, sink = Mill(version=version, streaming=streaming), Kept()
    mill.tell("exec", "READY")
    with serving(Agent, mill) as address:
        _during(_mtconnect(address), sink, lambda: "finished" in sink.events, lambda: _make(mill))
    assert sink.events == ["started", "finished"]
    assert sink.jobs[0].file is not None
    assert sink.jobs[0].file.name == "bracket.nc"
    assert sink.values("power_w") == [1250.0]
    assert sink.values("energy_wh_total") == [pytest.approx(1000.0)]
    assert sink.values("state") == ["idle", "making", "idle"]


def test_how_jobs_end() -> None:
    mill, sink = Mill(), Kept()
    steps = [
        lambda: (mill.tell("parts", 0), mill.tell("exec", "ACTIVE"), mill.tell("exec", "FEED_HOLD")),
        lambda: (mill.tell("exec", "ACTIVE"), mill.tell("exec", "STOPPED")),
        lambda: (mill.tell("exec", "ACTIVE"), mill.tell("parts", 1), mill.tell("exec", "STOPPED")),
        lambda: (mill.tell("exec", "ACTIVE"), mill.tell("estop", "TRIGGERED"), mill.tell("exec", "STOPPED")),
    ]
    with serving(Agent, mill) as address:
        _during(
            _mtconnect(address), sink, lambda: sink.events.count("started") == 3 and "failed" in sink.events, *steps
        )
    assert sink.events == ["started", "paused", "progress", "cancelled", "started", "finished", "started", "failed"]


def test_a_restart_of_ours_goes_on_at_the_sequence() -> None:
    mill, sink = Mill(), Kept()
    mill.tell("exec", "READY")
    with serving(Agent, mill) as address:
        until(_mtconnect(address), sink, lambda kept: kept.recall("mtconnect") is not None)
        _make(mill)
        mill.tell("watts", 30)
        until(_mtconnect(address), sink, lambda kept: 30.0 in kept.values("power_w"))
    assert sink.events == ["started", "finished"], "what happened while nobody listened is in the agent's buffer"
    assert sink.values("power_w") == [1250.0, 30.0]


def test_after_a_gap_that_the_buffer_does_not_hold_things_stand_as_they_stand() -> None:
    mill, sink = Mill(most=20), Kept()
    with serving(Agent, mill) as address:
        until(_mtconnect(address), sink, lambda kept: kept.recall("mtconnect") is not None)
        for watts in range(50):
            mill.tell("watts", watts)
        until(_mtconnect(address), sink, lambda kept: bool(kept.values("power_w")))
    assert sink.values("power_w") == [49.0]


def test_a_restart_of_theirs_begins_anew() -> None:
    mill, sink = Mill(), Kept()
    mill.tell("exec", "ACTIVE")
    with serving(Agent, mill) as address:
        adapter = _mtconnect(address)

        async def go() -> None:
            async def again() -> None:
                while not sink.jobs:
                    await asyncio.sleep(0.01)
                mill.restart()
                mill.tell("exec", "READY")
                await asyncio.sleep(60)

            async def resilient(kept: Any) -> None:
                while True:
                    try:
                        await MTConnect.run(adapter, kept)
                    except AdapterError:
                        await asyncio.sleep(0.05)

            adapter.run = resilient  # type: ignore[method-assign]
            await run_until(adapter, sink, lambda: "finished" in sink.events, meanwhile=again())

        asyncio.run(go())
    assert sink.events == ["started", "finished"]
    assert sink.recall("mtconnect")["instance"] == "1700000002"


def test_a_clock_that_is_behind_is_put_right() -> None:
    mill, sink = Mill(behind=7200), Kept()
    mill.tell("watts", 5)
    with serving(Agent, mill) as address:
        until(_mtconnect(address), sink, lambda kept: bool(kept.readings))
    assert sink.readings[0].at is not None
    assert abs(sink.readings[0].at - dt.datetime.now(dt.UTC)) < dt.timedelta(seconds=20)


def test_a_value_that_has_stood_for_years_is_not_told_as_years_old() -> None:
    mill, sink = Mill(), Kept()
    mill.tell("watts", 5)
    sequence, item, value, _at = mill.seen.pop()
    mill.seen.append((sequence, item, value, "2019-01-01T00:00:00Z"))
    with serving(Agent, mill) as address:
        until(_mtconnect(address), sink, lambda kept: bool(kept.readings))
    assert sink.readings[0].at is not None
    assert dt.datetime.now(dt.UTC) - sink.readings[0].at < dt.timedelta(days=400)


def test_check() -> None:
    with serving(Agent, Mill()) as address:
        well, said = sentences(_mtconnect(address))
        assert well
        assert "tells jobs and energy_wh_total, power_w, x_power_factor" in said
        assert "watts is read. Another one: power_id" in said
        assert "has no device “Lathe”" in sentences(_mtconnect(address, 'device = "Lathe"'))[1]
        assert "has no data item “nope”" in sentences(_mtconnect(address, 'power_id = "nope"'))[1]
        assert sentences(_mtconnect(address, 'device = "Mill-1"\npower_id = "spindle_w"'))[0]
    with serving(Agent, Mill(devices=("Mill-1", "Lathe"))) as address:
        assert "has the devices Lathe, Mill-1: say which" in sentences(_mtconnect(address))[1]
    with serving(Shelly2, Plug()) as address:
        assert "not as MTConnect does" in sentences(_mtconnect(address))[1]
    with serving(Agent, Mill(body=BOMB)) as address:
        assert "DOCTYPE" in sentences(_mtconnect(address))[1]
    assert "cannot be reached" in sentences(_mtconnect(f"http://127.0.0.1:{free_port()}"))[1]
