"""Why a backup could not be made, read or brought back."""

from typing import ClassVar

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from commons.errors import CityError


class BackupFailed(CityError):
    """A backup could not be made; the earlier ones stand."""

    code = "city:backup"
    status = 409
    title: ClassVar[str | Promise] = _("The backup was not made")


class BackupDamaged(CityError):
    """What lies in a backup is not what its manifest says."""

    code = "city:backup-damaged"
    status = 409
    title: ClassVar[str | Promise] = _("The backup is damaged")


class RestoreRefused(CityError):
    """This backup cannot be brought back here; nothing was changed."""

    code = "city:restore"
    status = 409
    title: ClassVar[str | Promise] = _("It cannot be restored here")
