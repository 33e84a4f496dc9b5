"""Calendar addresses: make, renew, remove; each is shown once."""

from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from commons.people.models import User
from labs.api.feeds import address
from labs.errors.feeds import UnknownFeed
from labs.models import FeedKey, Lab, Machine
from labs.queries import catalogue, feeds
from labs.services import feeds as services
from labs.views.common import viewer

MOST_MACHINES = 500


@never_cache
@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def calendars(request: HttpRequest) -> HttpResponse:
    """How do bookings come into my calendar? POST makes, renews or removes an address."""
    person = viewer(request)
    assert person is not None  # noqa: S101 login_required
    made = None
    if request.method == "POST":
        if request.POST.get("do") == "remove":
            services.remove_key(key=_mine(request, person))
            messages.success(request, _("Removed; the address opens nothing any more."))
            return redirect("rooms:my_calendars")
        made = _make(request, person)
    machines: dict[Lab, list[Machine]] = {}
    for machine in catalogue.machines().order_by("lab__name", "name")[:MOST_MACHINES]:
        machines.setdefault(machine.lab, []).append(machine)
    context = {
        "keys": feeds.of_person(person),
        "labs": list(machines.items()),
        "made": made,
        "asked": request.GET.get("lab", ""),
    }
    return render(request, "labs/my_calendars.html", context)


def _make(request: HttpRequest, person: User) -> dict[str, str]:
    kind, _colon, name = request.POST.get("of", "me").partition(":")
    facts: dict[str, Any] = {}
    if request.POST.get("do") == "renew":
        key = _mine(request, person)
        facts = {"machine": key.machine, "lab": key.lab}
    elif kind == "machine":
        facts = {"machine": catalogue.find_machine(pk=int(name) if name.isdecimal() and len(name) < 19 else 0)}
    elif kind == "lab":
        facts = {"lab": catalogue.find_lab(name)}
    key, secret = services.make_key(user=person, **facts)
    url = address(request, key, secret)
    title = str(key.machine or key.lab or _("My bookings"))
    return {"title": title, "url": url, "webcal": "webcal://" + url.partition("://")[2]}


def _mine(request: HttpRequest, person: User) -> FeedKey:
    number = request.POST.get("key", "")
    rows = FeedKey.objects.select_related("machine", "lab").filter(user=person)
    found = rows.filter(pk=int(number)).first() if number.isdecimal() and len(number) < 19 else None
    if found is None:
        raise UnknownFeed(_("There is no such calendar, or it is not yours."))
    return found
