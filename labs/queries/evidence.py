"""Evidence that production is modelled: counted in the database at the time of asking."""

from collections.abc import Iterator

from django.db.models import Count, Max
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _

from commons.devices.queries import PERIOD, heard
from commons.places.models import Place
from commons.sockets import Evidence
from labs.models import Job, Machine
from labs.queries.catalogue import of_place

STEADY = 0.9
"""Share of seven days in which a stream must have been heard."""
SYSTEM = "production"


def production(place: Place) -> Iterator[Evidence]:
    """Level 1: machines are known, and what they made was measured. Level 2: they are heard, steadily."""
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
    streams = heard([m.device for m in machines.select_related("device") if m.device], now)
    if streams:
        steady = [one for one in streams if one.uptime >= STEADY and now - one.last <= PERIOD]
        best = steady or [max(streams, key=lambda one: one.uptime)]
        yield Evidence(
            SYSTEM,
            2,
            _("machines whose power is heard"),
            len(best),
            _("meters of the labs"),
            max(one.last for one in best),
            url,
            {"period_s": PERIOD.total_seconds(), "uptime": round(min(one.uptime for one in best), 4)},
        )
    measured = Job.objects.filter(of_place(place, "machine__lab__"), energy_quality__in=("measured", "integrated"))
    made = measured.aggregate(n=Count("pk"), at=Max("finished_at"))
    if made["n"]:
        yield Evidence(SYSTEM, 1, _("jobs with measured energy"), made["n"], _("jobs of the labs"), made["at"], url)
