"""Boards that stand open: what a machine tells over HTTP is seen in the browser, and nothing is loaded anew."""

import datetime as dt
import json
import re
import urllib.request
from typing import Any

from django.utils import timezone
from playwright.sync_api import expect

from commons.devices import services as devices
from designs.models import Design
from labs.models import Machine
from labs.services import catalogue
from tests.browser.conftest import Walk

SOON_MS = 15_000


class Agent:
    """The agent of a machine: it tells the served city over HTTP, as its device."""

    def __init__(self, walk: Walk, machine: Machine) -> None:
        code = catalogue.enrolment_code(machine=machine)
        _device, token = devices.enrol(code=str(code), kind="machine", hardware_id="walk-live")
        self.url, self.token, self.seq = walk.city.url, token, 0

    def _post(self, path: str, body: Any) -> None:
        headers = {"Authorization": f"Bearer {self.token}", "Content-Type": "application/json"}
        request = urllib.request.Request(f"{self.url}/api/v1/{path}", json.dumps(body).encode(), headers)
        with urllib.request.urlopen(request, timeout=30) as answer:
            assert json.load(answer)["rejected"] == []

    def _next(self) -> dict[str, Any]:
        self.seq += 1
        return {"seq": self.seq, "ts": timezone.now().isoformat()}

    def reads(self, channel: str, value: float) -> None:
        self._post("telemetry/", {"readings": [{**self._next(), "channel": channel, "value": value}]})

    def says(self, event: str, sha256: str = "", **more: Any) -> None:
        file = {"name": "bracket.stl", "sha256": sha256}
        self._post("device/jobs/", {**self._next(), "event": event, "job": "j1", "file": file, **more})


def test_an_open_board_shows_readings_and_jobs_as_they_are_told(walk: Walk, bracket: Design, printer: Machine) -> None:
    page, agent = walk.page, Agent(walk, printer)
    sha256 = bracket.file_versions.get(path="bracket.stl").blob.sha256
    agent.reads("power_w", 7)
    walk.goto(f"/labs/{printer.lab.slug}/")
    page.wait_for_selector("lc-live[data-ready]", state="attached")
    page.evaluate("window.kept = true")
    tile = page.locator(f"#tile-{printer.slug}")
    expect(tile.locator(".chip")).to_have_text("Free")
    agent.reads("power_w", 143)
    expect(tile).to_contain_text(re.compile(r"143\sW"), timeout=SOON_MS)

    agent.says("started", sha256)
    expect(tile.locator(".chip")).to_have_text("Printing", timeout=SOON_MS)
    expect(tile.get_by_role("link", name="Shelf bracket")).to_be_visible(timeout=SOON_MS)
    expect(page.get_by_text("1 of 1")).to_be_visible()
    agent.says("progress", sha256, progress=0.42)
    bar = tile.get_by_role("progressbar", name="Shelf bracket")
    expect(bar).to_have_attribute("aria-valuenow", "42", timeout=SOON_MS)
    expect(tile).to_contain_text(re.compile(r"42\s%, since"))
    agent.says("paused", sha256)
    expect(tile.locator(".chip")).to_have_text("Paused", timeout=SOON_MS)
    expect(tile.locator(".chip")).to_have_class("chip warn")

    book = tile.get_by_role("link", name="Book")
    book.focus()
    agent.says("cancelled", sha256)
    expect(tile.locator(".chip")).to_have_text("Free", timeout=SOON_MS)
    expect(bar).to_have_count(0)
    expect(book).to_be_focused()
    assert page.evaluate("window.kept"), "the page was loaded anew"


def test_an_open_machine_lists_what_it_has_just_made(walk: Walk, bracket: Design, printer: Machine) -> None:
    page, agent = walk.page, Agent(walk, printer)
    sha256 = bracket.file_versions.get(path="bracket.stl").blob.sha256
    walk.goto(f"/labs/{printer.lab.slug}/{printer.slug}/")
    page.wait_for_selector("lc-live[data-ready]", state="attached")
    page.evaluate("window.kept = true")
    expect(page.get_by_text("No job yet.")).to_be_visible()
    agent.says("started", sha256)
    made = page.get_by_role("region", name="What it has made")
    expect(made.get_by_role("link", name="Shelf bracket")).to_be_visible(timeout=SOON_MS)
    expect(page.locator("#is-now").get_by_role("link", name="Shelf bracket")).to_be_visible()
    expect(page.locator("main > * .chip", has_text="Printing").first).to_be_visible()
    agent.says("finished", sha256)
    expect(page.locator("#is-now").get_by_role("link", name="Shelf bracket")).to_have_count(0, timeout=SOON_MS)
    assert page.evaluate("window.kept"), "the page was loaded anew"


def test_a_repair_is_seen_where_the_board_stands_open(walk: Walk, printer: Machine) -> None:
    """No device tells of it: the board is looked at anew every ten seconds."""
    page = walk.page
    walk.goto(f"/labs/{printer.lab.slug}/")
    page.wait_for_selector("lc-live[data-ready]", state="attached")
    tile = page.locator(f"#tile-{printer.slug}")
    expect(tile.locator(".chip")).to_have_text("Free")
    back = (timezone.now() + dt.timedelta(days=3)).date()
    Machine.objects.filter(pk=printer.pk).update(state="repair", state_note="The belt is worn.", back_on=back)
    expect(tile).to_contain_text("The belt is worn.", timeout=2 * SOON_MS)
    expect(tile.locator(".chip")).to_have_text("In repair")
