"""What somebody can use instead of a machine that cannot be had: looked up anew, whenever the page is opened."""

import datetime as dt

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.dateparse import parse_datetime
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from labs.engine.hours import Span
from labs.errors import BadTime
from labs.queries import catalogue
from labs.queries.alternatives import instead as alternatives
from labs.views.common import page, viewer

LONGEST_MIN = 7 * 1440


@never_cache
@login_required
@require_safe
def instead(request: HttpRequest, lab: str, machine: str) -> HttpResponse:
    """Which machines like this one could I book for that very time?"""
    found, person, now = catalogue.find_machine(lab=lab, slug=machine), viewer(request), timezone.now()
    assert person is not None  # noqa: S101 login_required
    span = _span(request)
    stamp = span.start.astimezone(dt.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    query = f"?minutes={int((span.end - span.start).total_seconds() // 60)}&start={stamp}"
    others = alternatives(found, person, span, now=now)
    links = [(other, reverse("rooms:book", args=[other.lab.slug, other.slug]) + query) for other in others]
    return page(
        request, "labs/instead.html", {"machine": found, "lab": found.lab, "span": span, "others": links}, lab=found.lab
    )


def _span(request: HttpRequest) -> Span:
    """The time that is asked for. Raises BadTime."""
    text, length = request.GET.get("start", ""), request.GET.get("minutes", "")
    try:
        start = parse_datetime(text.replace(" ", "+"))
    except ValueError:
        start = None
    good = length.isdecimal() and len(length) < 6 and 5 <= int(length) <= LONGEST_MIN
    if start is None or start.tzinfo is None or not 2000 <= start.year <= 2200 or not good:
        raise BadTime(_("Say from when and for how many minutes."))
    return Span(start, start + dt.timedelta(minutes=int(length)))
