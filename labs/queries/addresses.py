"""Addresses: every public page of labs, for maps of the site; and pages as notices name them."""

from collections.abc import Iterator

from django.conf import settings
from django.urls import reverse
from django.utils import translation

from labs.models import Lab
from labs.queries import learning


def count_labs() -> int:
    """How many labs there are."""
    return Lab.objects.count()


def of_labs(start: int, stop: int) -> Iterator[tuple[str, None]]:
    """(path, nothing) of some of the labs, the oldest first."""
    for slug in Lab.objects.order_by("pk").values_list("slug", flat=True)[start:stop]:
        yield reverse("rooms:lab", args=[slug]), None


def count_courses() -> int:
    """How many courses anybody may see are taught."""
    return learning.courses(None).count()


def of_courses(start: int, stop: int) -> Iterator[tuple[str, None]]:
    """(path, nothing) of some of the courses that are taught, the oldest first."""
    rows = learning.courses(None).order_by("pk").values_list("design__owner__name", "design__slug")
    for owner, slug in rows[start:stop]:
        yield reverse("rooms:course", args=[owner, slug]), None


def path_of(name: str, *args: object) -> str:
    """The path of a page in the site's own language, whatever the language of now: for notices and labels."""
    with translation.override(settings.LANGUAGE_CODE):
        return reverse(name, args=args)
