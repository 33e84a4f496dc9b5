"""The sentences of messages: what is wrong, and what to do; and why something cannot be taken over at all."""

from collections.abc import Mapping
from typing import Any

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

#: code → what was found, what to do.
SENTENCES: dict[str, tuple[str | Promise, str | Promise]] = {
    "too-large": (_("The file is larger than %(most)s MB."), _("Split it and import the parts one after another.")),
    "not-a-table": (_("This is no table of text."), _("Save it as CSV; a spreadsheet itself cannot be read.")),
    "empty": (_("The file is empty."), _("Choose another file.")),
    "too-many-rows": (
        _("The table has more than %(most)s rows; those from here on are left out."),
        _("Split it and import the parts one after another."),
    ),
    "too-many-cells": (
        _("The line has %(has)s cells where the heading has %(of)s."),
        _("Put cells that hold the delimiter into quotation marks."),
    ),
    "cell-too-long": (_("A cell is longer than %(most)s characters."), _("Shorten it.")),
    "missing-columns": (
        _("The table has no column for: %(missing)s. It has: %(has)s."),
        _("Name the columns as in the template."),
    ),
    "unknown-columns": (
        _("These columns are not taken over: %(columns)s."),
        _("Rename one if it holds what the template names otherwise."),
    ),
    "bad-email": (_("“%(text)s” is no e-mail address."), _("Correct it.")),
    "no-email": (
        _("There is no e-mail address, so this person could not sign in."),
        _("Add the address."),
    ),
    "unknown-role": (_("“%(text)s” is no role."), _("Write member, trainer or manager.")),
    "no-name": (_("The machine has no name."), _("Add its name.")),
    "unknown-class": (
        _("No class of machine is known for “%(text)s”; it becomes “other machine”."),
        _("Name a class, such as laser cutter, if it should be found by what it does."),
    ),
    "other-machines": (
        _("%(count)s of %(of)s machines become “other machine”: neither category nor name tells what they do."),
        _("Nothing, or write a category such as laser cutter there first."),
    ),
    "not-a-number": (_("“%(text)s” is no number above 1."), _("Write digits, without a unit.")),
    "dates-open": (
        _("Day and month cannot be told apart in dates such as “%(example)s”: %(forms)s would all do."),
        _("Say which form the dates have."),
    ),
    "unknown-status": (_("“%(text)s” is no state of a booking."), _("Write booked, cancelled or missed.")),
    "empty-cell": (_("The cell is empty."), _("Fill it.")),
    "no-such-time": (
        _("The clock never shows “%(text)s” in %(zone)s: it goes forward that night."),
        _("Correct the time, or write it with its offset from UTC."),
    ),
    "bad-time": (_("“%(text)s” is no time."), _("Write it as in the other lines, such as %(form)s 14:30.")),
    "twice": (
        _("The clock shows “%(text)s” twice in %(zone)s; it is read as the first, %(utc)s UTC."),
        _("Write it with its offset from UTC if the second is meant."),
    ),
    "twice-in-file": (_("“%(key)s” stands in line %(line)s already."), _("Keep one of the two lines.")),
    "gone": (
        _("An earlier import took this over, and it was removed here since; it stays removed."),
        _("Add it by hand if it is wanted again."),
    ),
    "mail-not-proven": (
        _("There is an account with %(text)s, and nobody has proven yet that the address is theirs."),
        _("Ask the person to confirm the address, then import again."),
    ),
    "no-handle": (_("No free account name can be made of “%(text)s”."), _("Give another one in the column handle.")),
    "other-handle": (
        _("The account name %(asked)s is not free or cannot be one; the person gets %(handle)s."),
        _("Give another one in the column handle if that does not suit."),
    ),
    "gets-role": (_("%(text)s gets the role %(role)s here."), _("Make sure that this is meant.")),
    "role-stays": (
        _("This person is one of the lab's people already; the role %(role)s is not given by an import."),
        _("Change the role by hand if it is meant."),
    ),
    "machine-stands": (
        _("The lab has “%(name)s” already; it stays as it is."),
        _("Rename the one in the file if it is another machine."),
    ),
    "no-address": (_("“%(name)s” cannot be an address."), _("Give the machine a name with letters or digits.")),
    "ends-before-start": (_("It ends before it starts, or at once."), _("Correct the times.")),
    "too-long": (_("It takes longer than %(days)s days."), _("Correct the times, or close the machine instead.")),
    "unknown-machine": (
        _("There is no machine “%(text)s”, neither here nor in the lines that can be taken over."),
        _("Add it to the machines, or correct the name."),
    ),
    "several-machine": (_("Several machines are called “%(text)s”."), _("Name it by its id.")),
    "unknown-person": (
        _("“%(text)s” is nobody of the lab, neither here nor in the lines that can be taken over."),
        _("Add the person to the members, or correct it."),
    ),
    "several-person": (_("Several people are called “%(text)s”."), _("Name the person by e-mail.")),
    "overlaps-line": (
        _("%(machine)s is taken then by line %(line)s of %(file)s (%(when)s)."),
        _("Both cannot stand: agree with the two people, and change or delete one line."),
    ),
    "overlaps": (
        _("%(machine)s is taken then by a booking that stands here (%(when)s)."),
        _("Agree with the person, and change this line or that booking."),
    ),
    "not-json": (_("This is no JSON: %(text)s"), _("Export it again, as one JSON list.")),
    "not-a-fixture": (
        _("This is no list of objects with “model” and “fields”."),
        _("Export it with NEMO's own dumpdata command."),
    ),
    "bad-object": (_("%(model)s: %(field)s cannot be read."), _("Correct it in the old program and export again.")),
    "unknown-reference": (
        _("%(model)s: %(field)s names “%(text)s”, which the file does not hold."),
        _("Export users and tools into the same file."),
    ),
    "inactive": (_("The account of %(text)s is not active there, so it is left out."), _("Activate it there first.")),
    "hidden": (_("“%(text)s” is hidden there, so it is left out."), _("Show it there first if it is in use.")),
    "alternate": (
        _("“%(text)s” is another name of “%(parent)s” there; it is taken over as that machine."),
        _("Nothing, if it is one machine."),
    ),
    "expired": (_("The access of %(text)s has ended there."), _("End the membership here too if that is meant.")),
    "use-covered": (
        _("%(machine)s was used then in a time that is booked already (%(when)s), so that booking stands for it."),
        _("Nothing."),
    ),
    "use-not-over": (
        _("“%(text)s” is in use there now, so this is no past use yet."),
        _("End it there and export again, if it is wanted."),
    ),
    "area-booking": (_("This keeps an area, and areas are not kept here."), _("Close the machines in it instead.")),
}

#: Why things of a model cannot be taken over at all.
REASONS: dict[str, str | Promise] = {
    "no-areas": _("There are no areas and doors here, only machines."),
    "no-money": _("Accounts, projects and charges stay in the old books; begin new ones under Money."),
    "no-interlocks": _("Interlocks are tied anew to each machine, by hand."),
    "no-usage": _("Counters of use stay there: hours here are counted from bookings and jobs."),
    "no-consumables": _("Stock and withdrawals are counted anew."),
    "no-tasks": _("Open problems are reported anew, so that somebody looks at each."),
    "no-questions": _("Forms and questions have no counterpart here."),
    "no-groups": _("Groups of qualifications have no counterpart; what each person is qualified for is taken over."),
    "no-configuration": _("Settings of tools have no counterpart here."),
    "no-safety": _("Safety trainings and documents become courses, which trainers write."),
    "no-people-facts": _("Levels, types and preferences of people have no counterpart here."),
    "no-staff": _("Absences and availability of staff have no counterpart here."),
    "no-messages": _("News, alerts, notices and sent mail stay there."),
    "no-counterpart": _("It has no counterpart here."),
}


def sentence(message: Mapping[str, Any]) -> tuple[str, str]:
    """What a message of a report says and what to do, in the language of now."""
    what, todo = SENTENCES[message["code"]]
    return str(what) % message["words"], str(todo) % message["words"]
