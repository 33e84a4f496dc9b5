"""What labs bring to a person's own pages: bookings, the job that runs, badges that end, orders, dates, first steps."""

import datetime as dt
from collections.abc import Iterator, Sequence

from django.db.models import QuerySet
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as lazy

from commons.mine import sockets
from commons.mine.sockets import Dated, Item, Part, Step
from commons.notices import kinds as notices
from commons.people.models import Membership, User
from commons.web import numbers
from labs.models import BadgeGrant, Booking, Job, Lab, MakeOrder, Seat
from labs.policies import MANAGING
from labs.queries import badges, bookings

MOST = 5
SOON = dt.timedelta(days=60)


def my_bookings(person: User) -> Sequence[Item]:
    """Bookings to come, the next first; an offer of the waitlist waits for an answer."""
    found = []
    for booking in bookings.to_come(person)[:MOST]:
        asked = booking.status == Booking.Status.OFFERED
        detail = f"{booking.machine.lab.name}, {numbers.when(booking.start)}, {numbers.duration(booking.length)}"
        url = reverse("rooms:booking", args=[booking.pk])
        chip = _("to accept") if asked else booking.get_status_display()
        found.append(Item(booking.machine.name, url, detail, chip, "act" if asked else "", asked, booking.offer_until))
    return found


def my_jobs(person: User) -> Sequence[Item]:
    """What machines make for the person now, and what they last made."""
    rows = Job.objects.filter(booking__user=person).select_related("machine__lab", "design").order_by("-started_at")
    found = []
    for job in rows[:MOST]:
        name = job.file_name or _("a job")
        running = not job.is_over
        detail = f"{job.machine.name}, {job.machine.lab.name}, {numbers.ago(job.started_at)}"
        if job.energy_kwh is not None:
            detail += f", {numbers.kwh(job.energy_kwh)}"
        chip = numbers.percent(job.progress) if running else job.get_outcome_display()
        found.append(Item(name, reverse("rooms:job", args=[job.pk]), detail, chip, "act" if running else ""))
    return found


def ending_badges(person: User) -> Sequence[Item]:
    """Badges that end within two months, the first to end first."""
    now = timezone.now()
    held = [(one.until, one) for one in badges.of_person(person, at=now) if one.until and one.until < now + SOON]
    url = reverse("rooms:my_badges")
    return [
        Item(
            one.grant.badge.name,
            url,
            _("ends %(when)s") % {"when": numbers.when(until)},
            _("ends soon"),
            "warn",
            True,
            until,
        )
        for until, one in sorted(held, key=lambda pair: pair[0])[:MOST]
    ]


def my_orders(person: User) -> Sequence[Item]:
    """Orders that are not done; a quote waits for an answer."""
    rows = MakeOrder.objects.filter(person=person, status__in=MakeOrder.OPEN).select_related("design", "lab")
    found = []
    for order in rows.order_by("-updated_at")[:MOST]:
        asked = order.status == MakeOrder.Status.QUOTED
        url = reverse("rooms:order", args=[order.pk])
        name = order.design.name if order.design else _("An order")
        found.append(Item(name, url, order.lab.name, order.get_status_display(), "act" if asked else "", asked))
    return found


def sessions(person: User, since: dt.datetime) -> Iterator[Dated]:
    """Sessions of courses in which the person has a seat; bookings are in the calendar by themselves."""
    rows = Seat.objects.filter(user=person, state=Seat.State.TAKEN, session__ends_at__gte=since)
    for seat in rows.select_related("session__teaching__course", "session__teaching__lab"):
        session = seat.session
        teaching = session.teaching
        yield Dated(
            f"session-{session.pk}",
            session.starts_at,
            session.ends_at,
            f"{teaching.course.title}, {teaching.lab.name}",
            reverse("rooms:course_session", args=[teaching.lab.slug, session.pk]),
            session.cancelled_at or session.made_at,
            session.where,
            session.cancelled_at is not None,
        )


def kinds() -> None:
    """The kinds of notices of this room, as a person may switch them."""
    notices.register(
        ("labs.booked", lazy("A machine is booked for you")),
        ("labs.requested", lazy("Somebody asks for a machine of your lab")),
        ("labs.approved", lazy("Your booking is approved")),
        ("labs.declined", lazy("Your booking is declined"), True),
        ("labs.cancelled", lazy("A booking is cancelled"), True),
        ("labs.moved", lazy("A booking of yours is moved"), True),
        ("labs.flexible", lazy("A flexible booking of yours is moved, or stays where it is"), True),
        ("labs.offered", lazy("A time that you wait for is free")),
        ("labs.instead", lazy("Your machine is out, and another is free")),
        ("labs.badge", lazy("You are given a badge, or it is taken back"), True),
        ("labs.renewal", lazy("A badge of yours has to be renewed")),
        ("labs.sign_off", lazy("A trainer saw you do it")),
        ("labs.session", lazy("A session of a course changes")),
        ("labs.order", lazy("An order goes a step further")),
        ("labs.order_word", lazy("Somebody writes about an order")),
        ("labs.fault", lazy("A machine of your lab has a fault")),
        ("labs.fault_ahead", lazy("A machine that you booked has a fault")),
        ("labs.fault_closed", lazy("A fault that you told of is mended")),
        ("labs.fault_kept", lazy("A fault stays open")),
        ("labs.works_again", lazy("A machine works again")),
        ("labs.incident", lazy("Something happened in your lab")),
        ("labs.maintenance", lazy("Maintenance is due in your lab")),
        ("labs.mending", lazy("Power is lent for mending")),
        ("labs.interlock", lazy("A relay of your lab does not answer"), True),
        ("labs.low_stock", lazy("Material runs out in your lab")),
        ("labs.join", lazy("Somebody wants to join your lab")),
        ("labs.joined", lazy("You belong to a lab")),
        ("labs.invited", lazy("A lab invites you")),
        ("labs.tie", lazy("A lab and its energy community or building ask for each other")),
        ("labs.imported", lazy("An import of your lab has ended")),
    )


def register() -> None:
    """Fill the sockets."""
    kinds()
    sockets.parts.register(
        Part(
            "bookings",
            lazy("My bookings"),
            "calendar",
            my_bookings,
            "rooms:my_bookings",
            lazy("Nothing booked."),
            "rooms:labs",
            lazy("Find a machine"),
            30,
        )
    )
    sockets.parts.register(
        Part(
            "jobs", lazy("My machine’s job"), "labs", my_jobs, "", lazy("No machine has worked for you yet."), order=40
        )
    )
    sockets.parts.register(
        Part(
            "badges",
            lazy("Badges that end soon"),
            "shield",
            ending_badges,
            "rooms:my_badges",
            lazy("None ends within two months."),
            order=50,
        )
    )
    sockets.parts.register(
        Part("orders", lazy("My orders"), "labs", my_orders, "rooms:my_orders", lazy("No order is open."), order=60)
    )
    sockets.dates.register(sockets.Dates("labs", sessions))
    _maker()
    _host()


def _maker() -> None:
    sockets.steps.register(
        Step(
            "maker-badge",
            "maker",
            lazy("Be let onto a machine"),
            lazy("Earn the badge that a machine asks for in a course, or book a machine that asks for none."),
            lambda _person: reverse("rooms:courses"),
            lambda person: (
                BadgeGrant.objects.filter(user=person, revoked_at=None).exists()
                or Booking.objects.filter(user=person, kind=Booking.Kind.USE, machine__required_badges=None).exists()
            ),
            order=40,
        )
    )
    sockets.steps.register(
        Step(
            "maker-book",
            "maker",
            lazy("Book a sunny hour"),
            lazy("Labs show when the neighbourhood has sun to spare; the best times stand first."),
            lambda _person: reverse("rooms:labs"),
            lambda person: Booking.objects.filter(user=person, kind=Booking.Kind.USE).exists(),
            order=50,
        )
    )
    sockets.steps.register(
        Step(
            "maker-made",
            "maker",
            lazy("See what it took"),
            lazy("When the job has ended its page tells the kWh, the share of sun and the design that it came from."),
            lambda _person: reverse("rooms:my_bookings"),
            lambda person: Job.objects.filter(booking__user=person, outcome=Job.Outcome.FINISHED).exists(),
            order=60,
        )
    )


def led(person: User) -> "QuerySet[Lab]":
    """The labs that a person manages."""
    held = Membership.objects.filter(user=person, role__in=MANAGING).values("organisation")
    return Lab.objects.filter(organisation__in=held)


def _host() -> None:
    def desk(person: User) -> str:
        lab = led(person).order_by("-pk").first()
        return reverse("rooms:lab_desk", args=[lab.slug]) if lab else reverse("rooms:labs")

    for order, (slug, title, what, done) in enumerate(
        (
            (
                "lab",
                lazy("Open your lab"),
                lazy("Say what it is, where, and when it is open; nobody sees it before you open it."),
                lambda p: led(p).exists(),
            ),
            (
                "machine",
                lazy("Add a machine"),
                lazy("Its kind, what goes into it and which badge it asks for."),
                lambda p: led(p).filter(machines__isnull=False).exists(),
            ),
            (
                "hours",
                lazy("Say when you are open"),
                lazy("Bookings are offered in these hours alone."),
                lambda p: led(p).exclude(opening_hours={}).exists(),
            ),
            (
                "device",
                lazy("Let a machine speak"),
                lazy("The agent beside it, or a plug, tells jobs and kWh by itself."),
                lambda p: led(p).filter(machines__device__isnull=False).exists(),
            ),
            (
                "guest",
                lazy("Have a first guest"),
                lazy("Somebody books one of your machines."),
                lambda p: (
                    Booking.objects.filter(machine__lab__in=led(p), kind=Booking.Kind.USE).exclude(user=p).exists()
                ),
            ),
        )
    ):
        where = _where_to_open if slug == "lab" else desk
        sockets.steps.register(Step(f"host-{slug}", "host", title, what, where, done, order=20 + 10 * order))


def _where_to_open(_person: User) -> str:
    return reverse("rooms:lab_new")
