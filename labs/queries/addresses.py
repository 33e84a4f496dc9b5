"""Every public page of labs, for maps of the site."""

from collections.abc import Iterator

from django.urls import reverse

from labs.models import Lab


def count_labs() -> int:
    """How many labs there are."""
    return Lab.objects.count()


def of_labs(start: int, stop: int) -> Iterator[tuple[str, None]]:
    """(path, nothing) of some of the labs, the oldest first."""
    for slug in Lab.objects.order_by("pk").values_list("slug", flat=True)[start:stop]:
        yield reverse("rooms:lab", args=[slug]), None
