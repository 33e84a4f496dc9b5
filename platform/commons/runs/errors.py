"""Why a run may end without a result."""

from django.utils.translation import gettext_lazy as _

from commons.errors import CityError, NotFound


class RunNotFound(NotFound):
    """No such run, or not yours to see."""

    code = "run:not-found"


class Cancelled(CityError):
    """Someone asked it to stop."""

    code = "run:cancelled"
    status = 409
    title = _("Stopped")


class LeaseLost(CityError):
    """Another worker took the run over; this one must not write."""

    code = "run:lease-lost"
    status = 409
    title = _("Taken over")


class GaveUp(CityError):
    """The worker died at this work too often."""

    code = "run:gave-up"
    status = 500
    title = _("The worker died at this")


class RunTimeout(CityError):
    """It was waited for longer than allowed."""

    code = "run:timeout"
    status = 504
    title = _("Still running")


class RunFailed(CityError):
    """The run ended without a result; `cause` is the code of what happened in it."""

    code = "run:failed"
    status = 422
    title = _("There is no result")


class UnknownKind(CityError):
    """No room of this site does that kind of work."""

    code = "run:unknown-kind"
    status = 500
    title = _("Nobody here does this work")
