"""A real design goes in by command and by push; a lab's device enrols, reports power and a job; the job names the design
and its kWh; real homes are simulated; central Helsinki stands; the three figures say what they are made of.

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

pytestmark = [pytest.mark.shared, pytest.mark.django_db(transaction=True)]

PART = Path("Printed-Parts/STL/print-fan-support.stl")


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
    done = subprocess.run(["git", *who, *words], cwd=cwd, env=env, capture_output=True, text=True, timeout=120)
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


def test_from_a_design_to_kwh_for_an_object(live_city: Any, maker: Api, manage: Any, shared: Path, tmp_path: Path) -> None:
    """Import, push, clone, enrol, report, and read on the job which design was made and what it took."""
    from labs.services import catalogue as labs

    # 1. a real repository goes in by command, with its previews
    source = shared / "data" / "designs" / "Original-Prusa-i3"
    imported = printed(manage("import_design", str(source), "--owner", "maker", "--slug", "i3", "--wait", "--json"))
    assert (imported["owner"], imported["slug"]) == ("maker", "i3")
    files = {file["path"]: file for file in Api(live_city.url)("GET", "designs/maker/i3/files/", expect=200)["results"]}
    part = files[str(PART)]
    content = (source / PART).read_bytes()
    assert part["sha256"] == hashlib.sha256(content).hexdigest()
    assert part["preview"]["status"] == "ready"
    assert part["facts"]["watertight"] is True
    step = files["Printed-Parts/STEP/print-fan-support.stp"]
    assert step["facts"]["volume_mm3"] == pytest.approx(2212.82, abs=0.01)
    for kind, start in (("png", b"\x89PNG"), ("glb", b"glTF")):
        with urllib.request.urlopen(part["preview"][kind], timeout=30) as picture:
            assert picture.read(4) == start

    # 2. and another by a push of stock git; a clone gives the same bytes back
    made = maker("POST", "designs/", {"name": "Zinc anode", "summary": "", "licence": "CC-BY-SA-4.0", "visibility": "public"}, expect=201)
    mine = tmp_path / "mine"
    mine.mkdir()
    git("init", "--quiet", "--initial-branch", "main", ".", cwd=mine)
    for name, raw in tree_bytes(shared / "data" / "designs" / "ZACplus").items():
        (mine / name).parent.mkdir(parents=True, exist_ok=True)
        (mine / name).write_bytes(raw)
    git("add", "--all", cwd=mine)
    git("commit", "--quiet", "-m", "The cell as it was printed", cwd=mine)
    door = made["clone_url"].replace("://", f"://maker:{maker.token}@")
    git("push", "--quiet", door, "main", cwd=mine)
    git("clone", "--quiet", made["clone_url"], "back", cwd=tmp_path)
    assert tree_bytes(tmp_path / "back") == tree_bytes(mine)
    assert git("rev-parse", "HEAD", cwd=tmp_path / "back") == git("rev-parse", "HEAD", cwd=mine)

    # 3. a lab's machine enrols by code and reports power and a job
    place = ensure_neighbourhood(slug="quarter", name="Quarter", city=ensure_city(slug="town", name="Town"))
    lab = labs.open_lab(organisation=create_organisation(handle="corner-lab", name="Corner lab", kind="lab"), name="Corner lab", place=place)
    machine = labs.add_machine(lab=lab, name="Ilves", cls="3d-printer", required_badges=[])
    code = str(labs.enrolment_code(machine=machine))
    enrolled = Api(live_city.url)("POST", "devices/enrol/", {"code": code, "kind": "fff", "hardware_id": "loop-1"}, expect=201)
    Api(live_city.url)("POST", "devices/enrol/", {"code": code, "kind": "fff", "hardware_id": "loop-2"}, expect=410)
    device = Api(live_city.url, enrolled["token"])
    start = dt.datetime.now(dt.UTC).replace(microsecond=0) - dt.timedelta(hours=2)
    blob = {"name": PART.name, "sha256": part["sha256"]}
    device("POST", "device/jobs/", {"seq": 1, "ts": start.isoformat(), "event": "started", "job": "j1", "file": blob}, expect=200)
    readings = [
        {"seq": 2 + k, "ts": (start + dt.timedelta(minutes=k)).isoformat(), "channel": "energy_wh_total", "value": 5000.0 + 2.5 * k}
        for k in range(61)
    ]
    answer = device("POST", "telemetry/", {"readings": readings}, expect=200)
    assert (answer["acked"], answer["stored"]) == (62, 61)
    again = device("POST", "telemetry/", {"readings": readings}, expect=200)
    assert (again["stored"], again["duplicates"]) == (0, 61)
    end = start + dt.timedelta(minutes=60)
    device("POST", "device/jobs/", {"seq": 63, "ts": end.isoformat(), "event": "finished", "job": "j1", "file": blob, "material_g": 4.1}, expect=200)

    # 4. the job says which design, path and commit was made, and what it took
    (job,) = Api(live_city.url)("GET", "jobs/", expect=200)["results"]
    assert job["provenance"] == "proven"
    assert (job["design"]["owner"], job["design"]["slug"], job["design"]["path"]) == ("maker", "i3", str(PART))
    assert job["design"]["commit"] == imported["head"]
    assert job["energy_kwh"] == pytest.approx(0.150, abs=1e-9)
    page = urllib.request.urlopen(f"{live_city.url}/jobs/{job['id']}/", timeout=30).read().decode()
    assert "print-fan-support.stl" in page
    assert "0.15" in page

    # 5. the figure is made of that job alone
    metrics = Api(live_city.url)("GET", "places/quarter/metrics/", expect=200)
    figures = {figure["slug"]: figure for figure in metrics["figures"]}
    made_open = figures["open_production"]
    assert made_open["value"] == pytest.approx(1.0)
    assert made_open["denominator"] == pytest.approx(1.0, abs=1e-6)


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
    assert (how.count("tag"), how.count("levels"), how.count("default")) == (16, 138, 292)
    minutes = printed(manage("access", "centre", "--json"))
    reference = {"grocery": 3.17, "school": 6.87, "pharmacy": 6.41, "library": 4.68, "health": 4.89, "transit": 1.62, "park": 3.38}
    for kind, median in reference.items():
        assert minutes[kind]["median_min"] == pytest.approx(median, rel=0.05), kind
    again = printed(manage("import_district", str(source), "--slug", "centre", "--json"))
    assert again["buildings"] == 446
