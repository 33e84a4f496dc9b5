"""Holding a design while it is changed, so that two people cannot change it at once."""

from django.utils.translation import gettext as _

from designs.errors import DesignNotFound
from designs.models import Design


def hold(design: Design) -> Design:
    """The design as it is now, locked until the transaction ends. Raises DesignNotFound when it is gone."""
    held = (
        Design.objects.select_for_update(no_key=True, of=("self",)).select_related("owner").filter(pk=design.pk).first()
    )
    if held is None or held.deleted_at is not None:
        raise DesignNotFound(_("The design was deleted meanwhile."))
    return held
