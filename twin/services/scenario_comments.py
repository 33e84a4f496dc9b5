"""Writes of comments on scenarios."""

import datetime as dt
from math import isfinite

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from commons.errors import BadInput
from commons.people.models import User
from twin import policies
from twin.errors import NotYourComment, TooManyScenarios
from twin.models import ScenarioComment, ScenarioVersion

LONGEST = 2000
MOST_AN_HOUR = 40


@transaction.atomic
def say(
    *,
    version: ScenarioVersion,
    by: User,
    body: str,
    figure: str = "",
    lon: float | None = None,
    lat: float | None = None,
) -> ScenarioComment:
    """A comment on a version, on a figure of it, or on a place. Raises BadInput, TooManyScenarios."""
    words = body.strip()
    if not words:
        raise BadInput(_("An empty comment says nothing. Write a sentence."), where="body")
    if len(words) > LONGEST:
        raise BadInput(_("A comment has at most %(n)d characters.") % {"n": LONGEST}, where="body")
    since = timezone.now() - dt.timedelta(hours=1)
    if ScenarioComment.objects.filter(author=by, created_at__gt=since).count() >= MOST_AN_HOUR:
        raise TooManyScenarios(_("That were many comments within the hour. Go on a little later."))
    return ScenarioComment.objects.create(
        scenario=version.scenario,
        version=version.number,
        author=by,
        body=words,
        figure="" if lon is not None else figure[:60],
        **_place(version, lon, lat),
    )


def _place(version: ScenarioVersion, lon: float | None, lat: float | None) -> dict[str, float]:
    if lon is None and lat is None:
        return {}
    of = version.scenario.district.current
    west, south, east, north = of.bounds if of else (-180.0, -90.0, 180.0, 90.0)
    inside = lon is not None and lat is not None and isfinite(lon) and isfinite(lat)
    if not inside or not (west <= float(lon or 0) <= east and south <= float(lat or 0) <= north):
        raise BadInput(_("This place lies outside the district. Choose one on the map."), where="at")
    return {"lon": round(float(lon or 0), 6), "lat": round(float(lat or 0), 6)}


@transaction.atomic
def unsay(*, comment: ScenarioComment, by: User) -> None:
    """Take a comment back; its author and stewards may. Raises NotYourComment."""
    if not policies.may_unsay(by, comment):
        raise NotYourComment(_("Only who wrote this, and stewards of the city, may take it away."))
    comment.delete()
