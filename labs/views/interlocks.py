"""The power of a lab's machines: how each relay is spoken to and what it said; and power for a booking."""

import uuid
from collections.abc import Callable
from typing import Any

from django import forms
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.shortcuts import redirect
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as lazy
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from commons import csv_files
from commons.errors import CityError
from commons.people.models import User
from labs.errors import UnknownLab, UnknownMachine
from labs.errors.interlocks import BadInterlock
from labs.models import Interlock, InterlockCommand, Lab, Machine, Mending
from labs.queries import interlocks
from labs.services import interlocks as services
from labs.views.common import page, uuid_of, viewer
from labs.views.frame import frame
from labs.views.one_booking import found_or_404

MOST_SHOWN, MOST_ROWS = 60, 100_000


class InterlockForm(forms.Form):
    """How a relay is spoken to."""

    driver = forms.ChoiceField(label=lazy("Kind of relay"), choices=Interlock.Driver.choices)
    url = forms.CharField(
        label=lazy("Address"),
        required=False,
        max_length=200,
        help_text=lazy("http://192.168.20.5 of a Shelly or Tasmota, mqtt://host of a broker, modbus://host"),
    )
    channel = forms.IntegerField(
        label=lazy("Channel"),
        required=False,
        min_value=0,
        max_value=255,
        help_text=lazy("Shelly and Modbus count from 0, Tasmota from 1."),
    )
    username = forms.CharField(label=lazy("Name"), required=False, max_length=64)
    password = forms.CharField(
        label=lazy("Password"),
        required=False,
        max_length=200,
        widget=forms.PasswordInput(attrs={"autocomplete": "off"}),
        help_text=lazy("Empty: as it is. It is not shown again."),
    )
    ca = forms.CharField(
        label=lazy("Certificate of its authority (https, mqtts)"),
        required=False,
        max_length=16_000,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text=lazy("PEM, where the relay's certificate is signed by an authority of the lab's own."),
    )
    topic = forms.CharField(label=lazy("Topic (MQTT)"), required=False, max_length=120)
    dialect = forms.ChoiceField(
        label=lazy("What it understands (MQTT)"),
        choices=[("plain", lazy("our own plain messages")), ("tasmota", "Tasmota")],
        required=False,
    )
    unit = forms.IntegerField(label=lazy("Unit (Modbus)"), required=False, min_value=0, max_value=247)
    timer = forms.IntegerField(
        label=lazy("Register of its timer (Modbus)"), required=False, min_value=0, max_value=65_535
    )
    without_timer = forms.BooleanField(
        label=lazy("It has no timer, and the machine is safe with its power on (Modbus)"), required=False
    )
    hold_s = forms.IntegerField(
        label=lazy("It opens by itself after, seconds"), min_value=60, max_value=3600, initial=180
    )
    grace_s = forms.IntegerField(
        label=lazy("Power left after a booking, seconds"), min_value=0, max_value=1800, initial=60
    )
    in_use = forms.BooleanField(label=lazy("In use"), required=False, initial=True)

    def asked(self) -> dict[str, Any]:
        """What the service takes."""
        names = ("channel", "ca", "topic", "dialect", "unit", "timer", "without_timer")
        given = dict(self.cleaned_data)
        options = {name: given.pop(name) for name in names}
        return {**given, "options": options, "password": given["password"] or None}


def _managed(request: HttpRequest, slug: str) -> tuple[Lab, User, dict[str, Any]]:
    lab, context = frame(request, slug, tab="interlocks")
    person = viewer(request)
    if person is None or not context["manages"]:
        raise UnknownLab(_("There is no such page, or it is not yours."))
    return lab, person, context


@login_required
@require_GET
def lab_interlocks(request: HttpRequest, lab: str) -> HttpResponse:
    """Which machine has power now, and for whom?"""
    found, _person, context = _managed(request, lab)
    context["machines"] = interlocks.of_lab(found)
    rows = InterlockCommand.objects.filter(machine__lab=found).exclude(what__in=["hold", "read"])
    context["commands"] = rows.select_related("machine").prefetch_related("person")[:MOST_SHOWN]
    return page(request, "labs/interlocks.html", context, lab=found)


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def one(request: HttpRequest, lab: str, machine: str) -> HttpResponse:
    """How does this machine get its power? POST sets it up, locks it out, frees it, asks its relay."""
    found, person, context = _managed(request, lab)
    here = Machine.objects.filter(lab=found, slug=machine).select_related("lab__place").first()
    if here is None:
        raise UnknownMachine(_("There is no such machine."))
    held = Interlock.objects.filter(machine=here).first()
    do = request.POST.get("do", "")
    form = InterlockForm(request.POST if do == "set" else None, initial=_initial(held))
    if request.method == "POST":
        try:
            said = _do(request, here, held, person, form)
            if said:
                messages.success(request, said)
                return redirect("rooms:lab_interlock", found.slug, here.slug)
        except CityError as refusal:
            context["refusal"] = refusal
    rows = InterlockCommand.objects.filter(machine=here).prefetch_related("person")
    context |= {"machine": here, "interlock": held, "form": form, "commands": rows[:MOST_SHOWN]}
    context["mendings"] = interlocks.mendings(here, timezone.now())
    context["down"] = interlocks.is_down(here, timezone.now())
    context["why"] = interlocks.words(interlocks.wish(held, timezone.now()).why) if held else ""
    status = context["refusal"].status if context.get("refusal") else 200
    return page(request, "labs/interlock.html", context, lab=found, status=status)


def _initial(held: Interlock | None) -> dict[str, Any]:
    if held is None:
        return {}
    names = ("driver", "url", "username", "hold_s", "grace_s", "in_use")
    return {**{name: getattr(held, name) for name in names}, **held.options}


def _do(request: HttpRequest, machine: Machine, held: Interlock | None, person: User, form: InterlockForm) -> str:
    """Do what the form asks, and say that it is done; nothing when the form cannot be read."""
    do = request.POST.get("do", "")
    if do == "set" and form.is_valid():
        services.set_interlock(machine=machine, by=person, **form.asked())
        return _("The interlock is set up; the relay is asked now.")
    if held is None:
        return ""
    deeds: dict[str, Callable[[], str]] = {
        "lock": lambda: _lock(held, person, request.POST.get("reason", "")),
        "free": lambda: _free(held, person),
        "ask": lambda: _ask(held),
        "remove": lambda: _remove(held, person),
        "lend": lambda: _lend(request, held, person),
        "take-back": lambda: _take_back(request, held, person),
    }
    return deeds[do]() if do in deeds else ""


def _lock(held: Interlock, person: User, reason: str) -> str:
    services.lock_out(interlock=held, by=person, reason=reason)
    return _("%(machine)s is locked out: its power goes off now.") % {"machine": held.machine.name}


def _free(held: Interlock, person: User) -> str:
    services.free(interlock=held, by=person)
    return _("The lock is off. Nothing is switched on by it.")


def _ask(held: Interlock) -> str:
    services.ask_relay(interlock=held)
    return _("The relay is asked; look again in a moment.")


def _remove(held: Interlock, person: User) -> str:
    services.remove(interlock=held, by=person)
    return _("The interlock is taken away; what was said to it stays.")


def _lend(request: HttpRequest, held: Interlock, by: User) -> str:
    fields = request.POST
    person = User.objects.filter(username=fields.get("person", "").strip().lower(), is_active=True).first()
    text = fields.get("minutes", "")
    if person is None:
        raise BadInterlock(_("There is no account “%(name)s”.") % {"name": fields.get("person", "")[:40]})
    minutes = int(text) if text.isdecimal() and len(text) < 6 else 0
    services.let_mend(machine=held.machine, person=person, by=by, minutes=minutes, reason=fields.get("reason", ""))
    return _("%(person)s may switch it on to mend it.") % {"person": person}


def _take_back(request: HttpRequest, held: Interlock, by: User) -> str:
    key = uuid_of(request.POST.get("mending", ""))
    row = Mending.objects.filter(pk=key, machine=held.machine_id).first() if key else None
    if row is None:
        return ""
    services.end_mending(mending=row, by=by)
    return _("Taken back: its power goes off now.")


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def mending(request: HttpRequest, mending: uuid.UUID) -> HttpResponse:
    """May I switch this machine on to mend it? POST does it, or ends it."""
    person, refusal = viewer(request), None
    found = interlocks.mending_for(person, mending)
    if request.method == "POST" and person is not None:
        try:
            if request.POST.get("do") == "end":
                services.end_mending(mending=found, by=person)
                messages.success(request, _("Ended: its power goes off now."))
            else:
                services.power_to_mend(mending=found, by=person)
                messages.success(request, _("Power is asked for; the machine has it in a moment."))
            return redirect("rooms:mending", found.pk)
        except CityError as error:
            refusal = error
    machine = found.machine
    context = {
        "mending": found,
        "machine": machine,
        "lab": machine.lab,
        "refusal": refusal,
        "interlock": Interlock.objects.filter(machine=machine, in_use=True).first(),
        "lasts": found.ended_at is None and found.until > timezone.now(),
        "mine": person is not None and found.person_id == person.pk,
    }
    return page(request, "labs/mending.html", context, lab=machine.lab, status=refusal.status if refusal else 200)


@login_required
@require_GET
def commands(request: HttpRequest, lab: str) -> StreamingHttpResponse:
    """Every word that was said to the relays of the lab, for a spreadsheet."""
    found, _person, _context = _managed(request, lab)
    rows = InterlockCommand.objects.filter(machine__lab=found).select_related("machine").prefetch_related("person")
    columns = ["at", "machine", "what", "why", "answer", "sentence", "driver", "for_s", "took_ms", "booking", "person"]
    lines = (
        [
            row.at.isoformat(),
            row.machine.slug,
            row.what,
            row.why,
            row.answer,
            row.sentence,
            row.driver,
            str(row.for_s),
            str(row.took_ms),
            str(row.booking or ""),
            row.person.username if row.person else "",
        ]
        for row in rows[:MOST_ROWS].iterator(chunk_size=500)
    )
    return csv_files.answer(f"{found.slug}-power", columns, lines)


@login_required
@require_POST
def power(request: HttpRequest, booking: uuid.UUID) -> HttpResponse:
    """Power for my booking, again."""
    found, person = found_or_404(request, booking)
    try:
        services.ask_power(booking=found, by=person)
        messages.success(request, _("Power is asked for; the machine has it in a moment."))
    except CityError as refusal:
        messages.error(request, str(refusal.sentence))
    return redirect("rooms:booking", found.pk)
