"""Which plug or meter measures which machine or circuit? For those who run the lab."""

from collections.abc import Mapping

from django.contrib import messages
from django.db.models import Q
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from commons.devices.models import Device
from commons.devices.services import ShownCode
from commons.errors import CityError
from labs.errors import UnknownLab
from labs.models import Lab, PowerMeter
from labs.services import meters as services
from labs.views.common import page, uuid_of
from labs.views.frame import frame


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def meters(request: HttpRequest, lab: str) -> HttpResponse:
    """The lab's meters, and a form for another one; its code is shown once."""
    found, context = frame(request, lab, tab="meters")
    if not context["manages"]:
        raise UnknownLab(_("There is no such page, or it is not yours."))
    refusal, code, fields = None, None, request.POST
    if request.method == "POST":
        try:
            if fields.get("do") == "forget":
                services.forget_plug(lab=found, device=uuid_of(fields.get("device", "")))
                messages.success(request, _("The plug is let in no more."))
                return redirect(request.path)
            if fields.get("do") == "drop":
                number = fields.get("number", "")
                services.drop_meter(lab=found, number=int(number) if number.isdecimal() and len(number) < 19 else 0)
                messages.success(request, _("The meter is untied; figures that stand stay."))
                return redirect(request.path)
            context["made"], code = _add(found, fields)
        except CityError as error:
            refusal = error
    rows = PowerMeter.objects.filter(Q(machine__lab=found) | Q(circuit__lab=found))
    context |= {
        "meters": rows.select_related("device", "machine", "circuit"),
        "untied": services.untied(found),
        "machines": found.machines.order_by("name"),
        "circuits": found.circuits.prefetch_related("machines"),
        "code": code,
        "refusal": refusal,
        "asked": fields if refusal else {},
    }
    return page(request, "labs/meters.html", context, lab=found, status=refusal.status if refusal else 200)


def _add(lab: Lab, fields: Mapping[str, str]) -> tuple[Device, ShownCode]:
    """A meter of a machine, of a circuit, or of what its agent will say. Raises BadProfile, UnknownThing."""
    name = fields.get("name", "")
    if fields.get("of") == "agent":
        return services.add_plug(lab=lab, name=name)
    sort, _colon, key = fields.get("of", "").partition(":")
    number = int(key) if key.isdecimal() and len(key) < 19 else 0
    made, code = services.add_meter(
        lab=lab, name=name, class_pct=_percent(fields.get("class_pct", "")),
        machine=number if sort == "machine" else None, circuit=number if sort == "circuit" else None,
    )  # fmt: skip
    return made.device, code


def _percent(text: str) -> float:
    try:
        return float(text.replace(",", ".") or 2)
    except ValueError:
        return -1.0
