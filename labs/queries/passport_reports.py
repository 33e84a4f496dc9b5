"""How a report finds an entry of a passport."""

from django.urls import reverse
from django.utils.translation import gettext as _

from commons.people.models import User
from commons.sockets import Reported
from labs.models import HiddenEntry, PassportEntry

#: What people wrote; what the city itself wrote down is not reported, but corrected.
WRITTEN = (PassportEntry.Kind.REPAIRED, PassportEntry.Kind.REFURBISHED, PassportEntry.Kind.RECYCLED)


def find(key: str, person: User | None) -> Reported | None:
    """An entry that somebody wrote; a hidden one is found by the city alone."""
    rows = PassportEntry.objects.filter(kind__in=WRITTEN).select_related("by")
    found = rows.filter(pk=int(key)).first() if key.isdecimal() and len(key) < 19 else None
    if found is None:
        return None
    hidden = HiddenEntry.objects.filter(entry=found).exists()
    words = "; ".join(str(value) for value in found.facts.values() if value)
    title = _("%(kind)s: %(words)s") % {"kind": found.get_kind_display(), "words": words[:80]}
    return Reported(
        key=str(found.pk), title=title, url=reverse("rooms:passport", args=[found.passport_id]), author=found.by,
        excerpt=words[:2000], hidden=hidden,
    )  # fmt: skip
