"""What the energy communities of a place show to be modelled: electricity, and solar with storage."""

import datetime as dt
from collections.abc import Iterator
from functools import partial

from django.db.models import Avg, Count, F, Max, Q
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from commons.places.models import Place
from commons.shelf import once
from commons.sockets import Evidence
from energy.models import Community, CommunityVersion, Forecast, ForecastCard, MeterDay, MeterPoint
from energy.queries.communities import latest_simulation, latest_versions, of_place
from energy.queries.measured import midnight, zone

SYSTEMS = {ForecastCard.Series.USE.value: "electricity", ForecastCard.Series.SOLAR.value: "solar"}
WEEK = 7
READ_BY_DAY = dt.timedelta(days=2)
"""Meters are read by the day, and a day is delivered in the course of the next."""
PERSISTENCE = "yesterday"


def collect(place: Place) -> Iterator[Evidence]:
    """1 data of members; 2 meters that deliver their days; 3 forecasts that beat persistence; 4 a simulation."""
    for version in latest_versions(place):
        yield from once(("energy data", version.pk), partial(_of_data, version))
    for community in of_place(place).select_related("place"):
        yield from once(("energy meters", community.pk), partial(_delivered, community))


def _delivered(community: Community) -> list[Evidence]:
    return [*_meters(community), *_forecasts(community)]


def _of_data(version: CommunityVersion) -> list[Evidence]:
    return list(_data(version))


def _data(version: CommunityVersion) -> Iterator[Evidence]:
    simulated = latest_simulation(version)
    level = 4 if simulated else 1
    url = reverse("rooms:community", args=[version.community.slug])
    counted = version.members.aggregate(all=Count("pk"), roofs=Count("pk", filter=Q(pv_kwh__gt=0)))
    count, roofs = counted["all"], counted["roofs"]
    as_of = simulated.created_at if simulated else version.created_at
    proof = {"oracle": gettext("the exact optimum of the community")} if simulated else {}
    name, source = version.community.name, gettext("data of its energy community")
    words = _("%(name)s: use of %(n)d members, step by step") % {"name": name, "n": count}
    yield Evidence("electricity", level, words, count, source, as_of, url, proof)
    if version.pv_kwh > 0:
        words = _("%(name)s: %(n)d solar roofs, step by step") % {"name": name, "n": roofs}
        yield Evidence("solar", level, words, roofs, source, as_of, url, proof)


def _meters(community: Community) -> Iterator[Evidence]:
    """Proved meters that deliver day by day; uptime is the share of the last week's days, as far as they were
    measured.
    """
    clock = zone(community)
    today = timezone.now().astimezone(clock).date()
    proved = MeterPoint.objects.filter(participant__community=community).exclude(proof=MeterPoint.Proof.CLAIMED)
    url = reverse("rooms:community", args=[community.slug])
    sun = MeterPoint.Direction.SOLAR
    counts = proved.aggregate(all=Count("pk"), solar=Count("pk", filter=Q(direction=sun)))
    for system, count in (("electricity", counts["all"] - counts["solar"]), ("solar", counts["solar"])):
        if not count:
            continue
        meters = proved.filter(direction=sun) if system == "solar" else proved.exclude(direction=sun)
        rows = MeterDay.objects.filter(meter__in=meters, current=True)
        week = rows.filter(day__gte=today - dt.timedelta(days=WEEK), day__lt=today).aggregate(
            meters=Count("meter", distinct=True),
            days=Count("pk"),
            lost=Avg(F("missing") * F("step_minutes") / 1440.0),
        )
        last = rows.filter(day__lt=today).aggregate(at=Max("day"))["at"]
        if last is None:
            continue
        uptime = week["days"] / (WEEK * count) * (1 - (week["lost"] or 0.0))
        words = _("%(name)s: %(n)d meters that deliver their days") % {"name": community.name, "n": count}
        ended = midnight(last + dt.timedelta(days=1), clock)
        proof = {"period_s": READ_BY_DAY.total_seconds(), "uptime": round(min(uptime, 1.0), 4)}
        yield Evidence(system, 2, words, count, gettext("meters of its members"), ended, url, proof)


def _forecasts(community: Community) -> Iterator[Evidence]:
    """The newest forecast of each series, with what its back-test says beside the same hour yesterday."""
    url = reverse("rooms:community_forecast", args=[community.slug])
    rows = Forecast.objects.filter(community=community, series__in=SYSTEMS).select_related("card")
    known = {one.series: one for one in rows.order_by("series", "-day").distinct("series")}
    judged = Forecast.objects.filter(card__in=[one.card_id for one in known.values()]).order_by()
    counts = dict(judged.values_list("card").annotate(n=Count("pk"))) if known else {}
    for series, system in SYSTEMS.items():
        newest = known.get(series)
        if newest is None:
            continue
        card = newest.card
        persistence = float(card.naive.get(PERSISTENCE) or 0.0)
        proof = {
            "skill": round(1 - card.served_mae / persistence, 4) if persistence > 0 else 0.0,
            "days": (card.last_day - card.first_day).days + 1,
        }
        words = _("%(name)s: a day ahead, judged over %(n)d days") % {"name": community.name, "n": proof["days"]}
        source = gettext("forecasts of its energy community")
        yield Evidence(
            system, 3, words, counts[card.pk], source, newest.issued_at, url, proof
        )
