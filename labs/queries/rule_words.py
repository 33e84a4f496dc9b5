"""Rules in plain words: what each says, why a time is refused, and what would help."""

import datetime as dt
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from django.utils import formats
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as lazy

from commons.errors import CityError
from commons.web import numbers
from labs.engine import rules as engine
from labs.engine.hours import DAYS
from labs.engine.rules import Finding
from labs.errors import BadTime, NotQualified, OutOfService, TooMany
from labs.errors.rules import CircuitFull, MembersOnly, OverQuota, Paused
from labs.models import Machine
from labs.queries import learning

if TYPE_CHECKING:
    from labs.queries.rules import Asked

#: Each rule's name as a person reads it in a list of rules to choose from.
TITLES: dict[str, str | Promise] = {
    "shortest_min": lazy("Shortest booking"),
    "longest_h": lazy("Longest booking"),
    "lead_min": lazy("How long before"),
    "horizon_days": lazy("How far ahead"),
    "gap_min": lazy("Break between own bookings"),
    "buffer_before_min": lazy("Time before each use"),
    "buffer_after_min": lazy("Time after each use"),
    "per_day_h": lazy("Hours a day"),
    "per_week_h": lazy("Hours a week"),
    "open_bookings": lazy("Bookings to come"),
    "free_hours": lazy("Hours that count for nothing"),
    "blackout": lazy("Hours that cannot be booked"),
    "circuit_budget": lazy("Limit of the circuit"),
    "members_only": lazy("Members alone"),
    "needs_approval": lazy("Approval"),
    "check_in_within_min": lazy("Check-in"),
    "cancel_until_min": lazy("Cancelling in time"),
    "late_refund_pct": lazy("Refund when late"),
    "no_shows": lazy("Not coming"),
    "no_show_days": lazy("Not coming: counted over"),
    "pause_days": lazy("Not coming: pause"),
    "points_week": lazy("Points a week"),
    "points_keep_pct": lazy("Points kept"),
}
UNITS: dict[str, str | Promise] = {
    "minutes": lazy("min"),
    "hours": lazy("h"),
    "days": lazy("days"),
    "count": "",
    "percent": "%",
    "points": lazy("points"),
    "flag": lazy("yes or no"),
    "week": lazy("such as mon-fri 16:00-18:00, sat 10:00-12:00"),
}


def local(moment: dt.datetime, machine: Machine) -> str:
    """A time in the lab's own zone, in words."""
    there = moment.astimezone(machine.lab.zone)
    return f"{formats.date_format(there, _('l j F'))} {formats.time_format(there, 'H:i')}"


def _short(value: object) -> str:
    return f"{float(str(value)):g}"


def _span(minutes: object) -> str:
    """A number of minutes as "3 h 20" or "2 days"."""
    length = dt.timedelta(minutes=float(str(minutes)))
    if length >= dt.timedelta(days=2) and not length.seconds:
        return _("%(n)d days") % {"n": length.days}
    return numbers.duration(length)


def hours(value: object) -> str:
    """A number of hours as "3 h 20"."""
    return numbers.duration(dt.timedelta(hours=float(str(value))))


def _week(text: object) -> str:
    """A week of spans with the days' short names; days with the same hours are said together: "Mon–Fri 16:00–18:00"."""
    week = engine.read_week(str(text))
    names = [formats.date_format(dt.date(2024, 1, 1 + nth), "D") for nth in range(7)]
    told: list[tuple[list[str], str]] = []
    for nth, day in enumerate(DAYS):
        clock = ", ".join(f"{opens}–{closes}" for opens, closes in week.get(day, ()))
        if told and told[-1][1] == clock:
            told[-1][0].append(names[nth])
        else:
            told.append(([names[nth]], clock))
    return "; ".join(
        f"{days[0]}–{days[-1]} {clock}" if len(days) > 1 else f"{days[0]} {clock}" for days, clock in told if clock
    )


def sentence(name: str, value: engine.Value | None) -> str:
    """What a rule says, in one sentence. `value` None: no limit."""
    if name not in TITLES:
        return f"{name}: {value}"
    if value is None:
        return _("No limit: %(rule)s.") % {"rule": str(TITLES[name]).lower()}
    return SAYS[name](value)


SAYS: dict[str, Callable[[Any], str]] = {
    "shortest_min": lambda v: _("A booking takes at least %(time)s.") % {"time": _span(v)},
    "longest_h": lambda v: _("A booking takes at most %(time)s.") % {"time": hours(v)},
    "lead_min": lambda v: (
        _("Book at least %(time)s before you start.") % {"time": _span(v)} if v else _("You may book for right now.")
    ),
    "horizon_days": lambda v: _("Bookings open %(days)s days ahead.") % {"days": _short(v)},
    "gap_min": lambda v: (
        _("Leave %(time)s between two bookings of yours.") % {"time": _span(v)}
        if v
        else _("Your bookings may follow each other.")
    ),
    "buffer_before_min": lambda v: _("%(time)s before each use are kept free.") % {"time": _span(v)},
    "buffer_after_min": lambda v: _("%(time)s after each use are kept free.") % {"time": _span(v)},
    "per_day_h": lambda v: _("At most %(time)s a day for each person.") % {"time": hours(v)},
    "per_week_h": lambda v: _("At most %(time)s a week for each person, from Monday.") % {"time": hours(v)},
    "open_bookings": lambda v: _("At most %(n)s bookings to come for each person.") % {"n": _short(v)},
    "free_hours": lambda v: (
        _("These hours count for nothing against the limits: %(week)s.") % {"week": _week(v)}
        if v
        else _("All hours count.")
    ),
    "blackout": lambda v: (
        _("Not to be booked: %(week)s.") % {"week": _week(v)} if v else _("No hours are kept from booking.")
    ),
    "circuit_budget": lambda v: (
        _("Bookings on one circuit are staggered so that its limit holds.")
        if v
        else _("Bookings may ask more of a circuit than it carries.")
    ),
    "members_only": lambda v: _("For members of the lab alone.") if v else _("Open to everybody."),
    "needs_approval": lambda v: (
        _("A manager approves each booking.") if v else _("Bookings count at once, without approval.")
    ),
    "check_in_within_min": lambda v: (
        _("Check in within %(time)s of the start, or the time goes to others.") % {"time": _span(v)}
        if v
        else _("No check-in.")
    ),
    "cancel_until_min": lambda v: (
        _("Cancelling is free until %(time)s before the start.") % {"time": _span(v)}
        if v
        else _("Cancelling is free until the start.")
    ),
    "late_refund_pct": lambda v: _("Who cancels later gets %(share)s %% back.") % {"share": _short(v)},
    "no_shows": lambda v: (
        _("Who does not come %(n)s times has to pause.") % {"n": _short(v)}
        if v
        else _("Not coming has no consequence.")
    ),
    "no_show_days": lambda v: _("Missed bookings count for %(days)s days.") % {"days": _short(v)},
    "pause_days": lambda v: _("The pause takes %(days)s days.") % {"days": _short(v)},
    "points_week": lambda v: _("%(n)s points for each person each week.") % {"n": _short(v)},
    "points_keep_pct": lambda v: _("%(share)s %% of unused points stay for the next week.") % {"share": _short(v)},
}

ERRORS: dict[str, type[CityError]] = {
    "repair": OutOfService,
    "badge": NotQualified,
    "open_bookings": TooMany,
    "per_day_h": OverQuota,
    "per_week_h": OverQuota,
    "no_shows": Paused,
    "members_only": MembersOnly,
    "circuit_budget": CircuitFull,
}


def refusal(finding: Finding, asked: "Asked") -> dict[str, Any]:
    """A finding as rule, code, sentence, remedy, error and data."""
    error = ERRORS.get(finding.rule, BadTime)
    words = {"machine": asked.machine.name, "lab": asked.machine.lab.name}
    said, remedy, data = TOLD[finding.rule](finding.args, asked, words)
    if finding.row is not None and finding.row.key is not None:
        data["rule"] = {"id": finding.row.key, "name": finding.rule}
    return {
        "rule": finding.rule,
        "code": error.code,
        "sentence": said.strip(),
        "remedy": remedy.strip(),
        "error": error,
        "data": data,
    }


Words = tuple[str, str, dict[str, Any]]


def _shortest(args: Any, _asked: "Asked", _w: dict[str, str]) -> Words:
    said = _("A booking ends at least %(time)s after it starts.") % {"time": _span(args["minutes"])}
    return said, _("Choose a longer time."), {}


def _longest(args: Any, _asked: "Asked", words: dict[str, str]) -> Words:
    words = {**words, "time": hours(args["hours"])}
    said = _("%(machine)s can be booked for at most %(time)s at a time.") % words
    return said, _("Choose %(time)s or less.") % words, {"longest_h": args["hours"]}


def _past(args: Any, asked: "Asked", _w: dict[str, str]) -> Words:
    return _("%(start)s is past.") % {"start": local(args["start"], asked.machine)}, _("Choose a time to come."), {}


def _lead(args: Any, asked: "Asked", words: dict[str, str]) -> Words:
    said = _("%(machine)s is booked at least %(time)s before the start.") % {**words, "time": _span(args["minutes"])}
    earliest = local(args["earliest"], asked.machine)
    return said, _("The earliest start is %(start)s.") % {"start": earliest}, _at("earliest", args["earliest"])


def _horizon(args: Any, asked: "Asked", _w: dict[str, str]) -> Words:
    said = _("Bookings open %(days)s days ahead.") % {"days": _short(args["days"])}
    latest = local(args["latest"], asked.machine)
    return said, _("Today you can book until %(end)s.") % {"end": latest}, _at("latest", args["latest"])


def _at(name: str, moment: dt.datetime) -> dict[str, Any]:
    return {name: moment.astimezone(dt.UTC).isoformat()}


def _closed(_args: Any, asked: "Asked", words: dict[str, str]) -> Words:
    said = _("%(lab)s is closed for a part of that time, and %(machine)s does not work alone.") % words
    later = [door for door in asked.facts.opened if door.start > asked.facts.span.start]
    if not later:
        return said, _("Choose a time within the opening hours."), {}
    remedy = _("The lab opens %(start)s.") % {"start": local(later[0].start, asked.machine)}
    return said, remedy, _at("opens", later[0].start)


def _blackout(args: Any, asked: "Asked", words: dict[str, str]) -> Words:
    there = {
        "from": local(args["from"], asked.machine),
        "until": f"{args['until'].astimezone(asked.machine.lab.zone):%H:%M}",
    }
    said = _("%(lab)s keeps %(from)s–%(until)s free of bookings.") % {**words, **there}
    remedy = _("Choose a time before it, or after %(until)s.") % there
    return said, remedy, _at("until", args["until"])


def _repair(_args: Any, asked: "Asked", words: dict[str, str]) -> Words:
    said = _("%(machine)s is in repair. %(note)s") % {**words, "note": asked.machine.state_note}
    if asked.machine.back_on is None:
        return said, _("Take another machine, or ask the lab's people when it will be back."), {}
    day = formats.date_format(asked.machine.back_on, _("l j F"))
    return said, _("It should be back on %(day)s.") % {"day": day}, {"back_on": asked.machine.back_on.isoformat()}


def _badge(_args: Any, asked: "Asked", words: dict[str, str]) -> Words:
    names = ", ".join(badge.name for badge in asked.missing)
    said = _("%(machine)s asks for the badge “%(names)s”.") % {**words, "names": names}
    data: dict[str, Any] = {
        "badge": asked.missing[0].slug,
        "missing": [{"slug": badge.slug, "name": badge.name} for badge in asked.missing],
    }
    way = learning.way_to(asked.missing[0], asked.machine.lab, asked.user, asked.facts.now)
    remedy = _("A trainer of %(lab)s can give it to you.") % words
    if way.teachings:
        course = way.teachings[0].course
        data["course"] = f"{course.design.owner.name}/{course.design.slug}"
        remedy = _("The course “%(course)s” leads to it.") % {"course": course.title}
    if way.session is not None:
        data["next_session"] = {
            "id": str(way.session.pk),
            "lab": way.session.teaching.lab.slug,
            "starts_at": way.session.starts_at.isoformat(),
            "free": way.free,
        }
        there = {"time": local(way.session.starts_at, asked.machine), "n": way.free}
        session = _("Its next session is %(time)s, with %(n)d places free.") % there
        remedy = f"{remedy} {session}"
    return said, remedy, data


def _members(_args: Any, _asked: "Asked", words: dict[str, str]) -> Words:
    said = _("%(machine)s is for members of %(lab)s.") % words
    return said, _("Ask the people of %(lab)s to take you in.") % words, {}


def _paused(args: Any, asked: "Asked", words: dict[str, str]) -> Words:
    words = {**words, "n": _short(args["count"]), "days": _short(args["days"])}
    said = _("You did not come to %(n)s bookings in %(days)s days, so %(lab)s asks you to pause.") % words
    until = local(args["until"], asked.machine)
    return said, _("You can book again from %(until)s.") % {"until": until}, _at("until", args["until"])


def _over(args: Any, _asked: "Asked", words: dict[str, str]) -> Words:
    day = formats.date_format(args["date"], _("l j F"))
    left = numbers.duration(dt.timedelta(hours=args["left"]))
    words = {**words, "most": hours(args["hours"]), "used": hours(args["used"]), "day": day, "left": left}
    if args.get("weekly"):
        said = (
            _("%(lab)s allows %(most)s a week for each person, and you have %(used)s in the week of %(day)s.") % words
        )
        remedy = _("Choose %(left)s or less, or a later week.") if args["left"] else _("Choose a later week.")
    else:
        said = _("%(lab)s allows %(most)s a day for each person, and you have %(used)s on %(day)s.") % words
        remedy = _("Choose %(left)s or less, or another day.") if args["left"] else _("Choose another day.")
    return said, remedy % words, {"left_h": round(args["left"], 2), "used_h": round(args["used"], 2)}


def _open(args: Any, _asked: "Asked", words: dict[str, str]) -> Words:
    words = {**words, "held": str(args["held"]), "most": _short(args["most"])}
    said = _("You have %(held)s bookings to come in %(lab)s, and it allows %(most)s.") % words
    return said, _("Cancel one first, or wait until one is over."), {}


def _gap(args: Any, asked: "Asked", words: dict[str, str]) -> Words:
    words = {**words, "time": _span(args["minutes"])}
    said = _("%(lab)s asks for %(time)s between two bookings of one person.") % words
    after = local(args["after"], asked.machine)
    return said, _("After your own booking that is from %(start)s.") % {"start": after}, _at("after", args["after"])


def _circuit(args: Any, asked: "Asked", words: dict[str, str]) -> Words:
    words = {
        **words, "circuit": args["circuit"], "limit": numbers.watts(args["limit_w"]),
        "watts": numbers.watts(args["watts"]), "asks": numbers.watts(args["asks_w"]),
        "at": local(args["at"], asked.machine), "others": ", ".join(args["others"]),
    }  # fmt: skip
    data = {
        "circuit": args["circuit"], "limit_w": args["limit_w"], "watts": round(args["watts"]),
        **_at("at", args["at"]),
    }  # fmt: skip
    if not args["others"]:
        said = _("%(circuit)s carries %(limit)s, and %(machine)s alone asks %(asks)s of it.") % words
        return said, _("Ask the lab's people: its circuit or its power is written down wrongly."), data
    said = _("%(circuit)s carries %(limit)s. %(at)s it would be %(watts)s: %(machine)s with %(others)s.") % words
    if args["fits"] is None:
        return said, _("Choose another time."), data
    data |= _at("fits", args["fits"])
    return said, _("It fits from %(start)s.") % {"start": local(args["fits"], asked.machine)}, data


TOLD: dict[str, Callable[[Any, "Asked", dict[str, str]], Words]] = {
    "shortest_min": _shortest,
    "longest_h": _longest,
    "past": _past,
    "lead_min": _lead,
    "horizon_days": _horizon,
    "hours": _closed,
    "blackout": _blackout,
    "repair": _repair,
    "badge": _badge,
    "members_only": _members,
    "no_shows": _paused,
    "per_day_h": _over,
    "per_week_h": lambda args, asked, words: _over({**args, "weekly": True}, asked, words),
    "open_bookings": _open,
    "gap_min": _gap,
    "circuit_budget": _circuit,
}
