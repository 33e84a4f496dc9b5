"""Files of utilities, written as they write them: German load profiles, Datadis, Enedis, counters, Green Button."""

import datetime as dt
from collections.abc import Callable
from zoneinfo import ZoneInfo

import pytest

from energy.meterfiles import greenbutton, table
from energy.meterfiles.greenbutton import BadXml
from energy.meterfiles.mapping import BadMapping, Mapping, Value, fingerprint, from_document
from energy.meterfiles.readings import Read

BERLIN, MADRID, PARIS = ZoneInfo("Europe/Berlin"), ZoneInfo("Europe/Madrid"), ZoneInfo("Europe/Paris")
AUTUMN, SPRING = dt.date(2026, 10, 25), dt.date(2026, 3, 29)


def instants(day: dt.date, zone: ZoneInfo, minutes: int) -> list[dt.datetime]:
    """The starts of a local day's steps, in UTC."""
    at = dt.datetime.combine(day, dt.time(), tzinfo=zone).astimezone(dt.UTC)
    end = dt.datetime.combine(day + dt.timedelta(days=1), dt.time(), tzinfo=zone).astimezone(dt.UTC)
    found = []
    while at < end:
        found.append(at)
        at += dt.timedelta(minutes=minutes)
    return found


def german(day: dt.date, *, by_clock: bool) -> tuple[str, list[dt.datetime]]:
    """A load profile of a German metering operator: preamble, end of the quarter, decimal comma, status, sum line."""
    starts = instants(day, BERLIN, 15)
    lines = ["Zählpunkt;DE00012345678900000000000000012345", "Einheit;kWh", "", "Datum;Zeit bis;Verbrauch [kWh];Status"]
    for k, start in enumerate(starts):
        if by_clock:
            end = (start + dt.timedelta(minutes=15)).astimezone(BERLIN)
        else:
            end = start.astimezone(BERLIN).replace(tzinfo=None) + dt.timedelta(minutes=15)
        kwh = f"{k / 1000:.3f}".replace(".", ",")
        lines.append(f"{end:%d.%m.%Y;%H:%M};{kwh};W")
    return "\r\n".join(lines) + "\r\n", starts


def datadis(day: dt.date) -> tuple[str, list[dt.datetime]]:
    """Spain: hours 1 to 24 (23, 25), commas for decimals, real or estimated."""
    starts = instants(day, MADRID, 60)
    lines = ["cups;fecha;hora;consumo_kWh;metodoObtencion"]
    for k, start in enumerate(starts):
        end = (start + dt.timedelta(hours=1)).astimezone(MADRID)
        label = "24:00" if k == len(starts) - 1 else f"{end:%H:%M}"
        lines.append(f"ES0031000000000001JN0F;{day:%Y/%m/%d};{label};{k}, ;Real".replace(", ", ",5"))
    return "\n".join(lines), starts


def enedis(day: dt.date) -> tuple[str, list[dt.datetime]]:
    """France: ISO with offset at the end of the half hour, mean power in W."""
    starts = instants(day, PARIS, 30)
    lines = ["Identifiant PRM;Date de début;Date de fin", "01234567890123;25/10/2026;26/10/2026", "Horodate;Valeur (W)"]
    lines += [f"{(s + dt.timedelta(minutes=30)).astimezone(PARIS).isoformat()};{500 + k}" for k, s in enumerate(starts)]
    return "\n".join(lines), starts


@pytest.mark.parametrize("day", [AUTUMN, SPRING, dt.date(2026, 6, 1)])
@pytest.mark.parametrize("by_clock", [True, False])
def test_a_german_load_profile_on_days_of_23_24_and_25_hours(day: dt.date, *, by_clock: bool) -> None:
    text, starts = german(day, by_clock=by_clock)
    look = table.look(text)
    assert (look.delimiter, look.header_line) == (";", 4)
    mapping = table.guess(look)
    assert (mapping.time, mapping.clock, mapping.is_end, mapping.decimal) == (0, 1, True, ",")
    assert mapping.values == (Value(2, "use", "kWh", counter=False),)
    found = table.read(text, mapping, BERLIN)
    assert found.bad == []
    assert found.series[0].step_minutes == 15
    assert found.series[0].kwh == pytest.approx({start: k / 1000 for k, start in enumerate(starts)})
    assert found.marks == {"W": len(starts)}


@pytest.mark.parametrize("day", [SPRING, AUTUMN, dt.date(2026, 1, 7)])
def test_datadis_counts_hours_from_one_to_twenty_four(day: dt.date) -> None:
    text, starts = datadis(day)
    mapping = table.guess(table.look(text))
    assert (mapping.meter, mapping.time, mapping.clock, mapping.status, mapping.is_end) == (0, 1, 2, 4, True)
    found = table.read(text, mapping, MADRID)
    assert found.bad == []
    assert found.series[0].meter == "ES0031000000000001JN0F"
    assert found.series[0].kwh == pytest.approx({start: k + 0.5 for k, start in enumerate(starts)})


def test_enedis_gives_power_with_the_offset_in_the_time() -> None:
    text, starts = enedis(AUTUMN)
    mapping = table.guess(table.look(text))
    assert mapping.is_end
    assert mapping.values[0].unit == "W"
    found = table.read(text, mapping, PARIS)
    assert found.bad == []
    assert found.series[0].step_minutes == 30
    assert found.series[0].kwh == pytest.approx({s: (500 + k) / 2000 for k, s in enumerate(starts)})


def counter(values: "list[float | None]", minutes: int = 15) -> str:
    at = dt.datetime(2026, 6, 1)
    rows = [
        f"{at + dt.timedelta(minutes=minutes * i):%d.%m.%Y %H:%M};{'' if v is None else f'{v:.2f}'.replace('.', ',')}"
        for i, v in enumerate(values)
    ]
    return "Zeitpunkt;Zählerstand kWh\n" + "\n".join(rows)


def test_a_counter_gives_differences_and_leaves_gaps_open() -> None:
    text = counter([1000.0, 1000.25, 1000.75, None, None, 1002.0, 1002.5])
    mapping = table.guess(table.look(text))
    assert mapping.values[0].counter
    series = table.read(text, mapping, BERLIN).series[0]
    assert list(series.kwh.values()) == pytest.approx([0.25, 0.5, 0.5])
    assert series.gap_kwh == pytest.approx(1.25)
    assert series.gap_steps == 3


def test_a_counter_that_starts_over() -> None:
    text = counter([99_999.5, 99_999.75, 0.25, 0.5])
    mapping = Mapping(time_format="%d.%m.%Y %H:%M", values=(Value(1, counter=True),))
    reset = table.read(text, mapping, BERLIN).series[0]
    assert (reset.resets, len(reset.kwh)) == (1, 2)
    wraps = Mapping(time_format="%d.%m.%Y %H:%M", values=(Value(1, counter=True),), wraps_kwh=100_000)
    assert list(table.read(text, wraps, BERLIN).series[0].kwh.values()) == pytest.approx([0.25, 0.5, 0.25])


def lines_of(change: "Callable[[list[str]], None]", **more: object) -> Read:
    rows = ["time;kWh"] + [f"2026-06-01T{h:02d}:{m:02d};0,5" for h in range(4) for m in (0, 15, 30, 45)]
    change(rows)
    return table.read("\n".join(rows), Mapping(**({"time_format": "iso"} | more)), BERLIN)


@pytest.mark.parametrize(
    ("row", "word"),
    [
        ("2026-06-01T00:45;0;5x", "not a number"),
        ("2026-06-01T00:45;abc", "not a number"),
        ("2026-06-01T00:45", "not a number"),
        ("yesterday;0,5", "not a time"),
        ("2026-06-31T00:45;0,5", "not a time"),
        ("2026-06-01T00:45;-0,5", "below zero"),
        ("2026-06-01T00:45;99999", "look at the unit"),
        ("2026-06-01T00:47;0,5", "grid of 15 minutes"),
        ("2026-06-01T00:30;0,7", "stands in line 4 too"),
        ("2026-06-01T00:45;inf", "not a number"),
    ],
)
def test_bad_lines_are_named_with_what_to_do(row: str, word: str) -> None:
    found = lines_of(lambda rows: rows.__setitem__(4, row))
    if row.count(";") > 1:
        assert not found.bad  # a third column is nobody's
        return
    assert found.bad_count == 1
    assert found.bad[0].line == 5
    assert word in found.bad[0].wrong


def test_repeated_lines_count_once_and_sums_may_be_left_out() -> None:
    assert lines_of(lambda rows: rows.append(rows[-1])).repeated == 1
    assert lines_of(lambda rows: rows.append("Summe;8")).bad_count == 1
    found = lines_of(lambda rows: rows.append("Summe;8"), left_out=True)
    assert (found.bad_count, found.left_out) == (0, 1)
    assert len(found.series[0].kwh) == 16


def test_an_hour_that_never_was_is_refused_unless_the_clock_is_fixed() -> None:
    rows = "time;kWh\n" + "\n".join(f"2026-03-29 {h:02d}:00;1" for h in range(24))
    assert "did not exist" in table.read(rows, Mapping(), BERLIN).bad[0].wrong
    assert table.read(rows, Mapping(zone="+01:00"), BERLIN).bad == []


def test_five_minutes_become_quarters_only_where_all_are_there() -> None:
    at = dt.datetime(2026, 6, 1, tzinfo=dt.UTC)
    rows = [f"{(at + dt.timedelta(minutes=5 * i)).isoformat()};{'' if i == 4 else 1}" for i in range(9)]
    series = table.read("t;kWh\n" + "\n".join(rows), Mapping(), BERLIN).series[0]
    assert series.step_minutes == 15
    assert series.kwh == {at: 3.0, at + dt.timedelta(minutes=30): 3.0}


def test_daily_values_are_refused() -> None:
    rows = "t;kWh\n" + "\n".join(f"2026-06-{d:02d} 00:00;12" for d in range(1, 20))
    assert "steps of 1, 5" in table.read(rows, Mapping(), BERLIN).bad[0].wrong


def test_a_mapping_comes_back_from_json_and_nonsense_does_not() -> None:
    mapping = Mapping(values=(Value(3, "feed_in", "Wh", counter=True), Value(4)), not_measured=("E",))
    assert from_document(mapping.document()) == mapping
    for nonsense in (
        {"values": []},
        {"values": [{"column": 0}]},
        {"values": [{"column": 1, "unit": "pound"}]},
        {"values": [{"column": 1, "unit": "kW", "counter": True}]},
        {"values": 7},
        {"delimiter": ",", "decimal": ",", "values": [{"column": 1}]},
        {"zone": "Mars", "values": [{"column": 1}]},
        {"what": 1, "values": [{"column": 1}]},
        {"time": "first", "values": [{"column": 1}]},
    ):
        with pytest.raises(BadMapping):
            from_document(nonsense)


def test_a_utility_is_known_again_whatever_the_dates_in_its_columns() -> None:
    assert fingerprint("Zeit;Wert 01.2026") == fingerprint("zeit;wert  02.2027")
    assert fingerprint("Zeit;Wert") != fingerprint("Zeit;Menge")


def green_button(
    readings: list[tuple[int, int]],
    *,
    flow: int = 1,
    power: int | str = 0,
    uom: int = 72,
    behaviour: int = 4,
    head: str = "",
) -> bytes:
    """A file as the standard describes it: usage point, meter reading, reading type, block."""
    base = "https://utility.example/espi/1_1/resource"
    point = f"{base}/RetailCustomer/9/UsagePoint/1"
    rows = "".join(
        f"<IntervalReading><cost>1</cost><timePeriod><duration>900</duration><start>{start}</start></timePeriod>"
        f"<value>{value}</value></IntervalReading>"
        for start, value in readings
    )

    def entry(kind: str, links: str, content: str) -> str:
        return f"<entry>{links}<title>{kind}</title><content><{kind} xmlns='http://naesb.org/espi'>{content}</{kind}></content></entry>"

    type_ = (
        f"<accumulationBehaviour>{behaviour}</accumulationBehaviour><flowDirection>{flow}</flowDirection>"
        f"<intervalLength>900</intervalLength><powerOfTenMultiplier>{power}</powerOfTenMultiplier><uom>{uom}</uom>"
    )
    return (
        f"<?xml version='1.0' encoding='UTF-8'?>{head}<feed xmlns='http://www.w3.org/2005/Atom'>"
        + entry("UsagePoint", f"<link rel='self' href='{point}'/>", "<ServiceCategory><kind>0</kind></ServiceCategory>")
        + entry(
            "MeterReading",
            f"<link rel='self' href='{point}/MeterReading/1'/><link rel='related' href='{base}/ReadingType/7'/>",
            "",
        )
        + entry("ReadingType", f"<link rel='self' href='{base}/ReadingType/7'/>", type_)
        + entry("IntervalBlock", f"<link rel='up' href='{point}/MeterReading/1/IntervalBlock'/>", rows)
        + "</feed>"
    ).encode()


NOON = 1_780_308_000


@pytest.mark.parametrize(
    ("more", "values", "kwh", "direction"),
    [
        ({}, [250, 500], [0.25, 0.5], "use"),
        ({"power": -3}, [250_000, 500_000], [0.25, 0.5], "use"),
        ({"power": 3, "flow": 19}, [1, 2], [1.0, 2.0], "feed_in"),
        ({"uom": 38}, [1000, 2000], [0.25, 0.5], "use"),
        ({"behaviour": 3}, [1000, 1250, 1750], [0.25, 0.5], "use"),
    ],
)
def test_green_button(more: dict[str, int], values: list[int], kwh: list[float], direction: str) -> None:
    assert greenbutton.looks_like(green_button([]))
    found = greenbutton.read(green_button([(NOON + 900 * i, v) for i, v in enumerate(values)], **more))
    assert found.bad == []
    series = found.series[0]
    assert (series.direction, series.step_minutes) == (direction, 15)
    assert list(series.kwh.values()) == pytest.approx(kwh)
    assert next(iter(series.kwh)) == dt.datetime.fromtimestamp(NOON, tz=dt.UTC)


def test_green_button_refuses_entities_nonsense_and_other_goods() -> None:
    bomb = "<!DOCTYPE f [<!ENTITY a 'aaaaaaaaaa'><!ENTITY b '&a;&a;&a;&a;&a;&a;&a;&a;'>]>"
    with pytest.raises(BadXml, match="DOCTYPE"):
        greenbutton.read(green_button([(NOON, 1)], head=bomb))
    with pytest.raises(BadXml, match="not XML"):
        greenbutton.read(b"<feed><entry>")
    with pytest.raises(BadXml, match="nested"):
        greenbutton.read(b"<a>" * 60)
    for power in (4000, "²", "--5", "-", "9" * 5000):
        with pytest.raises(BadXml, match="powerOfTenMultiplier"):
            greenbutton.read(green_button([(NOON, 1)], power=power))
    gas = greenbutton.read(green_button([(NOON, 1), (NOON + 900, 1)], uom=169))
    assert (gas.series, gas.left_out) == ([], 2)
    assert "flowDirection" in greenbutton.read(green_button([(NOON, 1)], flow=7)).bad[0].wrong
    assert "IntervalReading" in greenbutton.read(green_button([])).bad[0].wrong


def test_a_file_in_another_alphabet_and_one_that_is_no_table() -> None:
    assert table.decode("Zählerstand".encode("cp1252")) == "Zählerstand"
    assert table.decode("Zähler".encode("utf-16")) == "Zähler"
    look = table.look("hello\nworld\n")
    assert table.read("hello\nworld\n", table.guess(look), BERLIN).bad_count
    assert table.read("", Mapping(), BERLIN).bad_count
