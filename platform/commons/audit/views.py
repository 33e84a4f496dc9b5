"""Pages of the log: its rows for staff, its published heads for everybody."""

import datetime as dt
from urllib.parse import urlencode

from django.conf import settings
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.feedgenerator import Atom1Feed
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from commons.audit import queries
from commons.audit.forms import SearchForm
from commons.errors import NotAllowed

NEVER = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)


@require_safe
@login_required
@never_cache
def records(request: HttpRequest) -> HttpResponse:
    """Who did what with more than their own rights?"""
    if not request.user.is_staff:
        raise NotAllowed(_("Only staff read the audit log; its heads are public."))
    form = SearchForm(request.GET)
    asked = queries.Asked(**form.cleaned_data) if form.is_valid() else None
    found = queries.lines(asked) if asked else []
    shown = found[: queries.PAGE]
    older = ""
    if len(found) > queries.PAGE:
        said = {name: value for name, value in request.GET.items() if value and name in form.fields}
        older = urlencode(said | {"below": shown[-1].record.number})
    context = {"form": form, "lines": shown, "older": older}
    return render(request, "audit/records.html", context, status=200 if asked else 422)


@require_safe
def heads(request: HttpRequest) -> HttpResponse:
    """What did the city promise, day by day, not to change any more?"""
    return render(request, "audit/heads.html", {"heads": queries.heads()})


@require_safe
def heads_feed(request: HttpRequest) -> HttpResponse:
    """The same as Atom, so that others keep it."""
    published = queries.heads(60)
    page = f"{settings.PUBLIC_URL}{reverse('rooms:audit_heads')}"
    feed = Atom1Feed(
        title=_("Heads of the audit log"),
        link=page,
        description="",
        feed_url=f"{settings.PUBLIC_URL}{request.path}",
    )
    for head in published:
        feed.add_item(
            title=f"{head.day.isoformat()}: {head.number}",
            link=page,
            description=head.hash,
            unique_id=f"{page}#{head.day.isoformat()}",
            pubdate=head.at,
            updateddate=head.at,
        )
    feed.latest_post_date = lambda: published[0].at if published else NEVER  # type: ignore[method-assign]
    return HttpResponse(feed.writeString("utf-8"), content_type="application/atom+xml; charset=utf-8")
