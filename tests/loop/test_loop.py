"""A real design goes in by command and by push; a lab's device enrols, reports power and a job; the job names the
design and its kWh; real homes are simulated; central Helsinki stands; the figures say what they are made of.

Nothing is mocked: stock git, the served site, a real worker, PostgreSQL and Valkey of the run.
"""

import datetime as dt
import hashlib
import json
import subprocess
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

import pytest

from commons.people.models import Scope
from commons.people.services import create_organisation, create_token, create_user
from commons.places.services import ensure_city, ensure_neighbourhood
from labs.services import catalogue as labs

pytestmark = [pytest.mark.shared, pytest.mark.django_db(transaction=True)]

PART = Path("Printed-Parts/STL/print-fan-support.stl")
MEDIANS_MIN = {
    "grocery": 3.17,
    "school": 6.87,
    "pharmacy": 6.41,
    "library": 4.68,
    "health": 4.89,
    "transit": 1.62,
    "park": 3.38,
}


class Api:
    """The served API with a bearer token."""

    def __init__(self, url: str, token: str = "") -> None:
        self.url, self.token = url, token

    def __call__(self, method: str, path: str, body: Any = None, *, expect: int | None = None) -> Any:
        headers = {"Authorization": f"Bearer {self.token}"} if self.token else {}
        data = None
        if body is not None:
            data, headers["Content-Type"] = json.dumps(body).encode(), "application/json"
        request = urllib.request.Request(f"{self.url}/api/v1/{path}", data, headers, method=method)
        try:
            with urllib.request.urlopen(request, timeout=60) as answer:
                status, content = answer.status, answer.read()
        except urllib.error.HTTPError as error:
            status, content = error.code, error.read()
        assert expect is None or status == expect, (status, content[:500])
        return json.loads(content) if content else None


def git(*words: str, cwd: Path) -> str:
    """Stock git, with nothing of this machine's configuration."""
    env = {"PATH": "/usr/bin:/bin", "HOME": str(cwd), "GIT_CONFIG_NOSYSTEM": "1", "GIT_TERMINAL_PROMPT": "0"}
    who = ("-c", "user.name=Maker", "-c", "user.email=maker@example.org")
    done = subprocess.run(
        ["git", *who, *words], cwd=cwd, env=env, capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def printed(done: "subprocess.CompletedProcess[str]") -> Any:
    """What a command printed as JSON."""
    assert done.returncode == 0, done.stderr[-3000:]
    return json.loads(done.stdout)


def tree_bytes(folder: Path) -> dict[str, bytes]:
    """Every file of a folder but git's own."""
    files = (path for path in folder.rglob("*") if path.is_file() and ".git" not in path.relative_to(folder).parts)
    return {str(path.relative_to(folder)): path.read_bytes() for path in files}


@pytest.fixture
def maker(live_city: Any) -> Api:
    """A maker with a token for designs and bookings."""
    user = create_user(username="maker", email="maker@example.org", password="a long word to keep")
    _token, secret = create_token(user=user, name="loop", scopes=[Scope.DESIGNS_WRITE, Scope.BOOKINGS_WRITE])
    return Api(live_city.url, secret)


def test_from_a_design_to_kwh_for_an_object(
    live_city: Any, maker: Api, manage: Any, shared: Path, tmp_path: Path
) -> None:
    """Import, push, clone, enrol, report, and read on the job which design was made and what it took."""
    anyone = Api(live_city.url)
    source = shared / "data" / "designs"
    words = ("--owner", "maker", "--slug", "i3", "--wait", "--json")
    imported = printed(manage("import_design", str(source / "Original-Prusa-i3"), *words))
    part = the_part_is_drawn(anyone, (source / "Original-Prusa-i3" / PART).read_bytes())
    pushed_bytes_come_back(maker, source / "ZACplus", tmp_path)
    report_a_job(live_city.url, lab_machine_code(), {"name": PART.name, "sha256": part["sha256"]})

    (job,) = anyone("GET", "jobs/", expect=200)["results"]
    design = job["design"]
    assert job["provenance"] == "proven"
    assert (design["owner"], design["slug"], design["path"]) == ("maker", "i3", str(PART))
    assert design["commit"] == imported["head"]
    assert job["energy_kwh"] == pytest.approx(0.150, abs=1e-9)
    page = urllib.request.urlopen(f"{live_city.url}/jobs/{job['id']}/", timeout=30).read().decode()
    assert "print-fan-support.stl" in page
    assert "0.15" in page

    figure = anyone("GET", "places/quarter/metrics/", expect=200)["figures"]["open_production"]
    assert (figure["value"], figure["denominator"]) == (pytest.approx(1.0), pytest.approx(1.0, abs=1e-6))


def the_part_is_drawn(anyone: Api, content: bytes) -> Any:
    """The imported part has its hash, its facts in mm, its picture and its model; so has the STEP of the same part."""
    files = {file["path"]: file for file in anyone("GET", "designs/maker/i3/files/", expect=200)["results"]}
    part = files[str(PART)]
    assert part["sha256"] == hashlib.sha256(content).hexdigest()
    assert part["preview"]["status"] == "ready"
    assert part["facts"]["watertight"] is True
    step = files["Printed-Parts/STEP/print-fan-support.stp"]
    assert step["facts"]["volume_mm3"] == pytest.approx(2212.82, abs=0.01)
    for kind, first in (("png", b"\x89PNG"), ("glb", b"glTF")):
        with urllib.request.urlopen(part["preview"][kind], timeout=30) as picture:
            assert picture.read(4) == first
    return part


def pushed_bytes_come_back(maker: Api, source: Path, tmp_path: Path) -> None:
    """Stock git pushes a new repository; a clone gives the same bytes and the same commit."""
    about = {"name": "Zinc anode", "summary": "", "licence": "CC-BY-SA-4.0", "visibility": "public"}
    made = maker("POST", "designs/", about, expect=201)
    mine = tmp_path / "mine"
    for name, raw in tree_bytes(source).items():
        (mine / name).parent.mkdir(parents=True, exist_ok=True)
        (mine / name).write_bytes(raw)
    git("init", "--quiet", "--initial-branch", "main", ".", cwd=mine)
    git("add", "--all", cwd=mine)
    git("commit", "--quiet", "-m", "The cell as it was printed", cwd=mine)
    git("push", "--quiet", made["clone_url"].replace("://", f"://maker:{maker.token}@"), "main", cwd=mine)
    git("clone", "--quiet", made["clone_url"], "back", cwd=tmp_path)
    assert tree_bytes(tmp_path / "back") == tree_bytes(mine)
    assert git("rev-parse", "HEAD", cwd=tmp_path / "back") == git("rev-parse", "HEAD", cwd=mine)


def lab_machine_code() -> str:
    """A one-time code for the device of a machine in a lab of a neighbourhood."""
    place = ensure_neighbourhood(slug="quarter", name="Quarter", city=ensure_city(slug="town", name="Town"))
    organisation = create_organisation(handle="corner-lab", name="Corner lab", kind="lab")
    lab = labs.open_lab(organisation=organisation, name="Corner lab", place=place)
    return str(labs.enrolment_code(machine=labs.add_machine(lab=lab, name="Ilves", cls="3d-printer")))


def report_a_job(url: str, code: str, file: dict[str, str]) -> None:
    """A device enrols once, tells an hour of a job at 150 W, and tells it again: nothing is counted twice."""
    who = {"code": code, "kind": "3d-printer", "hardware_id": "loop-1"}
    device = Api(url, Api(url)("POST", "devices/enrol/", who, expect=201)["token"])
    Api(url)("POST", "devices/enrol/", {**who, "hardware_id": "loop-2"}, expect=403)
    start = dt.datetime.now(dt.UTC).replace(microsecond=0) - dt.timedelta(hours=2)
    times = [(start + dt.timedelta(minutes=minute)).isoformat() for minute in range(61)]
    job = {"job": "j1", "file": file}
    device("POST", "device/jobs/", {**job, "seq": 1, "ts": times[0], "event": "started"}, expect=200)
    readings = [
        {"seq": 2 + minute, "ts": ts, "channel": "energy_wh_total", "value": 5000.0 + 2.5 * minute}
        for minute, ts in enumerate(times)
    ]
    answer = device("POST", "telemetry/", {"readings": readings}, expect=200)
    assert (answer["acked"], answer["stored"]) == (62, 61)
    again = device("POST", "telemetry/", {"readings": readings}, expect=200)
    assert (again["stored"], again["duplicates"]) == (0, 61)
    end = {"seq": 63, "ts": times[-1], "event": "finished", "material_g": 4.1}
    device("POST", "device/jobs/", {**job, **end}, expect=200)


def test_seventeen_real_homes(live_city: Any, manage: Any, shared: Path) -> None:
    """The community's reference figures, through the command and a worker."""
    printed(manage("import_community", str(shared / "data" / "communities" / "fontana17"), "--json"))
    none = printed(manage("simulate_community", "fontana17", "--control", "none", "--json"))
    totals, separate = none["totals"], none["separate"]
    assert totals["load_kwh"] == pytest.approx(169_644.03, abs=0.005)
    assert totals["pv_kwh"] == pytest.approx(103_425.40, abs=0.005)
    assert totals["prosumer_ratio"] == pytest.approx(0.60966, abs=5e-6)
    assert totals["import_kwh"] == pytest.approx(94_425.40, abs=0.005)
    assert separate["import_kwh"] == pytest.approx(112_121.12, abs=0.005)
    assert separate["self_consumption"] == pytest.approx(0.5562, abs=5e-5)
    assert totals["self_consumption"] == pytest.approx(0.7273, abs=5e-5)
    rule = printed(manage("simulate_community", "fontana17", "--control", "rule", "--json"))
    assert rule["totals"]["import_kwh"] < totals["import_kwh"]


def test_central_helsinki_stands(live_city: Any, manage: Any, shared: Path) -> None:
    """446 buildings with known and assumed heights; minutes on foot within 5 % of the reference."""
    source = shared / "data" / "twin" / "helsinki-centre" / "source.osm.pbf"
    counts = printed(manage("import_district", str(source), "--slug", "centre", "--json"))
    assert counts["buildings"] == 446
    layer = Api(live_city.url)("GET", "districts/centre/layers/buildings.geojson", expect=200)
    how = [feature["properties"]["height_source"] for feature in layer["features"]]
    assert [how.count(source) for source in ("tag", "levels", "parts", "default")] == [16, 138, 12, 280]
    minutes = printed(manage("access", "centre", "--json"))
    for kind, median in MEDIANS_MIN.items():
        assert minutes[kind]["median_min"] == pytest.approx(median, rel=0.05), kind
    again = printed(manage("import_district", str(source), "--slug", "centre", "--json"))
    assert again["buildings"] == 446
