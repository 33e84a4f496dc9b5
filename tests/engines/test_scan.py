"""The compiled scanner of telemetry says what the general way says, or nothing."""

import json
import math
from typing import Any

import numpy as np
import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from commons.devices.engine.parse import Batch, parse
from commons.devices.engine.scan import scan

FIXED = ("power_w", "energy_wh_total", "state", "progress", "temperature_c", "voltage_v")
MOST = 10_000
GOOD = '{"seq":1,"ts":"2026-11-22T14:00:00Z","channel":"power_w","value":1.5}'


def scanned(body: bytes) -> Batch | None:
    return scan(body, fixed=FIXED, most=MOST)


def generally(body: bytes) -> Batch:
    return parse(orjson.loads(body)["readings"], fixed=FIXED, states={"idle": 1.0})


def same(body: bytes) -> None:
    """Both say the same, to the last bit."""
    found, expected = scanned(body), generally(body)
    assert found is not None, body
    assert not expected.faults
    assert found.channels == expected.channels
    for name in ("seq", "ts", "channel"):
        assert np.array_equal(getattr(found, name), getattr(expected, name)), body
    assert found.value.tobytes() == expected.value.tobytes(), body


def body_of(*items: str) -> bytes:
    return ('{"readings":[' + ",".join(items) + "]}").encode()


numbers = st.one_of(
    st.integers(-(10**8), 10**8).map(str),
    st.floats(-1e8, 1e8).map(repr),
    st.decimals(-1000, 1000, places=3).map(str),
    st.sampled_from(["0", "-0", "0.0", "-0.0", "1e3", "1E-7", "2.5e+2", "90.07199254740993", "0.1234567890123456789"]),
)
stamps = st.one_of(
    st.datetimes().filter(lambda at: at.year >= 1900).map(lambda at: at.isoformat() + "Z"),
    st.sampled_from(["2024-02-29T23:59:59Z", "2000-02-29T00:00:00.1Z", "1999-12-31T23:59:59.999999Z"]),
)
blanks = st.sampled_from(["", " ", "\n  ", "\t", "\r\n"])
keys = st.permutations(["seq", "ts", "channel", "value"])
channels = st.sampled_from(["power_w", "temperature_c", "voltage_v", "x_flow", "x_2"])


@st.composite
def items(draw: Any) -> str:
    of = {
        "seq": str(draw(st.integers(0, 10**18 - 1))),
        "ts": f'"{draw(stamps)}"',
        "channel": f'"{draw(channels)}"',
        "value": draw(numbers),
    }
    gap = draw(blanks)
    fields = [f'{gap}"{key}"{gap}:{gap}{of[key]}{gap}' for key in draw(keys)]
    return f"{gap}{{{','.join(fields)}}}{gap}"


@settings(deadline=None)
@given(st.lists(items(), min_size=1, max_size=20))
def test_what_it_reads_is_what_the_general_way_reads(readings: list[str]) -> None:
    same(body_of(*readings))


@pytest.mark.parametrize("separators", [(",", ":"), (", ", ": ")])
def test_what_programs_write(separators: tuple[str, str]) -> None:
    rng = np.random.default_rng(5)
    readings = [
        {"seq": n + 1, "ts": f"2026-11-22T14:{n // 60:02d}:{n % 60:02d}.250Z", "channel": "power_w", "value": value}
        for n, value in enumerate([*(rng.normal(size=500) * 10.0 ** rng.integers(-20, 7, 500)).tolist(), 5e-324, 1e8])
    ]
    same(json.dumps({"readings": readings}, separators=separators).encode())


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"[]",
        b'{"readings":[]}x',
        b'{"readings":[]}',
        b'{"other":[' + GOOD.encode() + b"]}",
        b'{"readings":[' + GOOD.encode() + b'],"more":1}',
        b'{"readings":[' + GOOD.encode() + b",]}",
        body_of(GOOD.replace('"seq":1', '"seq":01')),
        body_of(GOOD.replace('"seq":1', '"seq":-1')),
        body_of(GOOD.replace('"seq":1', '"seq":1.0')),
        body_of(GOOD.replace('"seq":1', '"seq":"1"')),
        body_of(GOOD.replace('"seq":1', '"seq":9223372036854775808')),
        body_of(GOOD.replace('"seq":1', '"seq":1,"seq":2')),
        body_of(GOOD.replace('"seq":1,', "")),
        body_of(GOOD.replace("}", ',"x":1}')),
        body_of(GOOD.replace("power_w", "power_kw")),
        body_of(GOOD.replace("power_w", "power\\u005fw")),
        body_of(GOOD.replace("power_w", "")),
        body_of(GOOD.replace("00Z", "60Z")),
        body_of(GOOD.replace("00Z", "00+01:00")),
        body_of(GOOD.replace("00Z", "00.1234567Z")),
        body_of(GOOD.replace("00Z", "00.Z")),
        body_of(GOOD.replace("11-22", "11-31")),
        body_of(GOOD.replace("2026-11-22", "2026-02-29")),
        body_of(GOOD.replace("14:00", "24:00")),
        *(body_of(GOOD.replace("1.5", bad)) for bad in ("01", "1.", ".5", "+1", "1e", "true", '"idle"', "null", "NaN")),
        *(body_of(GOOD.replace("1.5", bad)) for bad in ("1e9", "-1e99", "1e999", "- 1", "1 2", "--1")),
        body_of(GOOD.replace("power_w", "energy_wh_total").replace("1.5", "-1")),
        body_of(*[GOOD.replace("power_w", f"x_{n}") for n in range(40)]),
        body_of(*[GOOD] * (MOST + 1)),
    ],
)
def test_the_extraordinary_goes_the_general_way(body: bytes) -> None:
    found = scanned(body)
    assert found is None or len(found.seq) == 0


@settings(deadline=None, max_examples=300)
@given(st.data())
def test_no_broken_body_is_read_as_something_else(data: st.DataObject) -> None:
    """A body with a few bytes changed is read by both alike, or left to the general way."""
    body = bytearray(body_of(GOOD, GOOD.replace(":1,", ":2,").replace("power_w", "x_flow").replace("1.5", "-0.25e1")))
    for _ in range(data.draw(st.integers(1, 3))):
        at = data.draw(st.integers(0, len(body) - 1))
        kind = data.draw(st.sampled_from(["change", "drop", "cut"]))
        if kind == "change":
            body[at] = data.draw(st.sampled_from(list(b'0159.-+eE"{}[]:,TZ x_\\\n')))
        elif kind == "drop":
            del body[at]
        else:
            del body[at:]
        if not body:
            return
    found = scanned(bytes(body))
    if found is not None:
        expected = generally(bytes(body))
        assert not expected.faults
        assert np.array_equal(found.ts, expected.ts)
        assert np.array_equal(found.seq, expected.seq)
        assert all(math.isclose(a, b, abs_tol=0) for a, b in zip(found.value, expected.value, strict=True))
