"""Every public page of designs and releases, for maps of the site."""

import datetime as dt
from collections.abc import Iterator

from django.db.models import QuerySet
from django.urls import reverse

from designs.models import Design, Release
from designs.policies import seen_by


def _designs() -> QuerySet[Design]:
    return Design.objects.filter(seen_by(None)).order_by("pk")


def _releases() -> QuerySet[Release]:
    return Release.objects.filter(design__in=Design.objects.filter(seen_by(None))).order_by("pk")


def count_designs() -> int:
    """How many designs everybody may see."""
    return _designs().count()


def count_releases() -> int:
    """How many releases those have."""
    return _releases().count()


def of_designs(start: int, stop: int) -> Iterator[tuple[str, dt.datetime]]:
    """(path, when it changed) of some of the designs that everybody may see, the oldest first."""
    rows = _designs().values_list("owner__name", "slug", "pushed_at", "created_at")
    for owner, slug, pushed, created in rows[start:stop]:
        yield reverse("rooms:design", args=[owner, slug]), pushed or created


def of_releases(start: int, stop: int) -> Iterator[tuple[str, dt.datetime]]:
    """(path, when it was made) of some of their releases, the oldest first."""
    rows = _releases().values_list("design__owner__name", "design__slug", "version", "created_at")
    for owner, slug, version, created in rows[start:stop]:
        yield reverse("rooms:design_release", args=[owner, slug, version]), created
