"""A secret vote in the browser: two people cast, one changes hers, the vote closes, each finds the own ballot."""

import datetime as dt
import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.utils import timezone
from playwright.sync_api import Page, expect

import commons.decisions
from commons.decisions import services
from commons.decisions.models import Motion, SecretBallot
from commons.people.models import User
from commons.people.services import create_organisation, create_user, set_role
from labs.services import catalogue
from tests.browser.conftest import PASSWORD, Walk, until
from tests.decisions.test_motions import at_once

SCRIPT = Path(commons.decisions.__file__).with_name("recount.py")


@pytest.fixture
def motion(quarter: object) -> Iterator[Motion]:
    """A secret vote of a lab's twelve, open."""
    guild = create_organisation(handle="secret-lab", name="Secret lab", kind="lab")
    catalogue.open_lab(organisation=guild, name="Secret lab")
    names = ["mira", "otto", *(f"more-{i}" for i in range(10))]
    people = [create_user(username=name, name="", password=PASSWORD) for name in names]
    for person in people:
        set_role(organisation=guild, user=person, role="member")
    guild.memberships.update(since=timezone.now() - dt.timedelta(days=60))
    asked = services.propose(
        body=services.body(kind="labs.lab", key="secret-lab"), author=people[0], title="A louder extractor fan?",
        text="The present one leaves dust on everything.", method="majority", secret=True,
        options=[{"title": "The loud one"}, {"title": "Another"}],
    )  # fmt: skip
    yield at_once(asked, "open")


def cast(page: Page, option: str) -> str:
    """Choose, put it into the box, and answer the receipt."""
    page.wait_for_selector("lc-ballot[data-ready]")
    page.get_by_label(option).check()
    button = page.get_by_role("button", name="Put it into the box")
    expect(button).to_be_enabled()
    button.click()
    expect(page.locator("lc-ballot [data-told]")).to_contain_text("leaves in a moment")
    page.clock.fast_forward(20_000)  # the random wait
    told = page.locator("lc-ballot [data-told]")
    expect(told).to_contain_text("Receipt:", timeout=25_000)
    return (told.text_content() or "").split("Receipt: ")[1]


def test_two_people_vote_in_secret(walk: Walk, motion: Motion, tmp_path: Path) -> None:
    page, sent = walk.page, []
    page.clock.install()
    page.context.on("request", lambda r: sent.append(r.headers) if r.url.endswith("/ballot/") else None)
    receipts = []
    for name, option in (("mira", "The loud one"), ("otto", "Another")):
        walk.sign_in(User.objects.get(username=name))
        walk.goto(f"/decisions/{motion.pk}/")
        receipts.append(cast(page, option))
        if name == "mira":
            assert cast(page, "Leave it as it is") == receipts[0], "changed, with the same token"
        page.context.clear_cookies()
    assert len(set(receipts)) == 2 and SecretBallot.objects.count() == 2
    assert len(sent) == 3 and not any("cookie" in headers or headers.get("referer") for headers in sent)
    Motion.objects.filter(pk=motion.pk).update(eligible=4)  # so that two are a quorum of the lab's fifth
    at_once(motion, "counted")
    walk.sign_in(User.objects.get(username="mira"))
    walk.goto(f"/decisions/{motion.pk}/")
    expect(page.locator("lc-ballot [data-told]")).to_contain_text("as you cast it, in line")
    answer = page.request.get(f"{walk.city.url}/decisions/{motion.pk}/ballots.json")
    until(lambda: answer.ok)
    (tmp_path / "ballots.json").write_bytes(answer.body())
    (tmp_path / "recount.py").write_bytes(page.request.get(f"{walk.city.url}/decisions/recount.py").body())
    assert json.loads(answer.body())["tokens"] == sorted(receipts)
    again = subprocess.run(
        [sys.executable, "-I", tmp_path / "recount.py", tmp_path / "ballots.json"], capture_output=True, check=True
    )
    motion.refresh_from_db()
    assert json.loads(again.stdout) == motion.outcome and motion.outcome["figures"]["votes"] == {"0": 1, "1": 0, "2": 1}
