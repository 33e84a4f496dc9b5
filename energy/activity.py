"""What energy communities tell everybody: that they publish new data. Nothing of any member."""

from collections.abc import Iterator

from django.urls import reverse
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as lazy

from commons.activity import sockets
from commons.activity.sockets import Happening, Source, Subject, SubjectKind
from energy import policies
from energy.models import Publication
from energy.queries.communities import of_place

PAGES = ("community", "community_sharing", "community_year", "community_forecast", "community_tariffs")


def find(key: str) -> Subject | None:
    """A community that everybody may know of."""
    found = policies.visible(None).select_related("place").filter(slug=key).first()
    return Subject("community", key, found.name, reverse("rooms:community", args=[key]), found) if found else None


def tell(subject: Subject, most: int) -> Iterator[Happening]:
    """Published data, newest first."""
    seen = policies.visible(None)
    if subject.kind == "community":
        seen = seen.filter(pk=subject.thing.pk)
    elif subject.kind == "place":
        seen = seen.filter(pk__in=of_place(subject.thing).values("pk"))
    elif subject.kind != "city":
        return
    rows = Publication.objects.filter(version__community__in=seen.values("pk")).select_related("version__community")
    for row in rows.order_by("-published_at")[:most]:
        version = row.version
        said = _("%(community)s publishes its data from %(first)s to %(last)s") % {
            "community": version.community.name,
            "first": date_format(version.first_day, "DATE_FORMAT"),
            "last": date_format(version.last_day, "DATE_FORMAT"),
        }
        url = reverse("rooms:community_year", args=[version.community.slug])
        yield Happening(f"published-{row.pk}", row.published_at, said, url, version.community.name)


def register() -> None:
    """Communities may be followed, and tell what they publish."""
    pages = {f"rooms:{name}": lambda at: str(at["slug"]) for name in PAGES}
    shown = lambda context: getattr(context.get("community"), "public", False)  # noqa: E731 one expression
    sockets.kinds.register(SubjectKind("community", lazy("Energy communities"), find, pages, shown, order=50))
    sockets.sources.register(Source("energy", tell, order=30))
