"""The plugs themselves: each asks the queries and hands over what the socket wants."""

import dataclasses
import datetime as dt
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from django.apps import apps
from django.http import HttpRequest
from django.urls import reverse
from django.utils import formats, timezone
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as lazy

from commons import sockets
from commons.people.models import User
from commons.places.models import Place
from commons.shelf import asked_once
from labs import activity, dashboards, deciding, open_data, personal
from labs.engine.times import Offer
from labs.models import Job, LabTie
from labs.queries import (
    addresses,
    badges,
    board,
    bookings,
    catalogue,
    evidence,
    figure,
    job_table,
    jobs,
    lab_days,
    learning,
    live,
    made,
    matching,
    passport_reports,
    sides,
    slices,
    standing,
    ties,
)
from labs.queries import passports as passport_reads
from labs.queries.near import near_of
from labs.services import commands, flexible, hooks, interlocks, leaving, ledger, passports, waitlist
from labs.services import jobs as taken

if TYPE_CHECKING:
    from commons.devices.models import Device
    from designs.models import Design
    from designs.queries.files import File

MOST_MACHINES, MOST_ASKED, MOST_MAKES, ALL_MAKES = 3, 8, 3, 100
MOST_THINGS = 5


def plug_in() -> None:
    """Fill the sockets of the ground floor, and let the books hear of bookings."""
    deciding.register()
    dashboards.register()
    activity.register()
    personal.register()
    if apps.is_installed("energy"):
        sides.register()
    hooks.listen(ledger.heard)
    hooks.listen(waitlist.time_freed)
    hooks.listen(interlocks.heard)
    hooks.listen(flexible.heard)
    sockets.nav.register(sockets.NavEntry("labs", lazy("Labs"), "rooms:labs", "labs", order=25, packages=("labs",)))
    sockets.figures.register(
        sockets.HeadlineFigure(
            slug="open_production",
            title=lazy("Made from open designs"),
            style="percent",
            goal=0.9,
            compute=figure.open_production,
            definition=lazy(
                "Machine hours of finished jobs whose file is proven to be one of a public design with an open "
                "licence in the version that was made, of all machine hours of finished jobs in the last 90 days. "
                "Whatever is not proven open counts as closed, so the figure is a lower bound; the upper bound "
                "counts everything as open that is not proven closed. Coverage is the share of machine hours whose "
                "file is known."
            ),
            version=figure.VERSION,
            order=30,
        )
    )
    sockets.sheets.register(sockets.Sheet("labs.hours", "src/styles/hours.css", packages=("labs",)))
    sockets.sheets.register(
        sockets.Sheet("labs.standing", "src/styles/person.css", packages=("labs.views.standing",), order=110)
    )
    sockets.home_cards.register(sockets.HomeCard("labs.now", "labs/parts/home.html", making_now, order=30))
    sockets.page_slots.register(
        sockets.PageSlot("labs.make_button", "designs.design.actions", "labs/parts/make_button.html", make_button)
    )
    sockets.page_slots.register(
        sockets.PageSlot("labs.make_it", "designs.design.aside", "labs/parts/make_it.html", make_it, order=20)
    )
    sockets.page_slots.register(
        sockets.PageSlot("labs.preset", "designs.file.fits", "labs/parts/preset.html", preset, order=30)
    )
    sockets.page_slots.register(sockets.PageSlot("labs.fits", "designs.file.fits", "labs/parts/fits.html", fits))
    sockets.page_slots.register(
        sockets.PageSlot("labs.makes", "designs.design.below", "labs/parts/makes.html", makes, order=20)
    )
    sockets.page_slots.register(
        sockets.PageSlot("labs.my_badges", "people.me.below", "labs/parts/my_learning.html", my_learning, order=30)
    )
    sockets.page_slots.register(
        sockets.PageSlot("labs.my_things", "people.me.below", "labs/parts/my_things.html", my_things, order=40)
    )
    sockets.page_slots.register(
        sockets.PageSlot("labs.in_community", "energy.community.below", "labs/parts/in_community.html", in_community)
    )
    sockets.makeable.register(sockets.Makeable("labs", catalogue.reaches))
    sockets.page_slots.register(
        sockets.PageSlot("labs.all_makes", "designs.makes.measured", "labs/parts/makes.html", all_makes, order=20)
    )
    sockets.report_targets.register(
        sockets.ReportTarget(
            "labs.passport_entry",
            lazy("Entry of a passport"),
            passport_reports.find,
            passports.hide_entry,
            passports.show_entry,
        )
    )
    sockets.measured_makes.register(sockets.MeasuredMakes("labs", made.of_person, made.named))
    sockets.api_rows.register(sockets.ApiRows("labs.makes", "designs.makes", make_rows, order=20))
    sockets.evidence.register(sockets.SystemEvidence("labs.production", collect_evidence, order=30))
    sockets.search_sources.register(sockets.SearchSource("labs", lazy("Labs"), catalogue.search_labs, order=30))
    sockets.search_sources.register(
        sockets.SearchSource("machines", lazy("Machines"), catalogue.search_machines, order=32)
    )
    sockets.command_files.register(sockets.CommandFile(commands.ROOM, commands.read_file))
    sockets.search_sources.register(
        sockets.SearchSource("courses", lazy("Courses"), learning.search, order=35, scope="designs:read")
    )
    sockets.sitemaps.register(sockets.Sitemap("labs", addresses.count_labs, addresses.of_labs, order=30))
    sockets.sitemaps.register(sockets.Sitemap("courses", addresses.count_courses, addresses.of_courses, order=35))
    sockets.leavers.register(sockets.Leaver("labs", leaving.leave, leaving.keeps, order=30))
    sockets.live_boards.register(sockets.LiveBoard("lab", live.lab_board))
    sockets.live_boards.register(sockets.LiveBoard("machine", live.machine_board))
    sockets.job_takers.register(sockets.JobTaker("labs", take_jobs))
    sockets.demo_parts.register(sockets.DemoPart("labs", seed_demo, remove_demo, order=60))
    sockets.open_datasets.register(
        sockets.OpenDataset("jobs", lazy("What was made, and with how many kWh"), "CC0-1.0", job_rows, order=30)
    )
    sockets.open_datasets.register(
        sockets.OpenDataset(
            "labs",
            lazy("Labs and their machines"),
            "CC0-1.0",
            open_data.rows,
            order=31,
            description=lazy("Each machine of each lab: what it is, what fits into it, and where it stands."),
            keywords=("lab", "machine", "fabrication"),
            theme="TECH",
        )
    )


def _person(request: HttpRequest) -> User | None:
    return request.user if isinstance(request.user, User) else None


def making_now(request: HttpRequest, place: Place) -> Mapping[str, Any] | None:
    """“Being made now”: the jobs that run in the place's labs."""
    now = timezone.now()
    machines = list(catalogue.machines().filter(catalogue.of_place(place, "lab__")))
    if not machines:
        return None
    tiles = board.tiles(machines, viewer=_person(request), now=now)
    running = [tile for tile in tiles if tile.running]
    free = [tile for tile in tiles if tile.free]
    demo = any(m.demo for m in machines)
    return {
        "running": running[:4],
        "count": len(running),
        "free": len(free),
        "machines": len(machines),
        "demo": demo,
    }


def make_it(request: HttpRequest, design: "Design") -> Mapping[str, Any] | None:
    """“Make it near you”: the machines that can, each with its best time, the sunniest and then the soonest first."""
    if not catalogue.machines().exists():
        return None
    found, fitting = _offers(request, design)
    makes_count, kwh = jobs.energy_of_design(design)
    more = max(fitting - MOST_MACHINES, 0)
    address = [design.owner.name, design.slug]
    return {
        "offers": found[:MOST_MACHINES],
        "more": more,
        "makes": makes_count,
        "kwh": kwh,
        "make_url": reverse("rooms:make", args=address),
        "order_url": reverse("rooms:order_new", args=address) if design.releases.exists() else "",
    }


def fits(request: HttpRequest, file: "File") -> Mapping[str, Any] | None:
    """“Fits 4 machines”: those whose working volume holds the file's box when it is turned to lie best."""
    found = matching.machines_for(file)
    if found is None or not catalogue.machines().exists():
        return None
    return {"machines": found[:MOST_MACHINES], "count": len(found), "more": max(len(found) - MOST_MACHINES, 0)}


def preset(request: HttpRequest, file: "File") -> Mapping[str, Any] | None:
    """The note that names a file to whoever slices it."""
    blob = file.blob
    return {"sha256": blob.sha256} if blob is not None and blob.format in slices.FORMATS else None


def make_button(request: HttpRequest, design: "Design") -> Mapping[str, Any] | None:
    """The main action of a design: the best booking page, with the design chosen; away where nobody can make it."""
    found, _fitting = _offers(request, design)
    return {"offer": found[0]} if found else None


def _offers(request: HttpRequest, design: "Design") -> tuple[list[dict[str, Any]], int]:
    """The machines' best times, best first, and how many machines fit; asked once a page."""
    known: dict[Any, tuple[list[dict[str, Any]], int]] = request.__dict__.setdefault("_labs_offers", {})
    if design.pk not in known:
        now = timezone.now()
        length = jobs.usual_length(design) or dt.timedelta(hours=1)
        asked = matching.Asked(near=near_of(request), length=length, person=_person(request))
        with asked_once():
            found = matching.find(design, asked=asked, most=MOST_ASKED, sunny=False)
            offers = [(m, bookings.best(m.machine, length=length, now=now, count=1)) for m in found.matches if m.fits]
        late = now + dt.timedelta(days=366)
        offers.sort(key=lambda a: (-round(100 * (a[1][0].share or 0)), a[1][0].start) if a[1] else (1, late))
        known[design.pk] = [_offer(design, match, best) for match, best in offers], found.fitting
    return known[design.pk]


def _offer(design: "Design", match: matching.Match, best: Sequence[Offer]) -> dict[str, Any]:
    return {
        "machine": match.machine,
        "reason": match.reasons_for[-1] if match.reasons_for else "",
        "when": _when(best[0].start.astimezone(match.machine.lab.zone)) if best else "",
        "share": best[0].share if best else None,
        "url": reverse("rooms:book", args=[match.machine.lab.slug, match.machine.slug])
        + f"?design={design.owner.name}/{design.slug}",
    }


def _when(there: dt.datetime) -> str:
    """“Mon 13:00”, by the clock of the place."""
    return f"{formats.date_format(there, 'D')} {there:%H:%M}"


def makes(request: HttpRequest, design: "Design") -> Mapping[str, Any] | None:
    """The newest makes of a design, with their kWh."""
    return _makes(request, design, MOST_MAKES) | {"all_url": True}


def all_makes(request: HttpRequest, design: "Design") -> Mapping[str, Any] | None:
    """The makes of a design that machines measured."""
    return _makes(request, design, ALL_MAKES)


def _makes(request: HttpRequest, design: "Design", most: int) -> dict[str, Any]:
    shown = jobs.shown(jobs.of_design(design)[:most], _person(request))
    count, kwh = jobs.energy_of_design(design)
    return {"makes": shown, "count": count, "kwh": kwh}


def my_learning(request: HttpRequest, person: User) -> Mapping[str, Any] | None:
    """My badges and sessions to come, on the page of my things."""
    now = timezone.now()
    return {"held": badges.of_person(person, at=now), "seats": list(learning.seats_of(person, now)[:3])}


def my_things(request: HttpRequest, person: User) -> Mapping[str, Any] | None:
    """The passports of what was made for me, on the page of my things; away where there is none."""
    things = []
    for one in passport_reads.of_person(person)[:MOST_THINGS]:
        job = one.job
        known = job is not None and job.public_made and passport_reads.design_shown(one)
        name = job.design.name if known and job is not None and job.design else gettext("A thing")
        things.append({"passport": one, "name": name})
    return {"things": things} if things else None


def in_community(request: HttpRequest, community: Any) -> Mapping[str, Any] | None:
    """The labs of a community with their load, and for its stewards those that ask; away where it has none."""
    found, asked = standing.of_community(community), _asks(request, community)
    if not found and not asked:
        return None
    loads = lab_days.of_labs([one.lab for one in found], timezone.now())
    return {"labs": [(one, loads[one.lab.pk]) for one in found], "asked": asked}


def _asks(request: HttpRequest, community: Any) -> Sequence[LabTie]:
    """The labs that ask this community, shown to who answers."""
    asked = list(ties.asked_of(LabTie.Kind.COMMUNITY, community.slug)) if request.user.is_authenticated else []
    return asked if asked and ties.may_answer(_person(request), asked[0]) else []


def make_rows(design: "Design", caller: User | None) -> Iterable[Mapping[str, Any]]:
    """Measured makes for the API's list of makes."""
    for job in jobs.of_design(design).filter(outcome=Job.Outcome.FINISHED)[:ALL_MAKES]:
        yield {
            "room": "labs",
            "id": str(job.pk),
            "made_at": job.finished_at,
            "machine": job.machine.name,
            "lab": job.machine.lab.slug,
            "provenance": job.provenance,
            "energy_kwh": job.energy_kwh,
        }


def collect_evidence(place: Place) -> Iterable[sockets.Evidence]:
    """What stands in the database about production in the place."""
    return evidence.production(place)


def job_rows() -> Iterable[Mapping[str, Any]]:
    """Finished jobs for the open data: no persons, no private files."""
    return job_table.rows()


def take_jobs(device: "Device", body: Any) -> Mapping[str, Any]:
    """What a device said about its jobs, by whichever door it came."""
    return dataclasses.asdict(taken.take_events(device=device, events=taken.messages_of(body)))


def seed_demo(say: Callable[[str], None]) -> None:
    """The demo labs."""
    from labs.demo import seed  # noqa: PLC0415 the web process needs no demo

    seed.seed(say)


def remove_demo(say: Callable[[str], None]) -> None:
    """Take the demo labs away."""
    from labs.demo import seed  # noqa: PLC0415

    seed.remove(say)
