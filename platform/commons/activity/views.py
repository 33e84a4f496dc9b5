"""What happens in the city: a page and an Atom feed, of all or of one public thing."""

import datetime as dt
import hashlib
from collections.abc import Sequence

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.cache import get_conditional_response
from django.utils.feedgenerator import Atom1Feed
from django.utils.http import http_date, quote_etag
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from commons.activity import queries, sockets
from commons.activity.sockets import Happening, Subject

#: The feed's own time when it has no entry: readers must not see it change by itself.
NEVER = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)


@require_safe
def page(request: HttpRequest, kind: str = "city", key: str = "") -> HttpResponse:
    """What happened lately, by day."""
    subject = queries.city() if kind == "city" else queries.subject(kind, key)
    days: dict[dt.date, list[Happening]] = {}
    for one in queries.lately(subject):
        days.setdefault(timezone.localtime(one.at).date(), []).append(one)
    context = {
        "subject": subject,
        "days": list(days.items()),
        "feed": queries.feed_url(subject),
        "kinds": list(sockets.kinds),
    }
    return render(request, "activity/page.html", context)


@require_safe
def feed(request: HttpRequest, kind: str = "city", key: str = "") -> HttpResponse:
    """The same as Atom; whoever has it already is told so (ETag, Last-Modified)."""
    subject = queries.city() if kind == "city" else queries.subject(kind, key)
    happened = queries.lately(subject)
    updated = happened[0].at if happened else NEVER
    body = _written(request, subject, happened, updated)
    etag, changed = quote_etag(hashlib.sha256(body.encode()).hexdigest()[:32]), int(updated.timestamp())
    answer = HttpResponse(body, content_type="application/atom+xml; charset=utf-8")
    answer.headers["ETag"] = etag
    answer.headers["Last-Modified"] = http_date(changed)
    answer.headers["Cache-Control"] = "public, max-age=60"
    answer.headers["X-Content-Type-Options"] = "nosniff"
    found = get_conditional_response(request, etag=etag, last_modified=changed, response=answer)
    assert found is not None  # noqa: S101 it was given one
    return found


def _written(request: HttpRequest, subject: Subject, happened: Sequence[Happening], updated: dt.datetime) -> str:
    site = settings.PUBLIC_URL
    made = Atom1Feed(
        title=_("What happens: %(title)s") % {"title": subject.title},
        link=f"{site}{subject.url}",
        description="",
        language=get_language(),
        feed_url=f"{site}{request.path}",
    )
    for one in happened:
        made.add_item(
            title=str(one.sentence),
            link=f"{site}{one.url}",
            description=one.text,
            unique_id=f"{site}/activity/#{one.key}",
            pubdate=one.at,
            updateddate=one.at,
            author_name=one.by or None,
        )
    made.latest_post_date = lambda: updated  # type: ignore[method-assign]  # an empty feed would say “now”
    return made.writeString("utf-8")
