"""The demo's places and people: Kamppi in Helsinki and five neighbours."""

from collections.abc import Callable

from commons.people.leaving import leave
from commons.people.models import Handle, Organisation, User
from commons.people.services import create_user
from commons.places import services
from commons.places.models import Place

#: The bounding box of the demo's extract of OpenStreetMap: west, south, east, north in degrees.
KAMPPI_BOX = (24.9351762, 60.164155, 24.9534145, 60.179113)
NEIGHBOURS = {"aino": "Aino", "otto": "Otto", "sanna": "Sanna", "mikko": "Mikko", "leila": "Leila"}

Say = Callable[[str], None]


def seed(say: Say) -> None:
    """Make what is missing; running it again changes nothing."""
    city = services.ensure_city(slug="helsinki", name="Helsinki", timezone="Europe/Helsinki", country="FI", demo=True)
    kamppi = services.ensure_neighbourhood(
        slug="kamppi", name="Kamppi", city=city, outline=services.box(*KAMPPI_BOX), demo=True
    )
    for username, name in NEIGHBOURS.items():
        if Handle.objects.filter(name=username).exists():
            continue
        user = create_user(username=username, name=name, demo=True)
        User.objects.filter(pk=user.pk).update(home=kamppi)
    say(f"Helsinki with Kamppi, and {len(NEIGHBOURS)} neighbours: {', '.join(NEIGHBOURS)}")


def remove(say: Say) -> None:
    """Take the demo's people, organisations and places away; what visitors made stays."""
    organisations = Organisation.objects.filter(demo=True).count()
    Organisation.objects.filter(demo=True).delete()
    leaving = list(User.objects.filter(demo=True).order_by("pk"))
    stayed = [user.username for user in leaving if not leave(user=user, ask_owner=False)]
    people = len(leaving)
    places = services.remove_demo()
    left = Place.objects.filter(demo=True).count()
    say(f"{people} people, {organisations} organisations and {places} places taken away")
    if stayed:
        say(f"books of labs that are no demo keep that somebody was there, without a name: {len(stayed)} accounts")
    if left:
        say(f"{left} places stay, because something of yours stands in them")
