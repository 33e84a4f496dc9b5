"""What staff hides after a report: designs, comments, makes, collections; and how a report finds them."""

from typing import TypeVar

from django.db.models import Model, QuerySet
from django.utils import timezone

from commons.people.models import User
from commons.sockets import Reported
from designs.models import Collection, Comment, Design, Make
from designs.policies import seen_by
from designs.queries.audience import owners_of
from designs.queries.collections import collections_seen_by
from designs.services.makes import count_makes
from designs.services.silence import silence_runs
from designs.services.talk import url_of
from designs.services.telling import address, design_url

M = TypeVar("M", bound=Model)


def find_design(key: str, person: User | None) -> Reported | None:
    """By number, or by owner/slug."""
    owner, slash, slug = key.partition("/")
    seen = Design.objects.filter(seen_by(person)) if person is not None else Design.objects.filter(deleted_at=None)
    seen = seen.select_related("owner", "owner__user", "owner__organisation")
    found = seen.filter(owner__name=owner.lower(), slug=slug.lower()).first() if slash else _by_number(seen, key)
    if found is None:
        return None
    return Reported(
        key=str(found.pk), title=found.name, url=design_url(found), author=_first(owners_of(found.owner)),
        excerpt=found.summary, hidden=found.hidden_at is not None,
    )  # fmt: skip


def hide_design(key: str, reason: str) -> None:
    """From now on only its owner and staff see it."""
    Design.objects.filter(pk=key).update(hidden_at=timezone.now(), hidden_reason=reason)
    for design in Design.objects.filter(pk=key):
        silence_runs(design)


def show_design(key: str) -> None:
    """Everybody sees it again who saw it before."""
    Design.objects.filter(pk=key).update(hidden_at=None, hidden_reason="")


def find_comment(key: str, person: User | None) -> Reported | None:
    """A comment on what the person may see."""
    comments = Comment.objects.filter(removed_at=None).select_related("design__owner", "author", "proposal")
    if person is not None:
        comments = comments.filter(design__in=Design.objects.filter(seen_by(person)).values("pk"))
    found = _by_number(comments, key)
    if found is None:
        return None
    title = f"{found.author or '–'}: {found.body[:80]}"
    return Reported(str(found.pk), title, url_of(found), found.author, found.body[:2000], found.hidden_at is not None)


def hide_comment(key: str, reason: str) -> None:
    """Its place stays, its words do not show."""
    Comment.objects.filter(pk=key).update(hidden_at=timezone.now(), hidden_reason=reason)


def show_comment(key: str) -> None:
    """Its words show again."""
    Comment.objects.filter(pk=key).update(hidden_at=None, hidden_reason="")


def find_make(key: str, person: User | None) -> Reported | None:
    """A make of what the person may see."""
    makes = Make.objects.select_related("design__owner", "author")
    if person is not None:
        makes = makes.filter(design__in=Design.objects.filter(seen_by(person)).values("pk"))
    found = _by_number(makes, key)
    if found is None:
        return None
    url = design_url(found.design, "rooms:design_makes") + f"#make-{found.pk}"
    title = f"{found.author or '–'}: {found.text[:80] or found.design.name}"
    return Reported(str(found.pk), title, url, found.author, found.text, found.hidden_at is not None)


def hide_make(key: str, reason: str) -> None:
    """Only who made it and staff see it."""
    Make.objects.filter(pk=key).update(hidden_at=timezone.now(), hidden_reason=reason)
    count_makes(Make.objects.select_related("design").get(pk=key).design)


def show_make(key: str) -> None:
    """Everybody sees it again."""
    Make.objects.filter(pk=key).update(hidden_at=None, hidden_reason="")
    count_makes(Make.objects.select_related("design").get(pk=key).design)


def find_collection(key: str, person: User | None) -> Reported | None:
    """A collection that the person may see."""
    seen = collections_seen_by(person) if person is not None else Collection.objects.select_related("owner")
    found = _by_number(seen, key)
    if found is None:
        return None
    url = address("rooms:collection", found.owner.name, found.slug)
    author = _first(owners_of(found.owner))
    return Reported(str(found.pk), found.name, url, author, found.about, found.hidden_at is not None)


def hide_collection(key: str, reason: str) -> None:
    """Only its owner and staff see it."""
    Collection.objects.filter(pk=key).update(hidden_at=timezone.now(), hidden_reason=reason)


def show_collection(key: str) -> None:
    """Everybody sees it again."""
    Collection.objects.filter(pk=key).update(hidden_at=None, hidden_reason="")


def _by_number(rows: QuerySet[M], key: str) -> M | None:
    return rows.filter(pk=int(key)).first() if key.isdecimal() and len(key) < 19 else None


def _first(people: list[User]) -> User | None:
    return people[0] if people else None
