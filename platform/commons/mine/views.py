"""My day, and my first hour."""

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_safe

from commons.mine import queries, services
from commons.mine.models import FirstHour
from commons.people.signed_in import person_of


@require_safe
@login_required
@never_cache
def today(request: HttpRequest) -> HttpResponse:
    """What is mine, and what waits for me."""
    person = person_of(request)
    parts, hour = queries.home(person), queries.hour_of(person)
    offered = queries.is_offered(person, hour)
    context = {
        "parts": parts,
        "waiting": queries.waiting(parts),
        "offered": offered,
        "walk": queries.walk(hour) if hour is not None and hour.path and offered else None,
    }
    return render(request, "mine/today.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
@never_cache
def first_hour(request: HttpRequest) -> HttpResponse:
    """The steps of my path. POST chooses a path or puts it away."""
    person = person_of(request)
    if request.method == "POST":
        if request.POST.get("do") == "dismiss":
            services.dismiss(person=person)
            messages.success(request, _("Put away. You find it again under your day."))
            return redirect("rooms:my_day")
        services.choose_path(person=person, path=request.POST.get("path", ""))
        return redirect("rooms:first_hour")
    hour = queries.hour_of(person)
    chosen = queries.walk(hour) if hour is not None and hour.path else None
    return render(request, "mine/first_hour.html", {"walk": chosen, "paths": FirstHour.Path.choices})
