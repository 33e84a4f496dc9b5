from collections.abc import Sequence
from typing import TYPE_CHECKING

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _

if TYPE_CHECKING:
    from commons.people.models import User
    from commons.sockets import Hit


class PeopleConfig(AppConfig):
    name = "commons.people"
    label = "people"
    verbose_name = "People"

    def ready(self) -> None:
        """Plug people and organisations into search; listen for sign-ins."""
        from commons.people import sessions  # noqa: PLC0415 models must be ready
        from commons.sockets import SearchSource, search_sources  # noqa: PLC0415 apps are ready only now

        sessions.connect()
        search_sources.register(SearchSource("people", _("People and organisations"), search=search, order=900))


def search(words: str, user: "User | None", limit: int) -> "Sequence[Hit]":
    """People and organisations by handle and name; an exact handle is best."""
    from django.urls import reverse  # noqa: PLC0415 models are ready only after the apps

    from commons.people import queries  # noqa: PLC0415 as above
    from commons.sockets import Hit  # noqa: PLC0415 as above

    return [
        Hit(
            title=handle.title,
            url=reverse("rooms:person", args=[handle.name]),
            detail=handle.organisation.get_kind_display() if handle.organisation else f"@{handle.name}",
            rank=1.0 if handle.name == words.lower() else 0.3,
        )
        for handle in queries.find(words, limit)
    ]
