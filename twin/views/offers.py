"""Pages of things and of what people say is wrong with them."""

from typing import Any, cast

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.paginator import Paginator
from django.forms import Form
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from commons.errors import BadInput, CityError
from commons.people.models import User
from twin import pages, queries, services
from twin.engine.model import Layer
from twin.errors import ThingNotFound
from twin.forms import CorrectionForm, NewServiceForm
from twin.models import District, Offer
from twin.policies import may_decide
from twin.views.frame import frame

PAGE = 30


@require_safe
def thing(request: HttpRequest, slug: str, layer: str, key: str) -> HttpResponse:
    """What is known of a street, a service, an area or a cell."""
    found, of, shared = frame(request, slug, tab="list")
    row = queries.things(layer, of).filter(key=key).first()
    if row is None:
        raise ThingNotFound(_("There is no “%(key)s” in this district now.") % {"key": key[:120]})
    if layer == "buildings":
        return redirect("rooms:building", slug=found.slug, key=key)
    piece = request.headers.get("HX-Request") == "true"
    return render(
        request, "twin/thing_facts.html" if piece else "twin/thing.html", pages.thing_page(found, of, row) | shared
    )


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def correct(request: HttpRequest, slug: str, layer: str, key: str) -> HttpResponse:
    """Say what is wrong with a thing."""
    found, _of, shared = frame(request, slug, tab="list")
    row = queries.offers.thing(found, layer, key)
    form = CorrectionForm(
        request.POST or None, layer=cast("Layer", layer), about=row.properties, miles=pages.in_miles(found)
    )
    gone = request.POST.get("gone") == "yes"
    if request.method == "POST" and form.is_valid():
        action = Offer.Action.REMOVE if gone else Offer.Action.CHANGE
        changes = {} if gone else form.changes()
        given = {"layer": layer, "key": key, "action": action, "changes": changes}
        if _offered(request, found, form, given):
            return redirect("rooms:twin-offers", slug=found.slug)
    context = {"form": form, "row": row, "title": queries.offers.title(row), "url": pages.thing_url(found, layer, key)}
    return render(request, "twin/correct.html", shared | context, status=400 if form.errors else 200)


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def add(request: HttpRequest, slug: str) -> HttpResponse:
    """Say which service is missing."""
    found, _of, shared = frame(request, slug, tab="list")
    at = {name: request.GET.get(name, "") for name in ("lat", "lon")}
    form = NewServiceForm(request.POST or None, initial=at)
    if request.method == "POST" and form.is_valid():
        data = form.cleaned_data
        changes = {"kind": data["kind"]} | ({"name": data["name"]} if data["name"] else {})
        given = {
            "layer": "services", "action": Offer.Action.ADD, "changes": changes, "at": (data["lon"], data["lat"])
        }  # fmt: skip
        if _offered(request, found, form, given):
            return redirect("rooms:twin-offers", slug=found.slug)
    return render(request, "twin/add.html", shared | {"form": form}, status=400 if form.errors else 200)


def _offered(request: HttpRequest, found: District, form: Form, given: dict[str, Any]) -> Offer | None:
    """The offer of a valid form, or None with the refusal on the form."""
    try:
        made = services.offer(
            district=found, by=cast("User", request.user), reason=form.cleaned_data["reason"], **given
        )
    except CityError as refusal:
        where = refusal.data.get("where")
        form.add_error(where if where in form.fields else None, str(refusal.sentence))
        return None
    messages.success(request, _("Thank you. A steward looks at it, and you are told."))
    return made


@login_required
@require_safe
def offers(request: HttpRequest, slug: str) -> HttpResponse:
    """What waits for a decision; one's own offers for who decides nothing."""
    found, _of, shared = frame(request, slug, tab="versions")
    decides = may_decide(request.user)
    page = Paginator(queries.offers.offers(found, request.user), PAGE).get_page(request.GET.get("page"))
    rows = pages.offer_rows(found, list(page))
    conflicts = list(queries.offers.conflicts(found)[:100]) if decides else []
    context = {
        "page": page,
        "waiting": [row for row in rows if row["offer"].state == Offer.State.OFFERED],
        "decided": [row for row in rows if row["offer"].state != Offer.State.OFFERED],
        "conflicts": pages.conflict_rows(found, conflicts),
        "may_decide": decides,
    }
    return render(request, "twin/offers.html", shared | context)


@login_required
@require_POST
def decide_offer(request: HttpRequest, slug: str, pk: int) -> HttpResponse:
    """Accept, refuse or take back."""
    found, user = queries.district(slug), cast("User", request.user)
    mine = queries.offers.offer(found, user, pk)
    answer = request.POST.get("answer", "")
    match request.POST.get("do"):
        case "accept":
            version = services.accept(offer=mine, by=user, answer=answer)
            messages.success(request, _("Accepted: version %(n)d.") % {"n": version.number})
        case "refuse":
            services.refuse(offer=mine, by=user, answer=answer)
            messages.success(request, _("Not accepted; its author is told why."))
        case "withdraw":
            services.withdraw(offer=mine, by=user)
            messages.success(request, _("Taken back."))
        case _:
            raise BadInput(_("A correction is accepted, refused or taken back."))
    return redirect("rooms:twin-offers", slug=found.slug)


@login_required
@require_POST
def decide_conflict(request: HttpRequest, slug: str, pk: int) -> HttpResponse:
    """Keep the correction, or take what the import says."""
    found, user = queries.district(slug), cast("User", request.user)
    if not may_decide(user):
        raise ThingNotFound(_("There is no conflict of that number."))
    what = request.POST.get("do")
    if what not in ("keep", "take"):
        raise BadInput(_("Either the correction stays, or the import is taken."))
    services.decide(conflict=queries.offers.conflict(found, pk), take=what == "take", by=user)
    messages.success(request, _("The import’s word is taken.") if what == "take" else _("The correction stays."))
    return redirect("rooms:twin-offers", slug=found.slug)
