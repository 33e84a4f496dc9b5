"""What districts of the twin tell everybody: each new version, and how it came about."""

from collections.abc import Iterator

from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as lazy

from commons.activity import sockets
from commons.activity.sockets import Happening, Source, Subject, SubjectKind
from twin import queries
from twin.models import DistrictVersion

PAGES = (
    "district",
    "district-list",
    "building",
    "district-traffic",
    "twin-versions",
    "district-roofs",
    "district-risk",
    "district-carbon",
)


def find(key: str) -> Subject | None:
    """A district that holds something."""
    found = queries.districts().filter(slug=key).first()
    return Subject("district", key, found.name, reverse("rooms:district", args=[key]), found) if found else None


def tell(subject: Subject, most: int) -> Iterator[Happening]:
    """Versions of a district, of a place's, or of all."""
    seen = queries.districts()
    if subject.kind == "district":
        seen = seen.filter(pk=subject.thing.pk)
    elif subject.kind == "place":
        seen = (seen.filter(place=subject.thing) | seen.filter(place__parent=subject.thing)).order_by()
    elif subject.kind != "city":
        return
    rows = DistrictVersion.objects.filter(district__in=seen.values("pk")).select_related("district")
    for version in rows.order_by("-created_at")[:most]:
        said = _("%(district)s, version %(n)d: %(how)s") % {
            "district": version.district.name,
            "n": version.number,
            "how": version.get_how_display(),
        }
        url = reverse("rooms:twin-versions", args=[version.district.slug])
        yield Happening(f"district-{version.pk}", version.created_at, said, url, version.district.name, version.note)


def register() -> None:
    """Districts may be followed."""
    pages = {f"rooms:{name}": lambda at: str(at["slug"]) for name in PAGES}
    sockets.kinds.register(SubjectKind("district", lazy("Districts"), find, pages, order=60))
    sockets.sources.register(Source("twin", tell, order=40))
