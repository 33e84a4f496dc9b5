"""Refusals about reports."""

from django.utils.translation import gettext_lazy as _

from commons.errors import BadInput, CityError, Conflict, NotAllowed, NotFound


class UnknownTarget(NotFound):
    """What was reported does not exist, or the caller may not see it."""

    code = "report:no-such-thing"


class UnknownCase(NotFound):
    """No such case, or not the caller's to see."""

    code = "report:not-found"


class BadReport(BadInput):
    """A report without a reason, or a decision without words."""

    code = "report:bad-report"
    status = 422


class TooManyReports(CityError):
    """More reports in an hour than one person can mean."""

    code = "report:too-many"
    status = 429
    retry_after_s = 600
    title = _("This is too much at once")


class NotModerator(NotAllowed):
    """Only staff and the city's stewards look after reports."""

    code = "report:not-yours"


class WrongState(Conflict):
    """What is hidden cannot be hidden again; an appeal is made once."""

    code = "report:wrong-state"
    title = _("This was done already")
