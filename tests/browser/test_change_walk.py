"""A neighbour forks a design, writes in it, offers it back and talks; its owner merges it: by hand in the browser."""

import re

from playwright.sync_api import expect

from commons.people.services import create_user
from designs import git
from designs.models import Check, Design, Proposal
from tests.browser.conftest import PASSWORD, Walk, until


def test_from_a_fork_to_a_merge(walk: Walk, bracket: Design) -> None:
    page = walk.page
    niko = create_user(username="niko", name="Niko", password=PASSWORD)
    walk.sign_in(niko)
    walk.goto("/designs/aila/shelf-bracket/")
    page.get_by_role("link", name="Fork", exact=True).click()
    page.get_by_role("button", name="Make the fork").click()
    page.wait_for_url(re.compile(r"/designs/niko/shelf-bracket/"))

    walk.goto("/designs/niko/shelf-bracket/write/README.md")
    page.locator("textarea").first.fill("# Shelf bracket\n\nHolds a shelf, and a lamp under it.\n")
    page.get_by_role("button", name="Save as a new version").click()
    walk.goto("/designs/niko/shelf-bracket/")
    expect(page.get_by_role("main")).to_contain_text("1 commit ahead of Shelf bracket")
    page.get_by_role("link", name="Offer this change").click()
    expect(page.get_by_role("complementary")).to_contain_text("README.md")
    page.get_by_label("What it does, in a few words").fill("A lamp under the shelf")
    page.get_by_role("button", name="Offer this change").click()
    page.wait_for_url(re.compile(r"/designs/aila/shelf-bracket/changes/1/"))
    until(lambda: Check.objects.filter(proposal__number=1, name="merges", state="passed").exists())
    walk.goto("/designs/aila/shelf-bracket/changes/1/")
    expect(page.locator("[data-check=merges]")).to_contain_text("no conflict")
    page.get_by_label("Your remark").fill("The lamp is 40 mm wide.")
    page.get_by_role("button", name="Say it").click()
    expect(page.locator("#talk")).to_contain_text("The lamp is 40 mm wide.")
    expect(page.get_by_role("link", name="Accept and merge")).to_have_count(0)

    page.context.clear_cookies()
    walk.goto("/designs/aila/shelf-bracket/changes/1/")
    expect(page.locator("#talk")).to_contain_text("Sign in to say something")
    walk.sign_in(bracket.owner.user)  # type: ignore[arg-type]  # its owner is a person
    walk.goto("/designs/aila/shelf-bracket/changes/1/")
    page.get_by_role("link", name="Accept and merge").click()
    page.get_by_role("button", name="Merge into main").click()
    page.wait_for_url(re.compile(r"/changes/1/$"))
    expect(page.get_by_role("main")).to_contain_text("Merged")
    merged = Proposal.objects.get(design=bracket)
    repository = git.of(bracket.repository)
    assert repository.head("main") == merged.merged_commit
    text = repository.read(repository.entry("main", "README.md").oid, limit=1000)
    assert b"lamp" in text
