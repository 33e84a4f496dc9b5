"""Refusals of imports."""

from django.utils.translation import gettext_lazy as _

from commons.errors import CityError, Conflict, NotFound


class BadImport(CityError):
    """Nothing to import, an unknown form of dates or zone, or too much of it."""

    code = "import:bad"
    status = 422
    title = _("This cannot be imported")


class LinesLeftOut(CityError):
    """Some lines cannot be taken over, and nobody has said that they may be left out; `stops` says how many."""

    code = "import:lines-left-out"
    status = 422
    title = _("Some lines cannot be taken over")


class ChangedMeanwhile(Conflict):
    """Since the dry run something changed, so that the import would do other things than it told."""

    code = "import:changed"
    title = _("Something changed since the check")


class UnknownImport(NotFound):
    """No such import of this lab."""

    code = "import:unknown"
    title = _("There is no such import")
