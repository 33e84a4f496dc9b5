"""Units and forms of plugs against numbers worked out independently of the code."""

import datetime as dt
import math
import zoneinfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from livingcity_agent.parsers import measured, paths, shelly, tasmota, units
from livingcity_agent.parsers.measured import Measured


@pytest.mark.parametrize(
    ("channel", "value", "unit", "wanted"),
    [
        # 1 kWh = 3.6 MJ (SI brochure); a kettle of 2 kW for 3 minutes takes 100 Wh
        ("energy_wh_total", 3.6, "MJ", 1000.0),
        ("energy_wh_total", 360_000, "Ws", 100.0),
        ("energy_wh_total", 360_000, "J", 100.0),
        ("energy_wh_total", 360, "kJ", 100.0),
        ("energy_wh_total", 6000, "Wmin", 100.0),
        ("energy_wh_total", 0.1, "kWh", 100.0),
        ("energy_wh_total", 0.0001, "MWh", 100.0),
        ("energy_wh_total", 100_000, "mWh", 100.0),
        ("power_w", 1.5, "kW", 1500.0),
        ("power_w", 250, "mW", 0.25),
        ("voltage_v", 230_000, "mV", 230.0),
        # boiling and freezing water; -40 is the same on both scales; 0 °C is 273.15 K by definition
        ("temperature_c", 212, "F", 100.0),
        ("temperature_c", 32, "F", 0.0),
        ("temperature_c", -40, "F", -40.0),
        ("temperature_c", 273.15, "K", 0.0),
        ("progress", 42.5, "%", 0.425),
    ],
)
def test_units_by_definition(channel: str, value: float, unit: str, wanted: float) -> None:
    assert units.convert(channel, value, unit) == pytest.approx(wanted, rel=1e-12, abs=1e-12)


def test_the_first_unit_of_a_channel_is_its_own() -> None:
    for channel in units.UNITS:
        own = units.units_of(channel)[0]
        assert units.convert(channel, 12.5, own) == 12.5


def test_shelly_first_generation_counts_watt_minutes() -> None:
    """2,632 watt-minutes are 43.867 Wh: 2,632 W for one minute."""
    status = {
        "relays": [{"ison": True}],
        "meters": [{"power": 61.5, "is_valid": True, "total": 2632, "counters": [60.1, 60.0, 59.9]}],
        "tmp": {"tC": 24.14, "tF": 75.45, "is_valid": True},
    }
    (part,) = shelly.gen1_status(status).values()
    assert part == Measured(61.5, pytest.approx(2632 * 60 / 3600), None, 24.14, None, True)


def test_shelly_first_generation_clamps_count_watt_hours() -> None:
    status = {
        "relays": [{"ison": False}],
        "emeters": [{"power": 12.3, "voltage": 229.8, "is_valid": True, "total": 411.2}],
    }
    assert shelly.gen1_status(status)[0] == Measured(12.3, 411.2, 229.8, None, None, False)


def test_a_meter_that_says_it_is_not_valid_says_nothing() -> None:
    assert shelly.gen1_status({"meters": [{"power": 5, "total": 7, "is_valid": False}]})[0].empty


@pytest.mark.parametrize(
    ("topic", "body", "wanted"),
    [
        ("relay/0/power", b"61.50", (0, Measured(power_w=61.5))),
        ("relay/0/energy", b"6000", (0, Measured(energy_wh=100.0))),
        ("relay/1/energy", b"4294967295", (1, Measured(energy_wh=pytest.approx(71_582_788.25)))),
        ("emeter/2/total", b"411.2", (2, Measured(energy_wh=411.2))),
        ("emeter/2/voltage", b"229.8", (2, Measured(voltage_v=229.8))),
        ("relay/0", b"on", (0, Measured(on=True))),
        ("relay/0", b"overpower", (0, Measured(on=False))),
        ("temperature", b"24.5", (0, Measured(temperature_c=24.5))),
        # an emeter's `energy` are watt-minutes beside its `total`, and only one of the two may count
        ("emeter/2/energy", b"17", None),
        ("emeter/2/returned_energy", b"17", None),
        ("relay/0/overpower_value", b"17", None),
        ("relay/0/power", b"nan", None),
        ("relay/0/power", b"\xff\xfe", None),
        ("input/0", b"1", None),
        ("announce", b"{}", None),
    ],
)
def test_shelly_first_generation_topics(topic: str, body: bytes, wanted: object) -> None:
    assert shelly.gen1_topic(topic, body) == wanted


def test_where_the_first_generation_counter_starts_over() -> None:
    assert pytest.approx(4_294_967_296 / 60) == shelly.GEN1_WRAPS_WH


def test_shelly_three_phases_are_one_meter() -> None:
    status = {
        "em:0": {"id": 0, "a_voltage": 229.0, "total_act_power": 558.965, "total_current": 3.856, "a_act_power": 375.5},
        "emdata:0": {"id": 0, "total_act": 2589773.39, "total_act_ret": 1026.61},
        "temperature:0": {"id": 0, "tC": 46.6},
    }
    assert shelly.gen2_status(status) == {0: Measured(558.965, 2589773.39, 229.0, None, 3.856, None)}


def test_shelly_single_phases_keep_their_numbers() -> None:
    status = {
        "em1:0": {"act_power": -21.5, "voltage": 230.1},
        "em1data:0": {"total_act_energy": 10.5, "total_act_ret_energy": 3.0},
        "em1:1": {"act_power": 100.0},
        "em1data:1": {"total_act_energy": 20.0},
        "pm1:2": {"apower": 7.0, "aenergy": {"total": 30.0}},
    }
    parts = shelly.gen2_status(status)
    assert [(n, p.power_w, p.energy_wh) for n, p in parts.items()] == [
        (0, -21.5, 10.5),
        (1, 100.0, 20.0),
        (2, 7.0, 30.0),
    ]


def test_a_notification_holds_only_what_changed() -> None:
    whole = shelly.gen2_status({"switch:0": {"output": True, "apower": 2.7, "aenergy": {"total": 7258.589}}})[0]
    message = {"src": "s", "method": "NotifyStatus", "params": {"ts": 1.0, "switch:0": {"id": 0, "apower": 50.0}}}
    told = shelly.gen2_notification(message)[0]
    assert told == Measured(power_w=50.0)
    assert told.over(whole) == Measured(50.0, 7258.589, on=True)
    assert shelly.gen2_notification({"method": "NotifyEvent", "params": {"switch:0": {"apower": 1}}}) == {}


@given(
    st.recursive(
        st.none() | st.booleans() | st.floats() | st.integers() | st.text(max_size=5),
        lambda s: (
            st.lists(s, max_size=3)
            | st.dictionaries(
                st.sampled_from(
                    [
                        "switch:0",
                        "aenergy",
                        "total",
                        "apower",
                        "ENERGY",
                        "Power",
                        "Total",
                        "StatusSNS",
                        "meters",
                        "relays",
                        "emeters",
                        "method",
                        "params",
                        "em:0",
                    ]
                ),
                s,
                max_size=3,
            )
        ),
        max_leaves=12,
    )
)
def test_no_json_makes_a_parser_fail_or_say_what_is_no_number(document: object) -> None:
    parts = [*shelly.gen1_status(document).values(), *shelly.gen2_status(document).values()]
    parts += [*shelly.gen2_notification(document).values(), tasmota.measured(tasmota.energy(document))]
    for part in parts:
        for value in (part.power_w, part.energy_wh, part.voltage_v):
            assert value is None or math.isfinite(value)


def test_tasmota_counts_kilowatt_hours() -> None:
    said = {"Total": 12.3456, "Yesterday": 1, "Today": 0.2, "Power": 61, "Voltage": 229, "Current": 0.266}
    assert tasmota.measured(said) == Measured(61.0, pytest.approx(12_345.6), 229.0, None, 0.266, None)


def test_tasmota_channels_are_summed_where_the_counter_is_split() -> None:
    said = {"Total": [1.5, 0.25], "Power": [100, 20], "Voltage": 230, "Current": [0.4, 0.1]}
    assert tasmota.channels(said) == 2
    assert tasmota.measured(said) == Measured(120.0, 1750.0, 230.0, None, 0.5, None)
    assert tasmota.measured(said, [2]) == Measured(20.0, 250.0, 230.0, None, 0.1, None)


def test_tasmota_counter_of_the_whole_device_is_no_channels_own() -> None:
    said = {"Total": 1.75, "Power": [100, 20], "Voltage": [230, 231], "Current": [0.4, 0.1]}
    assert tasmota.measured(said).energy_wh == 1750.0
    assert tasmota.measured(said, [2]) == Measured(20.0, None, 231.0, None, 0.1, None)
    assert tasmota.measured(said, [2, 1]).energy_wh == 1750.0
    assert tasmota.measured(said, [3]).power_w is None


HELSINKI = zoneinfo.ZoneInfo("Europe/Helsinki")


@pytest.mark.parametrize(
    ("text", "arrived", "wanted"),
    [
        # summer time, UTC+3
        ("2026-06-18T16:50:00", "2026-06-18T13:50:02", "2026-06-18T13:50:00"),
        # 25 October 2026: 03:30 comes twice, at 00:30 and at 01:30 UTC
        ("2026-10-25T03:30:00", "2026-10-25T00:30:01", "2026-10-25T00:30:00"),
        ("2026-10-25T03:30:00", "2026-10-25T01:30:01", "2026-10-25T01:30:00"),
        # a clock with a zone (SetOption52 1), a clock without a time server, one in another zone, nonsense
        ("2026-06-18T16:50:00+03:00", "2026-06-18T13:50:02", "2026-06-18T13:50:00"),
        ("1970-01-01T00:02:11", "2026-06-18T13:50:02", "2026-06-18T13:50:02"),
        ("2026-06-18T13:50:00", "2026-06-18T13:50:02", "2026-06-18T13:50:02"),
        ("0001-01-01T00:00:00", "2026-06-18T13:50:02", "2026-06-18T13:50:02"),
        ("noon", "2026-06-18T13:50:02", "2026-06-18T13:50:02"),
        (None, "2026-06-18T13:50:02", "2026-06-18T13:50:02"),
    ],
)
def test_tasmota_local_time(text: object, arrived: str, wanted: str) -> None:
    def utc(value: str) -> dt.datetime:
        return dt.datetime.fromisoformat(value).replace(tzinfo=dt.UTC)

    assert tasmota.stamp(text, HELSINKI, utc(arrived)) == utc(wanted)


@pytest.mark.parametrize(("for_s", "wanted"), [(180, 280), (12, 112), (3, 112), (64_800, 64_900), (99_999, 64_900)])
def test_tasmota_pulse_time(for_s: int, wanted: int) -> None:
    assert tasmota.pulse(for_s) == wanted


@pytest.mark.parametrize(("remaining", "wanted"), [(0, None), (55, 5.5), (111, 11.1), (112, 12.0), (280, 180.0)])
def test_tasmota_timer_that_runs(remaining: int, wanted: float | None) -> None:
    assert tasmota.opens_in({"PulseTime1": {"Set": 280, "Remaining": remaining}}, 1) == wanted


def test_a_sum_lacks_no_part() -> None:
    parts = {0: Measured(1.0, 10.0), 1: Measured(2.0)}
    assert measured.total(parts, [0, 1]) == Measured(power_w=3.0)
    assert measured.total(parts, [0, 7]).power_w is None


DOCUMENT = {"ENERGY": {"Power": [1, 2]}, "switch:0": {"apower": 3}, "a/b": {"m~n": 4}, "x.y": 5, "": 6}


@pytest.mark.parametrize(
    ("path", "wanted"),
    [
        ("ENERGY.Power[1]", 2),
        ("$.ENERGY.Power[-1]", 2),
        ("/ENERGY/Power/0", 1),
        ("switch:0.apower", 3),
        ('["switch:0"].apower', 3),
        ("['x.y']", 5),
        ("/a~1b/m~0n", 4),  # RFC 6901, section 4
        ("/", 6),  # RFC 6901, section 5
        ("", DOCUMENT),
        ("$", DOCUMENT),
    ],
)
def test_paths(path: str, wanted: object) -> None:
    assert paths.find(DOCUMENT, path) == wanted


@pytest.mark.parametrize("path", ["ENERGY.Power[2]", "ENERGY.Voltage", "/ENERGY/Power/x", "switch:0.apower.more"])
def test_a_path_that_leads_nowhere_says_what_there_is(path: str) -> None:
    with pytest.raises(paths.PathError, match="leads nowhere at step"):
        paths.find(DOCUMENT, path)


@pytest.mark.parametrize("path", ["a[", "a[b]", "a]", "..a", "/a~2", "[1"])
def test_a_path_that_cannot_be_read(path: str) -> None:
    with pytest.raises(paths.PathError, match="is no"):
        paths.steps_of(path)
