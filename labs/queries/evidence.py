"""Evidence that production is modelled: counted in the database at the time of asking."""

import datetime as dt
from collections.abc import Iterator

from django.apps import apps
from django.db.models import Count, Max
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _

from commons.places.models import Place
from commons.sockets import Evidence
from labs.models import Booking, Job, Machine
from labs.queries import sun
from labs.queries.catalogue import of_place

LIVE = dt.timedelta(minutes=10)
SYSTEM = "production"


def production(place: Place) -> Iterator[Evidence]:
    """Level 1: machines are known. Level 2: they report. Level 3: the sun of bookings to come is foretold."""
    machines = Machine.objects.filter(of_place(place, "lab__"))
    count, now = machines.count(), timezone.now()
    if not count:
        return
    url = reverse("rooms:labs")
    yield Evidence(
        SYSTEM,
        1,
        _("machines of labs, with class, materials and working volume"),
        count,
        _("machines of the labs"),
        now,
        url,
    )
    heard = machines.filter(device__last_seen_at__gt=now - LIVE).aggregate(
        n=Count("pk"), at=Max("device__last_seen_at")
    )
    if heard["n"]:
        yield Evidence(
            SYSTEM,
            2,
            _("machines whose power was heard in the last ten minutes"),
            heard["n"],
            _("meters of the labs"),
            heard["at"],
            url,
        )
    measured = Job.objects.filter(of_place(place, "machine__lab__"), energy_quality__in=("measured", "integrated"))
    made = measured.aggregate(n=Count("pk"), at=Max("finished_at"))
    if made["n"]:
        yield Evidence(SYSTEM, 2, _("jobs with measured energy"), made["n"], _("jobs of the labs"), made["at"], url)
    if apps.is_installed("energy") and sun.hours(place, now, now + dt.timedelta(hours=24)):
        coming = Booking.objects.filter(of_place(place, "machine__lab__"), end__gt=now, status="booked").count()
        if coming:
            yield Evidence(
                SYSTEM,
                3,
                _("bookings to come, each with the foretold share of local sun"),
                coming,
                _("bookings of the labs"),
                now,
                url,
            )
