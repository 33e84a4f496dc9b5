"""The pages answer without a script: choose, book, be told why not, cancel; the desk is for its people alone."""

import datetime as dt
import re
from typing import Any

import pytest
from django.test import Client, RequestFactory
from django.utils import timezone

from commons import sockets
from commons.devices import services as devices
from commons.people.models import Membership
from commons.people.services import set_role
from commons.places.models import Place
from designs.models import Blob
from labs.models import BadgeGrant, Booking, Lab, Machine
from labs.queries import matching
from labs.services import bookings, catalogue, faults, members
from tests.labs.conftest import design, lab, machine, person, tomorrow

HOUR = dt.timedelta(hours=1)


def page(client: Client, path: str, **query: str) -> str:
    answer = client.get(path, query)
    assert answer.status_code == 200, (path, answer.status_code)
    return str(answer.content.decode())


def chosen(html: str) -> dict[str, str]:
    """The hidden fields of the form that books."""
    form = html[html.index('<form method="post"><input type="hidden" name="csrf') :]
    return dict(re.findall(r'name="(start|end|design)" value="([^"]+)"', form[: form.index("</form>")]))


def test_a_person_books_in_two_steps_and_cancels(client: Client, printer: Machine) -> None:
    user = person()
    made = design(user, b"solid hook", facts={"extents_mm": [20, 20, 20]})
    path = f"/labs/{printer.lab.slug}/{printer.slug}/book/"
    assert "Sign in to book it" in page(client, path)
    client.force_login(user)
    name = f"{user.username}/{made.design.slug}"
    html = page(client, path, design=name, minutes="90")
    fields = chosen(html)
    length = dt.datetime.fromisoformat(fields["end"]) - dt.datetime.fromisoformat(fields["start"])
    assert (length, fields["design"]) == (dt.timedelta(minutes=90), name)
    answer = client.post(path, fields)
    assert (answer.status_code, answer["Location"]) == (302, "/me/bookings/")
    booking = Booking.objects.get()
    assert (booking.user, booking.design, booking.length) == (user, made.design, dt.timedelta(minutes=90))
    mine = page(client, "/me/bookings/")
    assert printer.name in mine
    client.post(f"/me/bookings/{booking.pk}/cancel/")
    booking.refresh_from_db()
    assert booking.status == "cancelled"


def test_a_time_taken_meanwhile_offers_the_next_and_keeps_what_was_chosen(client: Client, printer: Machine) -> None:
    client.force_login(person())
    path = f"/labs/{printer.lab.slug}/{printer.slug}/book/"
    bookings.create_booking(machine=printer, user=person(), start=tomorrow(), end=tomorrow() + HOUR)
    answer = client.post(path, {"start": tomorrow().isoformat(), "end": (tomorrow() + HOUR).isoformat()})
    assert answer.status_code == 409
    html = answer.content.decode()
    assert "is taken then" in html
    assert "nothing was booked yet" in html
    assert dt.datetime.fromisoformat(chosen(html)["start"]) == tomorrow() + HOUR
    assert Booking.objects.count() == 1


def test_the_table_offers_exactly_the_free_hours(client: Client, printer: Machine) -> None:
    start = tomorrow(9)
    bookings.create_booking(machine=printer, user=person(), start=start, end=start + 2 * HOUR)
    local = start.astimezone(printer.lab.zone)
    html = page(client, f"/labs/{printer.lab.slug}/{printer.slug}/book/", week=local.date().isoformat(), minutes="60")
    offered = {
        dt.datetime.fromisoformat(t.replace("%3A", ":").replace("%2B", "+"))
        for t in re.findall(r"start=([0-9T%A-Fa-f:+.-]+)", html)
    }
    assert start - HOUR in offered
    assert start + 2 * HOUR in offered
    assert not {start, start + HOUR} & offered
    assert all(at > timezone.now() for at in offered)


def test_the_page_says_which_badge_is_missing(client: Client, printer: Machine) -> None:
    printer.required_badges.add(catalogue.create_badge(slug="laser", name="Laser cutter"))
    client.force_login(person())
    html = page(client, f"/labs/{printer.lab.slug}/{printer.slug}/book/")
    assert "You need the badge" in html
    assert "Laser cutter" in html


def test_names_of_bookers_are_for_the_labs_own_people(client: Client, printer: Machine) -> None:
    booker = person("zebedeus")
    bookings.create_booking(machine=printer, user=booker, start=tomorrow(), end=tomorrow() + HOUR)
    paths = [
        f"/labs/{printer.lab.slug}/",
        f"/labs/{printer.lab.slug}/{printer.slug}/book/?start={tomorrow().isoformat()}",
    ]
    for path in paths:
        assert "zebedeus" not in client.get(path).content.decode()
    member = person()
    set_role(organisation=printer.lab.organisation, user=member, role=Membership.Role.MEMBER)
    client.force_login(member)
    for path in paths:
        assert "zebedeus" in client.get(path).content.decode()


@pytest.mark.parametrize(
    "query",
    [
        "start=x",
        "minutes=99999999",
        "minutes=-5",
        "week=never",
        "design=a/b/c",
        "day=2026-02-30&at=25:00",
        "start=2026-06-18T10:00:00",
    ],
)
def test_addresses_that_make_no_sense_still_show_the_page(client: Client, printer: Machine, query: str) -> None:
    assert client.get(f"/labs/{printer.lab.slug}/{printer.slug}/book/?{query}").status_code == 200
    assert client.get(f"/labs/{printer.lab.slug}/{printer.slug}/?{query}").status_code == 200


def test_what_does_not_exist_is_404(client: Client, printer: Machine) -> None:
    for path in ("/labs/nowhere/", f"/labs/{printer.lab.slug}/nothing/", "/jobs/00000000-0000-0000-0000-000000000000/"):
        assert client.get(path).status_code == 404


def test_the_desk_is_for_its_people(client: Client, printer: Machine) -> None:
    path = f"/labs/{printer.lab.slug}/desk/"
    assert client.get(path).status_code == 302
    client.force_login(person())
    assert client.get(path).status_code == 404
    trainer, learner = person(), person("learner")
    set_role(organisation=printer.lab.organisation, user=trainer, role=Membership.Role.TRAINER)
    client.force_login(trainer)
    badge = catalogue.create_badge(slug="printing", name="3D printing")
    client.post(path, {"do": "badge", "badge": badge.pk, "person": "learner"})
    assert BadgeGrant.objects.get(user=learner).granted_by == trainer
    client.post(path, {"do": "machine", "name": "Mine", "cls": "3d-printer"})
    client.post(path, {"do": "state", "machine": printer.pk, "state": "repair", "note": "x"})
    assert Machine.objects.count() == 1
    printer.refresh_from_db()
    assert printer.state == "ok"


def test_a_manager_adds_a_machine_enrols_its_device_and_takes_it_out_of_service(client: Client, city_lab: Any) -> None:
    manager = person()
    set_role(organisation=city_lab.organisation, user=manager, role=Membership.Role.MANAGER)
    client.force_login(manager)
    path = f"/labs/{city_lab.slug}/desk/"
    assert (
        client.post(path, {"do": "machine", "name": "Pallas", "cls": "laser-cutter", "rated_w": 900}).status_code == 302
    )
    made = Machine.objects.get()
    assert (made.process, made.rated_w) == ("laser-cutting", 900)
    assert (
        "has a machine called"
        in client.post(path, {"do": "machine", "name": "Pallas", "cls": "laser-cutter"}).content.decode()
    )
    html = client.post(path, {"do": "code", "machine": made.pk}).content.decode()
    code = re.search(r"<code>([A-Z0-9]{4}-[A-Z0-9]{4})</code>", html)
    assert code is not None
    device, _token = devices.enrol(code=code[1], kind="laser-cutter", hardware_id="hw")
    made.refresh_from_db()
    assert made.device == device
    assert code[1] not in client.get(path).content.decode()
    client.post(path, {"do": "state", "machine": made.pk, "state": "repair", "note": "The lens is cracked."})
    assert "The lens is cracked." in page(client, f"/labs/{city_lab.slug}/")
    other = machine(lab())
    client.post(path, {"do": "state", "machine": other.pk, "state": "repair", "note": "x"})
    other.refresh_from_db()
    assert other.state == "ok"


def test_a_phone_changes_the_day_by_the_strip_and_keeps_the_choice(client: Client, printer: Machine) -> None:
    path = f"/labs/{printer.lab.slug}/{printer.slug}/book/"
    start = tomorrow()
    html = page(client, path, start=start.isoformat(), minutes="60")
    strip = html[html.index('class="daystrip') : html.index("</nav>", html.index('class="daystrip'))]
    links = re.findall(r'href="([^"]+)"', strip)
    assert len(links) == 7 and all("start=" in link and "minutes=60" in link for link in links)
    local = start.astimezone(printer.lab.zone).date()
    other = next(link for link in links if f"shown={local.isoformat()}" not in link)
    answer = client.get(path + other.replace("&amp;", "&"))
    shown = re.search(r'<a href="[^"]*shown=([0-9-]+)[^"]*" aria-current="date"', answer.content.decode())
    assert shown is not None and f"shown={shown[1]}" in other
    assert chosen_start(answer.content.decode()) == chosen_start(html)
    page(client, path, shown="not a day")


def chosen_start(html: str) -> str:
    """The time in the heading of the choice."""
    found = re.search(r"<h2>([^<]+)<span class=\"nowrap\">([^<]+)</span></h2>", html)
    assert found is not None
    return found[1] + found[2]


def test_a_design_leads_to_the_booking_page_that_chooses_it(client: Client, printer: Machine) -> None:
    user = person()
    made = design(user, b"solid hook", facts={"extents_mm": [20, 20, 20]})
    plug = next(slot for slot in sockets.page_slots if slot.slug == "labs.make_button")
    request = RequestFactory().get("/")
    request.user = user
    filled = plug.context(request, made.design)
    assert filled is not None
    url = filled["offer"]["url"]
    assert url.startswith(f"/labs/{printer.lab.slug}/") and url.endswith(f"?design={user.username}/{made.design.slug}")
    assert "make it?" in page(client, url)
    large = design(user, b"solid wall", facts={"extents_mm": [9000, 9000, 9000]})
    assert plug.context(request, large.design) is None
    torn = design(user, b"solid torn", facts={"extents_mm": [20, 20, 20]})
    assert plug.context(request, torn.design) is not None
    Blob.objects.filter(oid=torn.oid).update(preview=Blob.Preview.FAILED)
    afresh = RequestFactory().get("/")
    afresh.user = user
    assert plug.context(afresh, torn.design) is None  # nobody knows what it would make


def test_a_lab_without_a_place_keeps_the_citys_time(city_lab: Lab) -> None:
    assert city_lab.place is not None
    Place.objects.update(timezone="Europe/Helsinki")
    city_lab.place = None
    assert city_lab.zone.key == "Europe/Helsinki"


PUBLIC = ["Machines", "Week", "Made", "Sun", "Courses", "Rules", "About"]
FELLOWS = ["Faults", "Consumables", "Log", "People"]
TRAINERS = ["Desk", "Orders", "Faults", "Maintenance", "Consumables", "Log", "Labels", "People"]
MANAGERS = ["Desk", "Bookings", "Orders", "Faults", "Maintenance", "Consumables", "Log", "Power",
            "Asked of machines", "Meters", "Labels", "People", "Trusted badges", "Money", "Settings", "Import",
            "Open Know-Where"]  # fmt: skip


def links(html: str, block: str) -> dict[str, str]:
    """Title to address of the links of a navigation that begins with these letters."""
    if block not in html:
        return {}
    inside = html[html.index(block) :].split("</nav>", maxsplit=1)[0]
    return {title.strip(): url for url, title in re.findall(r'<a href="([^"]+)"[^>]*>([^<]+)', inside)}


@pytest.mark.parametrize(
    ("role", "more", "behind"),
    [
        (None, [], []),
        ("stranger", [], []),
        ("member", ["For members"], FELLOWS),
        ("trainer", ["Desk"], TRAINERS),
        ("manager", ["Desk"], MANAGERS),
        ("owner", ["Desk"], MANAGERS),
    ],
)
def test_a_lab_shows_each_the_parts_that_are_theirs(
    client: Client, printer: Machine, role: str | None, more: list[str], behind: list[str]
) -> None:
    if role:
        user = person()
        client.force_login(user)
        if role != "stranger":
            set_role(organisation=printer.lab.organisation, user=user, role=role)
    html = page(client, f"/labs/{printer.lab.slug}/")
    tabs = links(html, '<nav class="tabs"')
    assert [*tabs] == PUBLIC + more
    assert "deskside" not in html
    if not behind:
        return
    inside = page(client, tabs[more[0]])
    assert [*links(inside, '<nav class="deskside')] == [*links(inside, '<nav class="panel"')] == behind
    for title, url in links(inside, '<nav class="deskside').items():
        there = page(client, url)
        assert [*links(there, '<nav class="deskside')] == behind, title
        assert re.search(rf'aria-current="page">{title}<', there), title


def test_what_belongs_to_labs_is_marked_so_wherever_its_address_begins(client: Client, printer: Machine) -> None:
    def here(path: str) -> list[str]:
        main = page(client, path).split('<nav class="nav"')[1].split("</nav>")[0]
        return re.findall(r'aria-current="page">([^<]+)<', main)

    assert [here(path) for path in ("/courses/", "/verify/", "/labs/", "/designs/")] == [["Labs"]] * 3 + [["Designs"]]
    client.force_login(person())
    assert here("/me/badges/") == []


def test_the_desk_begins_with_what_waits(client: Client, printer: Machine) -> None:
    boss, stranger = person(), person()
    set_role(organisation=printer.lab.organisation, user=boss, role="manager")
    client.force_login(boss)
    path = f"/labs/{printer.lab.slug}/desk/"
    assert "Nothing waits for you." in page(client, path)
    faults.report_fault(machine=printer, by=stranger, what="It squeaks.", severity="care")
    members.ask_to_join(lab=printer.lab, user=stranger)
    found = page(client, path)
    assert "Nobody looks after 1 fault<" in found
    assert "1 person asks to join<" in found
    faults.keep_fault(fault=printer.faults.get(), keeper=boss, by=boss)
    assert "Nobody looks after" not in page(client, path)


def test_a_machine_that_works_alone_is_offered_when_somebody_can_start_it(kamppi: Place) -> None:
    of = lab(place=kamppi)
    day = timezone.now().astimezone(of.zone) + dt.timedelta(days=2)
    of.opening_hours = {f"{day:%a}".lower(): [["10:00", "12:00"]]}
    of.save()
    alone = machine(of, unattended=True)
    made = design(person(), b"solid part", facts={"extents_mm": [20, 20, 20], "watertight": True})
    (match,) = matching.matches(made.design)
    assert match.machine == alone
    assert match.free_at is not None
    assert f"{match.free_at.astimezone(of.zone):%Y-%m-%d %H:%M}" == f"{day:%Y-%m-%d} 10:00"
    long = matching.matches(made.design, asked=matching.Asked(length=dt.timedelta(hours=5)))
    assert long[0].free_at is not None, "longer than the lab is open: whenever it is free"
