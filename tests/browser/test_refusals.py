"""Bad input through the pages: each gets a sentence, and nothing is changed."""

import re
from pathlib import Path

from django.contrib.sessions.models import Session
from playwright.sync_api import expect

from commons.people.models import Handle, User
from commons.people.services import create_user
from commons.places.models import Place
from commons.runs.models import Run
from designs.models import Blob, Design
from labs.models import Booking, Machine
from tests.browser.conftest import PASSWORD, Walk, box_stl, until
from twin.models import Building, District, DistrictVersion


def held_back(walk: Walk) -> None:
    """The browser holds a form with empty fields back by itself; ask the site nevertheless."""
    walk.page.locator("main form[method=post]").first.evaluate("form => { form.noValidate = true }")


def new_design(walk: Walk, name: str, file: Path) -> None:
    walk.goto("/designs/new/")
    walk.page.locator("input[name=name]").fill(name)
    walk.page.locator("input[type=file][name=file]").set_input_files(file)
    walk.page.get_by_role("button", name="Make the design").click()


def test_an_empty_file_an_empty_form_and_a_taken_name_make_no_design(
    walk: Walk, neighbour: User, tmp_path: Path
) -> None:
    page, complaint = walk.page, walk.page.get_by_role("alert")
    walk.sign_in(neighbour)
    empty = tmp_path / "empty.stl"
    empty.touch()

    walk.refusals.append((422, "/designs/new/"))
    new_design(walk, "Nothing", empty)
    expect(complaint).to_contain_text("The submitted file is empty.")
    assert not Design.objects.exists() and not Blob.objects.exists()

    walk.goto("/designs/new/")
    walk.refusals.append((422, "/designs/new/"))
    page.get_by_role("button", name="Make the design").click()
    expect(complaint).to_contain_text(re.compile(r"Name\s*: Give it a name, or a file that names it."))
    assert not Design.objects.exists()

    part = tmp_path / "part.stl"
    part.write_bytes(box_stl(1, 2, 3))
    new_design(walk, "Part", part)
    expect(page.get_by_role("heading", level=1)).to_have_text("Part")
    until(lambda: Blob.objects.filter(format="stl", preview=Blob.Preview.READY).exists())
    before = list(Design.objects.values("pk", "name", "head", "repository"))
    walk.refusals.append((422, "/designs/new/"))
    new_design(walk, "Part", part)
    expect(complaint).to_contain_text("nea has a design “part”; choose another name.")
    assert list(Design.objects.values("pk", "name", "head", "repository")) == before


def test_an_unknown_format_is_a_file_like_any_other_and_a_broken_stl_is_kept_with_a_sentence(
    walk: Walk, neighbour: User, tmp_path: Path
) -> None:
    page = walk.page
    walk.sign_in(neighbour)
    odd = tmp_path / "notes.qqq"
    odd.write_bytes(b"\x00\x01 whatever it is")
    new_design(walk, "Odd", odd)
    expect(page.get_by_role("heading", level=1)).to_have_text("Odd")
    until(lambda: not Run.objects.exclude(status="done").exists())
    files = page.get_by_role("region", name="Files").first  # the page loads itself again when its run is over
    expect(files).to_contain_text("notes.qqq", timeout=30_000)
    expect(page.get_by_text("We could not draw")).to_have_count(0)

    broken = tmp_path / "broken.stl"
    broken.write_bytes(box_stl(1, 2, 3)[:-100])  # says twelve triangles, holds ten
    new_design(walk, "Broken", broken)
    expect(page.get_by_role("heading", level=1)).to_have_text("Broken")
    note = page.locator(".note", has_text="We could not draw broken.stl.")
    expect(note).to_contain_text("The file is safe.", timeout=40_000)
    reason = Blob.objects.get(format="stl").reason
    assert reason
    expect(note).to_contain_text(reason)
    raw = page.request.get(f"{walk.city.url}/designs/nea/broken/raw/main/broken.stl")
    assert raw.body() == broken.read_bytes()


def test_a_wrong_password_and_an_empty_form_let_nobody_in(walk: Walk, neighbour: User) -> None:
    page, door = walk.page, walk.page.locator("main form").first
    walk.goto("/account/login/")
    page.locator("input[name=login]").fill("nea")
    page.locator("input[name=password]").fill("not " + PASSWORD)
    door.get_by_role("button").first.click()
    expect(page.get_by_role("main")).to_contain_text("not correct")
    walk.goto("/account/login/")
    held_back(walk)
    door.get_by_role("button").first.click()
    expect(page.get_by_role("main")).to_contain_text("This field is required.")
    assert not any("_auth_user_id" in session.get_decoded() for session in Session.objects.all())
    walk.goto("/me/")
    assert "/account/login/" in page.url

    # signing up: a name that is taken, an address that is none, a weak word
    walk.goto("/account/signup/")
    held_back(walk)
    page.locator("input[name=email]").fill("nobody")
    page.locator("input[name=username]").fill("NEA")
    page.locator("input[name=password1]").fill("1234")
    door.get_by_role("button").first.click()
    for sentence in ("valid email address", "too short"):
        expect(page.get_by_role("main")).to_contain_text(sentence)
    assert list(User.objects.values_list("username", flat=True)) == ["nea"]
    assert Handle.objects.count() == 1


def test_a_booking_without_a_time_or_in_the_past_is_refused(walk: Walk, neighbour: User, printer: Machine) -> None:
    page = walk.page
    walk.sign_in(neighbour)
    for start, sentence in (("", "Choose a time first."), ("2020-01-01T10:00:00Z", "is past. Choose a time to come.")):
        walk.goto("/labs/corner-lab/ilves/book/")
        form = page.locator("main form[method=post]", has=page.get_by_role("button", name=re.compile("^Book ")))
        form.evaluate(
            "(form, start) => { form.elements.start.value = start; "
            "form.elements.end.value = start.replace('10:', '11:') }",
            start,
        )
        walk.refusals.append((422, "/labs/corner-lab/ilves/book/"))
        form.get_by_role("button", name=re.compile("^Book ")).click()
        expect(page.get_by_role("main")).to_contain_text(sentence)
    assert not Booking.objects.exists()


def import_map(walk: Walk, file: Path, content: bytes) -> None:
    """A steward sends the file as the district "town"."""
    file.write_bytes(content)
    walk.goto("/twin/new/")
    walk.page.get_by_label("Address").fill("town")
    walk.page.locator("input[type=file]").set_input_files(file)
    walk.page.get_by_role("main").get_by_role("button", name="Import").click()


def test_a_file_that_is_no_map_makes_no_district(walk: Walk, quarter: Place, tmp_path: Path) -> None:
    main = walk.page.get_by_role("main")
    walk.sign_in(create_user(username="steward", password=PASSWORD, is_staff=True))
    for name, content, words in (
        ("empty.osm.pbf", b"", "empty.osm.pbf is empty. Nothing was changed"),
        ("town.dwg", b"AC1027", "town.dwg is not a file we can read. Send one of: .osm.pbf"),
    ):
        walk.refusals.append((400, "/twin/new/"))
        import_map(walk, tmp_path / name, content)
        expect(main).to_contain_text(words)
    assert not Run.objects.exists()

    import_map(walk, tmp_path / "broken.osm.pbf", b"\x00\x00\x00\x0d\x0a\x09OSMHeader\x18\x05 and then nothing")
    run = until(lambda: Run.objects.filter(status="failed").first())
    assert run.error.startswith("broken.osm.pbf is damaged (")
    expect(main).to_contain_text(run.error, timeout=40_000)
    assert not District.objects.exists() and not DistrictVersion.objects.exists() and not Building.objects.exists()
