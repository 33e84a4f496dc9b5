from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _

if TYPE_CHECKING:
    from commons.activity.sockets import Subject


class ActivityConfig(AppConfig):
    name = "commons.activity"
    label = "activity"
    verbose_name = "Activity"

    def ready(self) -> None:
        """Places and people may be followed; the city is more than one of these."""
        from commons.activity.sockets import SubjectKind, kinds  # noqa: PLC0415 apps are ready only now

        kinds.register(
            SubjectKind(
                "place",
                _("Places"),
                find_place,
                {"place": _slug, "rooms:dashboard": _slug, "rooms:dashboard_tab": _slug},
                order=10,
            )
        )
        kinds.register(
            SubjectKind("person", _("People"), find_person, {"rooms:person": lambda at: at["name"]}, order=20)
        )


def _slug(at: "Mapping[str, Any]") -> str:
    return str(at["slug"])


def find_place(key: str) -> "Subject | None":
    """A city or neighbourhood."""
    from django.urls import reverse  # noqa: PLC0415 models are ready only after the apps

    from commons.activity.sockets import Subject  # noqa: PLC0415 as above
    from commons.places.models import Place  # noqa: PLC0415 as above

    found = Place.objects.select_related("parent").filter(slug=key).first()
    return Subject("place", key, found.name, reverse("place", args=[found.slug]), found) if found else None


def find_person(key: str) -> "Subject | None":
    """A person or organisation that is still here."""
    from django.urls import reverse  # noqa: PLC0415 models are ready only after the apps

    from commons.activity.sockets import Subject  # noqa: PLC0415 as above
    from commons.people.errors import UnknownHandle  # noqa: PLC0415 as above
    from commons.people.queries import handle  # noqa: PLC0415 as above

    try:
        found = handle(key)
    except UnknownHandle:
        return None
    return Subject("person", found.name, found.title, reverse("rooms:person", args=[found.name]), found)
