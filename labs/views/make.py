"""Make it near you: where can this design be made, and which part where?"""

from typing import Any
from urllib.parse import urlencode

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import formats
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as lazy
from django.views.decorators.http import require_safe

from commons.errors import CityError
from labs.api.common import design_named
from labs.models import Lab
from labs.queries import jobs, matching
from labs.queries.near import near_of
from labs.services.bookings.create import MOST_TOGETHER
from labs.views.common import viewer

MOST = 24
#: By how much a time must be sunnier than the first free one to be named.
SUNNIER = 0.1
ORDERS = {
    "best": lazy("Best"),
    "near": lazy("Nearest"),
    "soon": lazy("Soonest"),
    "sunny": lazy("Sunniest"),
    "cheap": lazy("Cheapest"),
}


@require_safe
def make(request: HttpRequest, owner: str, slug: str) -> HttpResponse:
    """Every machine with what speaks for and against it, the best first, and a plan for a design in parts."""
    person = viewer(request)
    design = design_named(f"{owner}/{slug}", person)
    ref, material = request.GET.get("ref", "").strip()[:80], request.GET.get("material", "").strip()[:40]
    by = request.GET.get("by", "best")
    asked = matching.Asked(
        near=near_of(request),
        material=material,
        length=jobs.usual_length(design) or matching.HOUR,
        by=by if by in ORDERS else "best",
        person=person,
    )
    refusal = None
    try:
        found = matching.find(design, ref, asked=asked, most=MOST)
    except CityError as error:
        refusal, ref = error, ""
        found = matching.find(design, asked=asked, most=MOST)
    name = f"{design.owner.name}/{design.slug}"
    plan = matching.plan(found, asked.near) if found.parts else None
    makes, kwh = jobs.energy_of_design(design)
    context = {
        "design": design,
        "design_url": reverse("rooms:design", args=[design.owner.name, design.slug]),
        "found": found,
        "fitting": [_shown(match, name) for match in found.matches if match.fits],
        "against": [match for match in found.matches if not match.fits],
        "plan": plan,
        "orders": [
            (key, words, "?" + urlencode({**_kept(request), "by": key}), key == asked.by)
            for key, words in ORDERS.items()
        ],
        "all_at_once": _all_at_once(plan, name),
        "material": material,
        "materials": sorted({one for match in found.matches for one in match.machine.materials}),
        "ref": ref,
        "near": asked.near,
        "makes": makes,
        "kwh": kwh,
        "refusal": refusal,
        "released": design.releases.order_by("-created_at").first(),
        "pins": _pins([match.machine.lab for match in found.matches if match.fits]),
    }
    status = refusal.status if refusal else 200
    return render(request, "labs/make.html", context, status=status)


def _kept(request: HttpRequest) -> dict[str, str]:
    """What the address keeps when the order changes."""
    return {key: request.GET[key] for key in ("ref", "material", "lat", "lon") if request.GET.get(key)}


def _shown(match: matching.Match, name: str) -> dict[str, Any]:
    lab = match.machine.lab
    there = match.free_at.astimezone(lab.zone) if match.free_at else None
    return {
        "match": match,
        "machine": match.machine,
        "lab": lab,
        "when": f"{formats.date_format(there, 'D j.n.')} {there:%H:%M}" if there else "",
        "share": match.share,
        "sunniest": _sunniest(match),
        "price": match.price,
        "km": _km(match.distance_km),
        "url": reverse("rooms:book", args=[lab.slug, match.machine.slug]) + "?" + urlencode({"design": name}),
    }


def _sunniest(match: matching.Match) -> dict[str, Any] | None:
    """Its sunniest time of the week, where that is clearly better than the first free one."""
    best = match.best
    if best is None or best.share is None or best.share - (match.share or 0.0) < SUNNIER:
        return None
    there = best.start.astimezone(match.machine.lab.zone)
    return {"when": f"{formats.date_format(there, 'D j.n.')} {there:%H:%M}", "share": best.share}


def _all_at_once(plan: matching.Plan | None, name: str) -> str:
    """Where all machines of the plan are booked in one step; nothing where one does it."""
    machines = [machine for step in plan.steps for machine, _parts in step.machines] if plan else []
    if not 2 <= len(machines) <= MOST_TOGETHER:
        return ""
    asked = [("machine", str(machine.pk)) for machine in machines]
    return f"{reverse('rooms:book_all')}?{urlencode([*asked, ('design', name)])}"


def _km(km: float | None) -> str:
    if km is None:
        return ""
    return _("%(n)s m away") % {"n": round(km * 100) * 10} if km < 1 else _("%(n)s km away") % {"n": f"{km:.1f}"}


def _pins(labs: list[Lab]) -> list[dict[str, Any]]:
    """The labs of the list, for the map."""
    known = {lab.pk: lab for lab in labs if lab.lat is not None and lab.lon is not None}
    return [
        {"lat": lab.lat, "lon": lab.lon, "title": lab.name, "url": reverse("rooms:lab", args=[lab.slug])}
        for lab in known.values()
    ]
