"""Refusals about where a lab belongs, and about labs that are not open yet."""

from django.utils.translation import gettext_lazy as _

from commons.errors import CityError, Conflict, NotAllowed, NotFound


class UnknownTie(NotFound):
    """No tie of that number, or nothing of that name to be tied to."""

    code = "labs:unknown-tie"
    title = _("There is nothing of that name to belong to")


class TieClash(Conflict):
    """It holds or is asked already, or was answered meanwhile."""

    code = "labs:tie-clash"
    title = _("That is settled or asked already")


class NotYourTie(NotAllowed):
    """Somebody who is neither the lab's manager nor the other side's steward."""

    code = "labs:not-your-tie"
    title = _("That is for the other side to say")


class BadDraft(CityError):
    """Facts of a lab to be that do not go together."""

    code = "labs:bad-draft"
    status = 422
    title = _("This lab cannot be opened so")


class UnknownDraft(NotFound):
    """No draft of that id, or it is not the caller's."""

    code = "labs:unknown-draft"
    title = _("There is no such draft")
