"""Refusals by a lab's rules, and of rules that cannot be set."""

from django.utils.translation import gettext_lazy as _

from commons.errors import CityError, Conflict, NotAllowed, NotFound
from labs.errors import BadTime


class OverQuota(NotAllowed):
    """More hours in a day or a week than the lab allows one person."""

    code = "booking:over-quota"
    title = _("More time than the lab allows one person")


class Paused(NotAllowed):
    """The person did not come too often and has to pause."""

    code = "booking:paused"
    title = _("You are asked to pause")


class MembersOnly(NotAllowed):
    """The machine is for members of the lab."""

    code = "booking:members-only"
    title = _("This is for members of the lab")


class BadRule(CityError):
    """A rule that cannot be set: unknown, out of its bounds, or not readable."""

    code = "labs:bad-rule"
    status = 422
    title = _("This rule cannot be set")


class UnknownRule(NotFound):
    """No such rule in this lab, or it has ended."""

    code = "labs:unknown-rule"
    title = _("There is no such rule")


class RulesChanged(Conflict):
    """Somebody else changed the lab's rules since this page was read."""

    code = "labs:rules-changed"
    title = _("The rules were changed meanwhile")


class CircuitFull(BadTime):
    """The machine's circuit would carry more than its limit; `fits` is when it would not."""

    code = "booking:circuit-full"
    status = 409
    title = _("The circuit cannot carry that then")
