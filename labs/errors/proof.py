"""Refusals of proofs and slicing."""

from django.utils.translation import gettext_lazy as _

from commons.errors import CityError, Conflict, NotAllowed, NotFound


class NotYourJob(NotAllowed):
    """Somebody else's job."""

    code = "jobs:not-yours"
    title = _("This is not your job")


class FileNotTaken(CityError):
    """The lab takes no files, or this one is too large or of another kind."""

    code = "jobs:file-not-taken"
    status = 422
    title = _("This file cannot be taken")


class OtherFile(CityError):
    """The bytes are not those that the device told of."""

    code = "jobs:other-file"
    status = 422
    title = _("This is another file")


class HasFile(Conflict):
    """The job's file is here already."""

    code = "jobs:has-file"
    title = _("The file is here already")


class BadSettings(CityError):
    """Settings of the slicer that cannot be read, or that ask for what the sandbox does not do."""

    code = "slicing:bad-settings"
    status = 422
    title = _("These settings cannot be used")


class CannotSlice(CityError):
    """Nothing that this machine's slicer could do with the file."""

    code = "slicing:cannot"
    status = 422
    title = _("This cannot be sliced here")


class UnknownSlice(NotFound):
    """No sliced program, or somebody else's."""

    code = "slicing:unknown"
    title = _("There is no such program")
