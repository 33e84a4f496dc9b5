"""Community folders: what is tolerated, and what is refused with file, line, column and remedy."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from energy.engine import folder
from energy.engine.refusals import FolderRefusal

TOML = """name = "Two homes"
currency = "EUR"
timezone = "Europe/Helsinki"
start = "2026-03-28T22:00:00Z"
step_minutes = 60
export_price = 0.05
"""
MEMBERS = "id,name,kind,pv_kwp,battery_kwh,battery_kw\na,A,home,2.0,5,2\nb,B,lab,,,\n"
TIMES = ["2026-03-28T22:00:00Z", "2026-03-28T23:00:00Z", "2026-03-29T00:00:00Z", "2026-03-29T01:00:00Z"]
LOAD = "time,a,b\n" + "".join(f"{t},{i}.5,{i}\n" for i, t in enumerate(TIMES))
PV = "time,a\n" + "".join(f"{t},0.{i}\n" for i, t in enumerate(TIMES))
PRICES = "time,import_price,co2_kg_per_kwh\n" + "".join(f"{t},0.2,0.1\n" for t in TIMES)

Write = Callable[..., Path]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    def make(**changed: str | bytes | None) -> Path:
        files: dict[str, str | bytes | None] = {
            "community.toml": TOML,
            "members.csv": MEMBERS,
            "load_kwh.csv": LOAD,
            "pv_kwh.csv": PV,
            "prices.csv": PRICES,
        }
        files |= {name.replace("__", "."): content for name, content in changed.items()}
        for name, content in files.items():
            if content is not None:
                (tmp_path / name).write_bytes(content.encode() if isinstance(content, str) else content)
        return tmp_path

    return make


def test_a_good_folder(write: Write) -> None:
    c = folder.read(write())
    assert [m.id for m in c.members] == ["a", "b"]
    np.testing.assert_array_equal(c.load_kwh, [[0.5, 1.5, 2.5, 3.5], [0, 1, 2, 3]])
    np.testing.assert_array_equal(c.pv_kwh, [[0, 0.1, 0.2, 0.3], [0, 0, 0, 0]])
    np.testing.assert_array_equal(c.export_price, [0.05] * 4)
    assert c.members[0].battery is not None
    assert c.members[0].battery.efficiency == 0.9


def test_marks_line_ends_and_order_of_columns_do_not_matter(write: Write) -> None:
    plain = folder.read(write())
    swapped = "b,time,a\n" + "".join(f"{i},{t},{i}.5\n" for i, t in enumerate(TIMES)) + "\n\n"
    other = folder.read(write(load_kwh__csv=b"\xef\xbb\xbf" + swapped.replace("\n", "\r\n").encode()))
    np.testing.assert_array_equal(plain.load_kwh, other.load_kwh)


def test_local_times_with_an_offset_are_times(write: Write) -> None:
    shifted = LOAD.replace("2026-03-29T01:00:00Z", "2026-03-29T04:00:00+03:00")
    np.testing.assert_array_equal(folder.read(write(load_kwh__csv=shifted)).load_kwh[1], [0, 1, 2, 3])


def row(i: int, text: str = "") -> str:
    return LOAD.replace(f"{TIMES[i]},{i}.5,{i}\n", text)


CAR = "id,name,kind,ev_kwh,ev_kw,ev_kwh_per_day,ev_away_from,ev_away_until\n"

REFUSED = {
    "gap": ({"load_kwh__csv": row(2)}, "load_kwh.csv", 4, "time", "1 rows are missing"),
    "twice": ({"load_kwh__csv": row(2, f"{TIMES[1]},1,1\n")}, "load_kwh.csv", 4, "time", "stands twice"),
    "unsorted": ({"load_kwh__csv": row(3, f"{TIMES[0]},1,1\n")}, "load_kwh.csv", 5, "time", "sort the rows"),
    "step": ({"load_kwh__csv": row(1, "2026-03-28T22:30:00Z,1,1\n")}, "load_kwh.csv", 3, "time", "same step"),
    "start": ({"load_kwh__csv": row(0)}, "load_kwh.csv", 2, "time", "community.toml starts"),
    "negative": ({"load_kwh__csv": row(2, f"{TIMES[2]},-0.1,2\n")}, "load_kwh.csv", 4, "a", "below 0"),
    "nan": ({"load_kwh__csv": row(2, f"{TIMES[2]},nan,2\n")}, "load_kwh.csv", 4, "a", "not a measured value"),
    "infinite": ({"pv_kwh__csv": PV.replace("0.2", "inf")}, "pv_kwh.csv", 4, "a", "not a measured value"),
    "empty cell": ({"load_kwh__csv": row(2, f"{TIMES[2]},,2\n")}, "load_kwh.csv", 4, "a", "not a number"),
    "decimal comma": (
        {"load_kwh__csv": row(2, f'{TIMES[2]},"0,1",2\n')},
        "load_kwh.csv",
        4,
        "a",
        "decimal point",
    ),
    "too few": (
        {"load_kwh__csv": row(2, f"{TIMES[2]},1\n")},
        "load_kwh.csv",
        4,
        "",
        "2 values for 3 columns",
    ),
    "30 February": (
        {"load_kwh__csv": row(2, "2026-02-30T00:00:00Z,1,1\n")},
        "load_kwh.csv",
        4,
        "time",
        "not a time",
    ),
    "no zone": ({"load_kwh__csv": row(2, "2026-03-29T00:00:00,1,1\n")}, "load_kwh.csv", 4, "time", "add Z"),
    "unknown member": (
        {"load_kwh__csv": LOAD.replace("time,a,b", "time,a,c")},
        "load_kwh.csv",
        1,
        "c",
        "no member",
    ),
    "missing member": (
        {"load_kwh__csv": "time,a\n" + "".join(f"{t},1\n" for t in TIMES)},
        "load_kwh.csv",
        1,
        "b",
        "no column for member",
    ),
    "no header time": (
        {"load_kwh__csv": LOAD.replace("time,", "date,")},
        "load_kwh.csv",
        1,
        "time",
        "missing",
    ),
    "semicolons": ({"load_kwh__csv": LOAD.replace(",", ";")}, "load_kwh.csv", 1, "", "use commas"),
    "column twice": (
        {"load_kwh__csv": LOAD.replace("time,a,b", "time,a,a")},
        "load_kwh.csv",
        1,
        "a",
        "stands twice",
    ),
    "shorter": ({"pv_kwh__csv": PV.rsplit("\n", 2)[0] + "\n"}, "pv_kwh.csv", 0, "", "3 rows"),
    "prices shorter": ({"prices__csv": PRICES.rsplit("\n", 2)[0] + "\n"}, "prices.csv", 0, "", "3 rows"),
    "no rows": ({"load_kwh__csv": "time,a,b\n"}, "load_kwh.csv", 0, "", "no row"),
    "empty": ({"load_kwh__csv": ""}, "load_kwh.csv", 0, "", "empty"),
    "binary": ({"load_kwh__csv": LOAD.encode() + b"\xff\xfe\x00"}, "load_kwh.csv", 6, "", "UTF-8"),
    "missing file": ({"prices__csv": None}, "prices.csv", 0, "", "missing"),
    "import below export": (
        {"prices__csv": PRICES.replace(f"{TIMES[2]},0.2", f"{TIMES[2]},0.01")},
        "prices.csv",
        4,
        "import_price",
        "below the export price",
    ),
    "no export price": (
        {"community__toml": TOML.replace("export_price = 0.05\n", "")},
        "prices.csv",
        1,
        "export_price",
        "no export price",
    ),
    "no members": ({"members__csv": "id,name,kind\n"}, "members.csv", 0, "", "at least one"),
    "member twice": ({"members__csv": MEMBERS + "a,A,home,,,\n"}, "members.csv", 4, "id", "stands twice"),
    "kind": ({"members__csv": MEMBERS.replace("lab", "shop")}, "members.csv", 3, "kind", "not a kind"),
    "giant roof": (
        {"members__csv": MEMBERS.replace("2.0", "1e9")},
        "members.csv",
        2,
        "pv_kwp",
        "check the unit",
    ),
    "half a battery": (
        {"members__csv": MEMBERS.replace("5,2", "5,")},
        "members.csv",
        2,
        "battery_kw",
        "fill in the other",
    ),
    "trip": (
        {"members__csv": CAR + "a,A,home,40,1,39,07:00,17:00\nb,B,lab,,,,,\n", "pv_kwh__csv": PV},
        "members.csv",
        2,
        "ev_kwh_per_day",
        "in a day",
    ),
    "time of day": (
        {"members__csv": CAR + "a,A,home,40,7,8,7 am,17:00\nb,B,lab,,,,,\n"},
        "members.csv",
        2,
        "ev_away_from",
        "07:30",
    ),
    "unknown column": (
        {"members__csv": MEMBERS.replace("pv_kwp", "pv")},
        "members.csv",
        1,
        "pv",
        "not known",
    ),
    "toml": ({"community__toml": "name = "}, "community.toml", 0, "", "not TOML"),
    "zone": (
        {"community__toml": TOML.replace("Europe/Helsinki", "Europe/Kamppi")},
        "community.toml",
        0,
        "timezone",
        "not a time zone",
    ),
    "step 20": (
        {"community__toml": TOML.replace("60", "20")},
        "community.toml",
        0,
        "step_minutes",
        "15 or 60",
    ),
    "no name": (
        {"community__toml": TOML.replace('name = "Two homes"\n', "")},
        "community.toml",
        0,
        "name",
        "missing",
    ),
    "limit": (
        {"community__toml": TOML + "grid_limit_kw = -3\n"},
        "community.toml",
        0,
        "grid_limit_kw",
        "not a number from",
    ),
}


@pytest.mark.parametrize("case", REFUSED)
def test_bad_input_is_refused_with_its_place(write: Write, case: str) -> None:
    changed, file, line, column, words = REFUSED[case]
    with pytest.raises(FolderRefusal) as refused:
        folder.read(write(**changed))
    error = refused.value
    assert (error.file, error.line, error.column) == (file, line, column), str(error)
    assert words in str(error)


# --- heat pumps -----------------------------------------------------------------------------------------

PUMPS = "id,name,kind,heat_pump_kw,tank_kwh\na,A,home,2,8\nb,B,lab,,\n"
HEAT = "time,a\n" + "".join(f"{t},3\n" for t in TIMES)
WEATHER = "time,outdoor_c,wind\n" + "".join(f"{t},{i * 2},1\n" for i, t in enumerate(TIMES))


def test_pumps_take_power_by_the_weather(write: Write) -> None:
    plain = folder.read(write(members__csv=PUMPS, pv_kwh__csv="time\n" + "".join(f"{t}\n" for t in TIMES)))
    assert plain.members[0].heat is None  # without heat_kwh.csv the pump is part of the metered load
    before = folder.content_sha256(write())
    path = write(heat_kwh__csv=HEAT, weather__csv=WEATHER)
    c = folder.read(path)
    cop = 0.45 * 308.15 / (35 - np.array([0.0, 2, 4, 6]))
    np.testing.assert_allclose(c.load_kwh[0], plain.load_kwh[0] + 3 / cop)
    np.testing.assert_array_equal(c.load_kwh[1], plain.load_kwh[1])
    assert c.members[0].heat is not None and c.members[0].heat.tank_kwh == 8
    assert folder.content_sha256(path) != before
    given = "time,cop\n" + "".join(f"{t},4\n" for t in TIMES)
    np.testing.assert_allclose(folder.read(write(weather__csv=given)).load_kwh[0], plain.load_kwh[0] + 0.75)


@pytest.mark.parametrize(
    ("changed", "file", "words"),
    [
        ({"weather__csv": None}, "weather.csv", "missing"),
        ({"heat_kwh__csv": HEAT.replace(",a", ",b")}, "heat_kwh.csv", "no heat_pump_kw"),
        ({"heat_kwh__csv": HEAT.replace(",3", ",30")}, "heat_kwh.csv", "raise heat_pump_kw or tank_kwh"),
        ({"heat_kwh__csv": HEAT.replace(",3", ",-3")}, "heat_kwh.csv", "below 0"),
        ({"heat_kwh__csv": "time,a\n" + f"{TIMES[0]},3\n"}, "heat_kwh.csv", "has 1 rows"),
        ({"weather__csv": WEATHER.replace("outdoor_c", "outdoor_f")}, "weather.csv", "column is missing"),
        ({"weather__csv": WEATHER.replace(",2,1", ",200,1")}, "weather.csv", "above 60"),
        ({"members__csv": PUMPS.replace("2,8", "2,-8")}, "members.csv", "below 0"),
    ],
)
def test_heat_that_cannot_be_is_refused(write: Write, changed: dict[str, str | None], file: str, words: str) -> None:
    good = {"members__csv": PUMPS, "pv_kwh__csv": "time\n" + "".join(f"{t}\n" for t in TIMES)}
    with pytest.raises(FolderRefusal, match=words) as refused:
        folder.read(write(**(good | {"heat_kwh__csv": HEAT, "weather__csv": WEATHER} | changed)))
    assert refused.value.file == file
