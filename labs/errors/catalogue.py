"""Refusals of the catalogue: profiles, equipment, stock, people of a lab."""

from django.utils.translation import gettext_lazy as _

from commons.errors import CityError, Conflict, NotFound


class BadProfile(CityError):
    """Something of a lab's profile that cannot be."""

    code = "labs:bad-profile"
    status = 422
    title = _("This cannot be said of a lab")


class BadUpload(CityError):
    """A photo or a manual that is too large or of another kind."""

    code = "labs:bad-upload"
    status = 422
    title = _("This file cannot be taken")


class BadStock(CityError):
    """An amount that the stock cannot have."""

    code = "labs:bad-stock"
    status = 422
    title = _("The stock cannot be that")


class UnknownThing(NotFound):
    """No photo, manual, consumable or request of that number here."""

    code = "labs:unknown-thing"
    title = _("There is no such thing")


class MachinesOwn(Conflict):
    """A plug that measures one machine cannot be a whole circuit's."""

    code = "labs:machines-own"
    title = _("It measures a machine")


class Pinned(Conflict):
    """A person of the lab said what the plug measures, and its agent says otherwise."""

    code = "labs:pinned"
    title = _("The lab says what it measures")


class AnsweredAlready(Conflict):
    """The request to join or the invitation is not open any more."""

    code = "labs:answered"
    title = _("That was answered already")


class AlreadyMember(Conflict):
    """The person belongs to the lab."""

    code = "labs:already-member"
    title = _("They belong to the lab already")
