"""The prosumer ratio of a place: kWh made per kWh used, from the newest data of its communities."""

from django.utils.translation import gettext as _

from commons.places.models import Place
from commons.sockets import Figure
from commons.web import numbers
from energy.models import CommunityVersion
from energy.queries import public
from energy.queries.communities import latest_versions


def prosumer(place: Place) -> Figure:
    """Sum of solar over sum of use, over the newest version of each community of the place or of its parts.

    Vehicles are left out: their charging is simulated, not metered. The period is from the first start to the
    last end. A community with too few households to publish a sum is left out.
    Completeness is the share of that period, weighted by members, for which there are data.
    """
    versions = [v for v in latest_versions(place) if v.community.public and public.standing(v, None).curves]
    if not versions:
        words = _("No energy community of %(place)s has brought its data yet.") % {"place": place.name}
        return Figure(None, None, None, "kWh", None, None, None, words)
    told = {v.pk: public.used_kwh(v, exact=False) or 0.0 for v in versions}
    made, used = sum(v.pv_kwh for v in versions), sum(told.values())
    value = made / used if used > 0 else None
    start, end = min(v.start for v in versions), max(v.end for v in versions)
    return Figure(
        value=value,
        numerator=made,
        denominator=used,
        unit="kWh",
        start=start,
        end=end,
        completeness=_completeness(versions),
        sentence=_("%(made)s made here for %(used)s used in %(year)s.")
        % {"made": numbers.kwh(made), "used": numbers.kwh(used), "year": _years(versions)},
        evidence=[_row(v, told[v.pk]) for v in versions],
        estimated=any(v.demo for v in versions),
        demo=any(v.demo for v in versions),
        notes=[_("generated for demonstration")] if any(v.demo for v in versions) else [],
    )


def _completeness(versions: list[CommunityVersion]) -> float:
    start, end = min(v.start for v in versions), max(v.end for v in versions)
    whole = (end - start).total_seconds() * sum(v.members.count() for v in versions)
    had = sum((v.end - v.start).total_seconds() * v.members.count() for v in versions)
    return had / whole if whole else 0.0


def _years(versions: list[CommunityVersion]) -> str:
    middle = [v.start + (v.end - v.start) / 2 for v in versions]
    first, last = min(middle).year, max(middle).year
    return str(first) if first == last else f"{first}–{last}"


def _row(version: CommunityVersion, used_kwh: float) -> dict[str, object]:
    return {
        "community": version.community.slug,
        "version": version.number,
        "from": version.first_day,
        "until": version.last_day,
        "made_kwh": round(version.pv_kwh, 3),
        "used_kwh": round(used_kwh, 3),
        "step_minutes": version.step_minutes,
        "demo": version.demo,
        "sha256": version.content_sha256,
    }
