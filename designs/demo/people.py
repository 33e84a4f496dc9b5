"""The demo's people, and its designs by the words that name them."""

from commons.people.models import Handle, User
from commons.people.services import create_user
from designs.models import Design

NAMES = {"aino": "Aino", "otto": "Otto", "sanna": "Sanna", "mikko": "Mikko", "leila": "Leila"}


def person(name: str) -> User:
    """One of the demo's people, made when missing."""
    return User.objects.filter(username=name).first() or create_user(username=name, name=NAMES[name], demo=True)


def handle(name: str) -> Handle:
    """Their handle."""
    return Handle.objects.get(user=person(name))


def design(key: tuple[str, str]) -> Design | None:
    """A design of the demo by owner and slug."""
    return Design.objects.filter(owner__name=key[0], slug=key[1], demo=True).select_related("owner").first()
