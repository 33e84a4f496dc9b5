"""Notices of this room: their addresses, in the site's own language, and whom they go to."""

from collections.abc import Iterable
from typing import Any

from django.conf import settings
from django.urls import NoReverseMatch, reverse
from django.utils import translation

from commons.notices.services import tell
from commons.people.models import User
from designs.models import Design


def address(name: str, *arguments: Any) -> str:
    """A page's address without a language in it."""
    with translation.override(settings.LANGUAGE_CODE):
        return reverse(name, args=arguments)


def design_url(design: Design, page: str = "rooms:design", *more: Any) -> str:
    """The address of a design, or of a page of it; the design itself where there is no such page."""
    try:
        return address(page, design.owner.name, design.slug, *more)
    except NoReverseMatch:
        return address("rooms:design", design.owner.name, design.slug)


def my_url() -> str:
    """Where a person answers what is offered to them."""
    return address("rooms:me") + "#designs"


def tell_people(people: Iterable[User], *, kind: str, text: str, url: str, actor: User | None, about: str = "") -> None:
    """A notice to each of them but the one who did it."""
    tell(people=people, kind=kind, text=text, url=url, actor=actor, about=about)
