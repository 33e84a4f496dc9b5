"""A small neighbourhood for walks in the browser, and what the browser complains of on the way."""

import datetime as dt
import struct
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import pytest
from django.utils import timezone
from playwright.sync_api import BrowserContext, Error, Page

from commons.devices import services as devices
from commons.people.models import User
from commons.people.services import create_organisation, create_user
from commons.places import services as places
from commons.places.models import Place
from designs import services as designs
from designs.models import Blob, Design
from energy import services as energy
from energy.models import CommunityVersion
from labs.models import Machine
from labs.services import catalogue
from labs.services import jobs as lab_jobs
from tests.conftest import LiveCity
from tests.energy.conftest import write as write_community
from twin import files as twin_files
from twin import services as twin

PASSWORD = "seven quiet otters at the pond"


# --- the browser ------------------------------------------------------------------------------------------------------


@dataclass
class Walk:
    """A page on the served site, and every complaint of the browser on all pages that were visited."""

    page: Page
    city: LiveCity
    strangers: list[str] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)
    refusals: list[tuple[int, str]] = field(default_factory=list)

    def unforeseen(self) -> list[str]:
        """The faults, without one line for each refusal that the test named; a refusal that did not come is one."""
        left = list(self.faults)
        for status, at in self.refusals:
            line = next((words for words in left if f"status of {status} " in words and at in words), None)
            if line is None:
                return [*left, f"no {status} came from {at}"]
            left.remove(line)
        return left

    def goto(self, path: str) -> None:
        """Open an address; a page that loads itself again at that moment (its run is over) may come in between."""
        try:
            self.page.goto(self.city.url + path)
        except Error as fault:
            if not any(word in str(fault) for word in ("ERR_ABORTED", "interrupted by another navigation")):
                raise
            self.page.goto(self.city.url + path)

    def sign_in(self, user: User) -> None:
        """By name and password, on the page for it."""
        self.goto("/account/login/")
        self.page.locator("input[name=login]").fill(user.username)
        self.page.locator("input[name=password]").fill(PASSWORD)
        self.page.locator("main form button[type=submit], main form button:not([type])").first.click()
        self.page.wait_for_url(lambda url: "/account/login/" not in url)


@pytest.fixture
def walk(context: BrowserContext, page: Page, live_city: LiveCity) -> Iterator[Walk]:
    """A walk. At its end nothing may have left our origin, and no page may have said an error.

    The browser itself writes a line on its console for every answer of 400 and above; a test that is refused on
    purpose names status and address in `refusals`; all others are faults.
    """
    made = Walk(page, live_city)
    ours = (f"{live_city.url}/", "data:", "blob:")
    context.on("request", lambda r: None if r.url.startswith(ours) else made.strangers.append(r.url))
    context.on("console", lambda m: made.faults.append(f"{m.text} at {m.location}") if m.type == "error" else None)
    context.on("weberror", lambda e: made.faults.append(f"{e.page.url if e.page else ''}: {e.error}"))
    page.set_default_timeout(30_000)
    yield made
    assert made.strangers == []
    assert made.unforeseen() == []


# --- the neighbourhood ------------------------------------------------------------------------------------------------


def box_stl(x: float, y: float, z: float) -> bytes:
    """A closed box as a binary STL, in mm."""
    points = [(a, b, c) for a in (0.0, x) for b in (0.0, y) for c in (0.0, z)]
    faces = ["013", "032", "467", "475", "045", "051", "237", "276", "026", "064", "157", "173"]
    out = b"\0" * 80 + struct.pack("<I", len(faces))
    for face in faces:
        out += struct.pack("<12fH", 0, 0, 0, *(c for corner in face for c in points[int(corner)]), 0)
    return out


def write_osm(path: Path) -> Path:
    """A quarter of two buildings, a street, a shop, a school and a park, as OpenStreetMap writes it."""
    root, numbers = ET.Element("osm", version="0.6", generator="tests"), count(1)

    def tagged(element: ET.Element, tags: dict[str, str]) -> None:
        for key, value in tags.items():
            ET.SubElement(element, "tag", k=key, v=value)

    def node(lon: float, lat: float, **tags: str) -> int:
        number = next(numbers)
        tagged(ET.SubElement(root, "node", id=str(number), version="1", lat=f"{lat}", lon=f"{lon}"), tags)
        return number

    ways: list[tuple[list[int], dict[str, str]]] = []

    def square(lon: float, lat: float, **tags: str) -> None:
        ring = [node(lon + a, lat + b) for a, b in ((0, 0), (0.0002, 0), (0.0002, 0.0002), (0, 0.0002))]
        ways.append(([*ring, ring[0]], tags))

    square(24.940, 60.170, building="yes", height="12", name="Alder House")
    square(24.944, 60.170, **{"building": "apartments", "building:levels": "9", "name": "Birch Tower"})
    square(24.946, 60.171, leisure="park", name="Green")
    along = [node(24.940 + 0.002 * k, 60.1699) for k in range(4)]
    ways.append((along, {"highway": "residential", "name": "Long street"}))
    node(24.944, 60.1698, shop="supermarket", name="Corner shop")
    node(24.940, 60.1698, amenity="school", name="School")
    for refs, tags in ways:
        way = ET.SubElement(root, "way", id=str(next(numbers)), version="1")
        for ref in refs:
            ET.SubElement(way, "nd", ref=str(ref))
        tagged(way, tags)
    ET.ElementTree(root).write(path, encoding="utf-8", xml_declaration=True)
    return path


def until(met: Callable[[], Any], seconds: float = 40.0) -> Any:
    """Wait for what the worker does."""
    end = time.monotonic() + seconds
    while not (found := met()):
        assert time.monotonic() < end, "the worker has not done it"
        time.sleep(0.1)
    return found


@pytest.fixture
def quarter(worker: Any) -> Place:
    """An empty neighbourhood."""
    city = places.ensure_city(slug="helsinki", name="Helsinki", timezone="Europe/Helsinki", country="FI")
    return places.ensure_neighbourhood(slug="kamppi", name="Kamppi", city=city)


@pytest.fixture
def printer(quarter: Place) -> Machine:
    """A printer that asks for no badge, in a lab that is always open."""
    guild = create_organisation(handle="corner-lab", name="Corner lab", kind="lab")
    lab = catalogue.open_lab(organisation=guild, name="Corner lab", place=quarter, lat=60.1699, lon=24.944)
    return catalogue.add_machine(
        lab=lab, name="Ilves", cls="3d-printer", volume_x_mm=250, volume_y_mm=210, volume_z_mm=220
    )


@pytest.fixture
def community(quarter: Place, tmp_path: Path) -> CommunityVersion:
    """Sixteen homes and a lab, a year."""
    folder = write_community(tmp_path / "sixteen", days=365)
    return energy.import_folder(folder=folder, slug="sixteen", place=quarter)


@pytest.fixture
def district(quarter: Place, tmp_path: Path) -> str:
    """The quarter's twin; its address."""
    run = twin.start_import(
        slug="kamppi", name="Kamppi", files=[twin_files.keep_path(write_osm(tmp_path / "kamppi.osm"))], place=quarter
    )
    ended = twin.finished(run)
    assert ended.status == "done", ended.error
    return "kamppi"


@pytest.fixture
def bracket(quarter: Place) -> Design:
    """A drawn design of one box, 60 × 40 × 20 mm."""
    aila = create_user(username="aila", name="Aila", password=PASSWORD)
    design = designs.create_design(owner=aila.handle, name="Shelf bracket", licence="CERN-OHL-S-2.0", by=aila)
    files = {"bracket.stl": box_stl(60, 40, 20), "README.md": b"# Shelf bracket\n\nHolds a shelf.\n"}
    designs.write_files(design=design, files=files, message="First", author=aila, by=aila)
    designs.index_later(design=design, by=aila)
    until(lambda: Blob.objects.filter(format="stl", preview=Blob.Preview.READY).exists())
    design.refresh_from_db()
    return design


@pytest.fixture
def made(bracket: Design, printer: Machine) -> Machine:
    """The printer after it has made the bracket in an hour with 120 W."""
    blob = Blob.objects.get(format="stl")
    code = catalogue.enrolment_code(machine=printer)
    device, _token = devices.enrol(code=str(code), kind="machine", hardware_id="walk-1")
    start = timezone.now().replace(microsecond=0) - dt.timedelta(hours=2)
    file = {"name": "bracket.stl", "sha256": blob.sha256}
    at = [start + dt.timedelta(minutes=k) for k in range(61)]
    lab_jobs.take_events(
        device=device, events=[{"seq": 1, "ts": at[0].isoformat(), "event": "started", "job": "j1", "file": file}]
    )
    devices.ingest(
        device=device,
        readings=[{"seq": 2 + k, "ts": t.isoformat(), "channel": "power_w", "value": 120.0} for k, t in enumerate(at)],
    )
    lab_jobs.take_events(
        device=device, events=[{"seq": 63, "ts": at[-1].isoformat(), "event": "finished", "job": "j1", "file": file}]
    )
    return printer


@pytest.fixture
def neighbour(quarter: Place) -> User:
    """A neighbour with a password."""
    return create_user(username="nea", name="Nea", password=PASSWORD)
