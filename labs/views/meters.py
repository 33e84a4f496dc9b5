"""Which plug or meter measures which machine or circuit? For those who run the lab."""

from collections.abc import Mapping

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from commons.devices.models import Device
from commons.devices.services import ShownCode
from commons.errors import CityError
from labs.errors import UnknownLab
from labs.models import Lab
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
            if fields.get("do") == "tie":
                _tie(found, fields)
                messages.success(request, _("Kept; figures that stand stay."))
                return redirect(request.path)
            context["made"], code = _add(found, fields)
        except CityError as error:
            refusal = error
    context |= {
        "meters": services.of_lab(found),
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
    machine, circuit = _measured(fields)
    made, code = services.add_meter(
        lab=lab, name=name, class_pct=_percent(fields.get("class_pct", "")), machine=machine, circuit=circuit
    )
    return made.device, code


def _tie(lab: Lab, fields: Mapping[str, str]) -> None:
    """What a plug that is there measures. Raises BadProfile, UnknownThing."""
    device = uuid_of(fields.get("device", ""))
    if fields.get("of") == "agent":
        services.leave_to_agent(lab=lab, device=device)
        return
    machine, circuit = _measured(fields)
    services.tie(lab=lab, device=device, machine=machine, circuit=circuit)


def _measured(fields: Mapping[str, str]) -> tuple[int | None, int | None]:
    """The number of the machine or that of the circuit that was chosen."""
    sort, _colon, key = fields.get("of", "").partition(":")
    number = int(key) if key.isdecimal() and len(key) < 19 else 0
    return number if sort == "machine" else None, number if sort == "circuit" else None


def _percent(text: str) -> float:
    try:
        return float(text.replace(",", ".") or 2)
    except ValueError:
        return -1.0
