"""Traffic of a district: parse, call, render."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from commons.errors import CityError
from commons.people.models import User
from commons.runs.models import Run
from twin import layers, pages, queries, services
from twin.errors import SignInFirst
from twin.forms_traffic import TrafficForm
from twin.models import DistrictVersion, Traffic
from twin.views.frame import frame


@require_http_methods(["GET", "HEAD", "POST"])
def traffic(request: HttpRequest, slug: str) -> HttpResponse:
    """An hour of traffic as it is reckoned, and the form that asks again with other assumptions."""
    _found, of, shared = frame(request, slug, tab="traffic")
    context = pages.traffic_page(of, request.GET.get("answer", "")) | shared
    shown: Traffic | None = context["answer"]
    form = TrafficForm(
        request.POST if request.method == "POST" else None, assumptions=shown.assumptions if shown else {}
    )
    if request.method == "POST":
        if not isinstance(request.user, User):
            raise SignInFirst(_("Sign in to ask with other assumptions; reading is open to everybody."))
        if form.is_valid() and (answer := _asked(form, of, request.user)):
            return answer
    status = 400 if form.errors else 200
    return render(request, "twin/traffic.html", context | {"form": form}, status=status)


def _asked(form: TrafficForm, of: DistrictVersion, owner: User) -> HttpResponse | None:
    """Where to look for the answer, or None with the refusal on the form."""
    try:
        found = services.ask_traffic(
            version=of, method=form.cleaned_data["method"], assumptions=form.assumptions(), owner=owner
        )
    except CityError as refusal:
        if refusal.status >= 429:
            raise
        name = str(refusal.data.get("field", ""))
        form.add_error(name if name in form.fields else None, str(refusal.sentence))
        return None
    if isinstance(found, Run):
        return redirect("rooms:run", found.pk)
    address = reverse("rooms:district-traffic", args=[of.district.slug])
    return redirect(f"{address}?version={of.number}&answer={found.pk}")


@require_safe
def traffic_picture(request: HttpRequest, slug: str, number: int) -> HttpResponse:
    """The flows drawn, as the worker left them; an answer never changes."""
    found = get_object_or_404(Traffic, pk=number, version__district=queries.district(slug))
    tag = f'"{found.pk}-{found.created_at.timestamp():.0f}"'
    if tag in request.headers.get("If-None-Match", ""):
        response = HttpResponse(status=304)
    else:
        zipped = "gzip" in request.headers.get("Accept-Encoding", "")
        body = bytes(found.picture)
        response = HttpResponse(body if zipped else layers.unpacked(body), content_type="image/svg+xml")
        if zipped:
            response["Content-Encoding"] = "gzip"
    response["ETag"] = tag
    response["Vary"] = "Accept-Encoding"
    response["Cache-Control"] = "public, max-age=3600, stale-while-revalidate=86400"
    return response
