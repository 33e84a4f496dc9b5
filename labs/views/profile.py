"""A lab's profile, people, consumables and settings; the facts, photos and manuals of its machines."""

from collections.abc import Callable
from decimal import Decimal
from typing import Any

from django import forms
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import FileResponse, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as lazy
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from commons.errors import CityError, NotAllowed
from commons.people.models import User
from labs import policies
from labs.engine import hours
from labs.errors import BadHours, UnknownLab, UnknownMachine
from labs.errors.catalogue import UnknownThing
from labs.models import Backer, Badge, Circuit, Joining, Lab, Machine, MachinePhoto, Manual, StockEntry
from labs.queries import catalogue, opening
from labs.queries import profile as queries
from labs.services import equipment, members, profile, stock
from labs.views.common import page, viewer
from labs.views.frame import around, frame

DAYS = dict(
    zip(
        hours.DAYS,
        (
            lazy("Monday"),
            lazy("Tuesday"),
            lazy("Wednesday"),
            lazy("Thursday"),
            lazy("Friday"),
            lazy("Saturday"),
            lazy("Sunday"),
        ),
        strict=True,
    )
)


def _lines(rows: int) -> forms.Textarea:
    return forms.Textarea(attrs={"rows": rows})


class LabForm(forms.Form):
    """What a lab tells of itself."""

    name = forms.CharField(label=lazy("Name"), max_length=120)
    about = forms.CharField(label=lazy("What it is"), required=False, max_length=4000, widget=_lines(3))
    address = forms.CharField(label=lazy("Address"), max_length=200, required=False)
    directions = forms.CharField(label=lazy("How to find it"), required=False, max_length=2000, widget=_lines(2))
    lat = forms.FloatField(label=lazy("Latitude"), required=False, min_value=-90, max_value=90)
    lon = forms.FloatField(label=lazy("Longitude"), required=False, min_value=-180, max_value=180)
    access = forms.ChoiceField(label=lazy("Who may use it"), choices=Lab.Access.choices)
    status = forms.ChoiceField(label=lazy("State"), choices=Lab.Status.choices)
    house_rules = forms.CharField(
        label=lazy("Its rules, in plain words"), required=False, max_length=8000, widget=_lines(5)
    )
    wheelchair = forms.CharField(label=lazy("With a wheelchair"), max_length=200, required=False)
    email = forms.EmailField(label=lazy("E-mail"), required=False)
    phone = forms.CharField(label=lazy("Phone"), max_length=40, required=False)
    website = forms.URLField(label=lazy("Web page"), required=False, assume_scheme="https")
    languages = forms.CharField(label=lazy("Languages, with commas: en, fi"), max_length=120, required=False)
    takes_orders = forms.BooleanField(label=lazy("It makes things for others on order"), required=False)

    def clean_languages(self) -> list[str]:
        """Codes of languages."""
        words = [word.strip().lower() for word in self.cleaned_data["languages"].split(",") if word.strip()]
        if any(len(word) > 16 or not word.replace("-", "").isalpha() for word in words):
            raise forms.ValidationError(_("Write codes such as en or fi, with commas."))
        return words


class HoursForm(forms.Form):
    """The week, a line for each day."""

    always = forms.BooleanField(label=lazy("Open at any hour"), required=False)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for day, name in DAYS.items():
            self.fields[day] = forms.CharField(label=name, max_length=120, required=False)

    def clean(self) -> dict[str, Any]:
        """The week as the lab keeps it."""
        found = super().clean() or {}
        week = {}
        for day in DAYS:
            try:
                spans = hours.read_day(found.get(day, ""))
            except ValueError as piece:
                words = {"piece": piece}
                self.add_error(day, _("“%(piece)s” cannot be read; write 09:00–21:00.") % words)
            else:
                week[day] = spans
        found["week"] = {} if found.get("always") else {day: spans for day, spans in week.items() if spans}
        if not found["week"] and not found.get("always"):
            self.add_error("always", _("Give the hours of a day, or say that it is open at any hour."))
        return found


class MachineForm(forms.Form):
    """The facts of a machine."""

    name = forms.CharField(label=lazy("Name"), max_length=120)
    cls = forms.ChoiceField(label=lazy("Kind"), choices=Machine.Kind.choices)
    process = forms.ChoiceField(label=lazy("Process"), choices=Machine.Process.choices)
    maker = forms.CharField(label=lazy("Made by"), max_length=120, required=False)
    model = forms.CharField(label=lazy("Model"), max_length=120, required=False)
    about = forms.CharField(label=lazy("What to know"), max_length=4000, required=False, widget=_lines(3))
    volume_x_mm = forms.FloatField(label=lazy("Width that fits, mm"), min_value=1, required=False)
    volume_y_mm = forms.FloatField(label=lazy("Depth that fits, mm"), min_value=1, required=False)
    volume_z_mm = forms.FloatField(label=lazy("Height that fits, mm"), min_value=1, required=False)
    tolerance_mm = forms.FloatField(label=lazy("Tolerance, ± mm"), min_value=0.001, required=False)
    materials = forms.CharField(label=lazy("Materials, with commas"), max_length=600, required=False)
    rated_w = forms.IntegerField(label=lazy("Highest power, W"), min_value=1, max_value=1_000_000, required=False)
    circuit = forms.ModelChoiceField(
        label=lazy("Circuit"), queryset=Circuit.objects.none(), required=False, empty_label=lazy("Not said")
    )
    buffer_before_min = forms.IntegerField(label=lazy("Kept free before, min"), min_value=0, max_value=600)
    buffer_after_min = forms.IntegerField(label=lazy("Kept free after, min"), min_value=0, max_value=600)
    longest_h = forms.IntegerField(label=lazy("Longest booking, h"), min_value=1, max_value=720)
    required_badges = forms.ModelMultipleChoiceField(
        label=lazy("Badges it asks for"),
        queryset=Badge.objects.none(),
        required=False,
        widget=forms.CheckboxSelectMultiple,
    )
    unattended = forms.BooleanField(label=lazy("It may work while the lab is closed"), required=False)
    takes_commands = forms.BooleanField(
        label=lazy("Who has it booked and is checked in may send files to it and steer it from the booking's page"),
        required=False,
    )

    def __init__(self, *args: Any, lab: Lab, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["required_badges"].queryset = catalogue.badges_of(lab)  # type: ignore[attr-defined]
        self.fields["circuit"].queryset = lab.circuits.all()  # type: ignore[attr-defined]

    def clean_materials(self) -> list[str]:
        """One word for each."""
        return [word.strip() for word in self.cleaned_data["materials"].split(",") if word.strip()]


@require_safe
def about(request: HttpRequest, lab: str) -> HttpResponse:
    """What is this lab: its rules, hours, people, way and who stands behind it."""
    found, context = frame(request, lab, tab="about")
    person, now = viewer(request), timezone.now()
    coming = opening.coming(found, queries.today(found, now))
    context |= {
        "week": queries.week(found),
        "coming": [(row, hours.write_day(row.spans)) for row in coming],
        "backers": found.backers.select_related("organisation__handle"),
        "team": [m for m in queries.people(found) if m.role in policies.TRAINING],
        "count": found.organisation.memberships.count(),
        "joining": queries.joining_of(found, person),
        "may_ask": person is not None and not context["fellow"] and found.access != Lab.Access.RESTRICTED,
        "pins": [pin for pin in catalogue.pins() if pin["title"] == found.name],
    }
    return page(request, "labs/about.html", context, lab=found)


@require_POST
@login_required
def join(request: HttpRequest, lab: str) -> HttpResponse:
    """Ask to join, answer an invitation, take a request back, or leave."""
    found, person = catalogue.find_lab(lab), viewer(request)
    assert person is not None  # noqa: S101 login_required
    do = request.POST.get("do", "")
    try:
        mine = queries.joining_of(found, person)
        if do == "leave":
            members.leave(lab=found, user=person)
            messages.success(request, _("You have left %(lab)s.") % {"lab": found.name})
        elif do == "withdraw" and mine is not None and mine.kind == Joining.Kind.ASKED:
            members.withdraw(joining=mine)
            messages.success(request, _("Your request is taken back."))
        elif do in {"accept", "decline"} and mine is not None and mine.kind == Joining.Kind.INVITED:
            members.answer(joining=mine, by=person, accept=do == "accept")
            words = _("You belong to %(lab)s now.") if do == "accept" else _("You have declined.")
            messages.success(request, words % {"lab": found.name})
        elif do == "ask":
            members.ask_to_join(lab=found, user=person, note=request.POST.get("note", ""))
            messages.success(request, _("The managers of %(lab)s will answer.") % {"lab": found.name})
    except CityError as refusal:
        messages.error(request, str(refusal.sentence))
    return redirect("rooms:lab_about", found.slug)


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def people(request: HttpRequest, lab: str) -> HttpResponse:
    """Who belongs to the lab? For its own people; managers invite, answer and change roles."""
    found, context = frame(request, lab, tab="people")
    person = viewer(request)
    if not context["fellow"] or person is None:
        raise UnknownLab(_("There is no such page, or it is not yours."))
    refusal: CityError | None = None
    if request.method == "POST":
        if not context["manages"]:
            raise UnknownLab(_("There is no such page, or it is not yours."))
        try:
            _people(request, found, person)
        except CityError as error:
            refusal = error
        else:
            return redirect("rooms:lab_people", found.slug)
    context |= {
        "people": queries.people(found),
        "waiting": queries.open_joinings(found) if context["manages"] else [],
        "roles": [(role.value, role.label) for role in members.ROLES],
        "refusal": refusal,
        "typed": request.POST,
    }
    return page(request, "labs/people.html", context, lab=found, status=refusal.status if refusal else 200)


def _people(request: HttpRequest, lab: Lab, by: User) -> None:
    """Do what a form of the people's page asks."""
    do, role = request.POST.get("do", ""), request.POST.get("role", "member")
    if do in {"accept", "decline"}:
        joining = queries.find_joining(lab, request.POST.get("joining", ""))
        if joining.kind == Joining.Kind.ASKED:
            members.answer(joining=joining, by=by, accept=do == "accept")
        return
    if do == "withdraw":
        joining = queries.find_joining(lab, request.POST.get("joining", ""))
        if joining.kind == Joining.Kind.INVITED:
            members.withdraw(joining=joining)
        return
    name = request.POST.get("person", "").strip().lower()
    user = User.objects.filter(username=name, is_active=True).first()
    if user is None:
        raise UnknownThing(_("There is no account “%(name)s”.") % {"name": name[:40]})
    if do == "invite":
        members.invite(lab=lab, user=user, by=by, role=role, note=request.POST.get("note", ""))
    elif do == "role":
        members.change_role(lab=lab, user=user, role=role)
    elif do == "end":
        members.leave(lab=lab, user=user)


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def settings(request: HttpRequest, lab: str) -> HttpResponse:
    """What does the lab tell of itself? For its managers."""
    found, context = frame(request, lab, tab="settings")
    if not context["manages"]:
        raise UnknownLab(_("There is no such page, or it is not yours."))
    do = request.POST.get("do", "")
    told = {name: getattr(found, name) for name in LabForm.base_fields} | {"languages": ", ".join(found.languages)}
    week = {day: hours.write_day(found.opening_hours.get(day, ())) for day in DAYS}
    lab_form = LabForm(request.POST if do == "lab" else None, initial=told)
    hours_form = HoursForm(request.POST if do == "hours" else None, initial={**week, "always": not found.opening_hours})
    refusal: CityError | None = None
    if request.method == "POST":
        try:
            if _settings(request, found, do, lab_form, hours_form):
                messages.success(request, _("Saved."))
                return redirect("rooms:lab_settings", found.slug)
        except CityError as error:
            refusal = error
    exceptions = found.opening_exceptions.filter(last__gte=queries.today(found, timezone.now()))
    context |= {
        "lab_form": lab_form,
        "hours_form": hours_form,
        "exceptions": [(row, hours.write_day(row.spans)) for row in exceptions],
        "circuits": found.circuits.prefetch_related("machines"),
        "machines": found.machines.all(),
        "backers": found.backers.select_related("organisation"),
        "parts": Backer.Part.choices,
        "refusal": refusal,
    }
    return page(request, "labs/settings.html", context, lab=found, status=refusal.status if refusal else 200)


def _settings(request: HttpRequest, lab: Lab, do: str, lab_form: LabForm, hours_form: HoursForm) -> bool:
    """Do what a form of the settings asks; False shows the page again with what is wrong."""
    if do == "lab":
        if lab_form.is_valid():
            profile.change_lab(lab=lab, **lab_form.cleaned_data)
        return lab_form.is_valid()
    if do == "hours":
        if hours_form.is_valid():
            profile.change_lab(lab=lab, opening_hours=hours_form.cleaned_data["week"])
        return hours_form.is_valid()
    doing: dict[str, Callable[[HttpRequest, Lab], object]] = {
        "exception": _exception,
        "circuit": _circuit,
        "backer": _backer,
        "drop-exception": lambda r, one: profile.remove_exception(lab=one, number=_number(r)),
        "drop-circuit": lambda r, one: profile.remove_circuit(lab=one, number=_number(r)),
        "drop-backer": lambda r, one: profile.remove_backer(lab=one, number=_number(r)),
    }
    if do not in doing:
        return False
    doing[do](request, lab)
    return True


def _exception(request: HttpRequest, lab: Lab) -> None:
    try:
        day = forms.DateField(required=False)
        first, last = (day.clean(request.POST.get(name) or None) for name in ("first", "last"))
    except forms.ValidationError as wrong:
        raise BadHours(" ".join(wrong.messages)) from None
    if first is None:
        raise BadHours(_("Say from which day."))
    try:
        spans = hours.read_day(request.POST.get("hours", "")[:120])
    except ValueError as piece:
        raise BadHours(_("“%(piece)s” cannot be read; write 10:00–16:00.") % {"piece": piece}) from None
    profile.add_exception(lab=lab, first=first, last=last, spans=spans, note=request.POST.get("note", "").strip())


def _circuit(request: HttpRequest, lab: Lab) -> None:
    limit = request.POST.get("limit_w", "")
    machines = [int(key) for key in request.POST.getlist("machines") if key.isdecimal() and len(key) < 19]
    profile.add_circuit(
        lab=lab,
        name=request.POST.get("name", ""),
        limit_w=int(limit) if limit.isdecimal() and len(limit) < 9 else 0,
        machines=machines,
    )


def _backer(request: HttpRequest, lab: Lab) -> None:
    url = request.POST.get("url", "").strip()
    if url:
        try:
            url = forms.URLField(assume_scheme="https").clean(url)
        except forms.ValidationError:
            raise UnknownThing(_("That is no web address.")) from None
    profile.add_backer(
        lab=lab,
        name=request.POST.get("name", ""),
        handle=request.POST.get("handle", ""),
        url=url,
        part=request.POST.get("part", ""),
    )


def _number(request: HttpRequest, name: str = "number") -> int:
    text = request.POST.get(name, "")
    return int(text) if text.isdecimal() and len(text) < 19 else 0


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def consumables(request: HttpRequest, lab: str) -> HttpResponse:
    """What is left of what machines use up? For the lab's people, who also write down what they used."""
    found, context = frame(request, lab, tab="consumables")
    person = viewer(request)
    if not context["fellow"] or person is None:
        raise UnknownLab(_("There is no such page, or it is not yours."))
    refusal: CityError | None = None
    if request.method == "POST":
        try:
            _stock(request, found, person, trains=context["standing"].trains)
        except CityError as error:
            refusal = error
        else:
            return redirect("rooms:lab_consumables", found.slug)
    context |= {
        "rows": queries.consumables(found),
        "entries": StockEntry.objects.filter(consumable__lab=found).select_related("consumable", "by")[:30],
        "machines": found.machines.all(),
        "refusal": refusal,
    }
    return page(request, "labs/consumables.html", context, lab=found, status=refusal.status if refusal else 200)


def _stock(request: HttpRequest, lab: Lab, by: User, *, trains: bool) -> None:
    """Write down what was used; who trains also adds and counts. Raises NotAllowed."""
    amount = forms.DecimalField(required=False, max_digits=12, decimal_places=3)
    try:
        number = amount.clean(request.POST.get("amount", "").replace(",", "."))
    except forms.ValidationError:
        number = None
    do = request.POST.get("do", "")
    if do != "used" and not trains:
        raise NotAllowed(_("Only those who run %(lab)s do that.") % {"lab": lab.name})
    if do == "add":
        machines = [int(key) for key in request.POST.getlist("machines") if key.isdecimal() and len(key) < 19]
        stock.add_consumable(
            lab=lab,
            name=request.POST.get("name", ""),
            unit=request.POST.get("unit", ""),
            low=number or Decimal(0),
            where=request.POST.get("where", ""),
            machines=list(lab.machines.filter(pk__in=machines)),
        )
    elif do in {"used", "came", "counted"}:
        held = queries.find_consumable(lab, request.POST.get("consumable", ""))
        told = Decimal(-1) if number is None else number
        stock.enter(consumable=held, why=do, amount=told, by=by, note=request.POST.get("note", ""))


# --- machines ----------------------------------------------------------------------------------------------------


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def edit_machine(request: HttpRequest, lab: str, machine: str) -> HttpResponse:
    """The facts, photos and manuals of a machine, for the lab's managers."""
    found, person = catalogue.find_machine(lab=lab, slug=machine), viewer(request)
    if person is None or not policies.may_manage(person, found.lab):
        raise UnknownMachine(_("There is no such page, or it is not yours."))
    do = request.POST.get("do", "")
    told = {name: getattr(found, name) for name in MachineForm.base_fields if name != "required_badges"}
    told |= {"materials": ", ".join(found.materials), "required_badges": found.required_badges.all()}
    form = MachineForm(request.POST if do == "facts" else None, initial=told, lab=found.lab)
    refusal: CityError | None = None
    if request.method == "POST":
        try:
            if _machine(request, found, person, do, form):
                messages.success(request, _("Saved."))
                return redirect("rooms:machine_edit", found.lab.slug, found.slug)
        except CityError as error:
            refusal = error
    context = {
        "lab": found.lab,
        **around(found.lab, person, tab="machines"),
        "machine": found,
        "form": form,
        "photos": found.photos.all(),
        "manuals": found.manuals.all(),
        "refusal": refusal,
    }
    return page(request, "labs/machine_edit.html", context, lab=found.lab, status=refusal.status if refusal else 200)


def _machine(request: HttpRequest, machine: Machine, by: User, do: str, form: MachineForm) -> bool:
    """Do what a form of the machine's page asks; False shows it again with what is wrong."""
    if do == "facts":
        if form.is_valid():
            equipment.change_machine(machine=machine, **form.cleaned_data)
        return form.is_valid()
    if do == "photo":
        sent = request.FILES.get("photo")
        if sent is None:
            raise UnknownThing(_("Choose a photo first."))
        equipment.add_photo(machine=machine, sent=sent, by=by, words=request.POST.get("words", ""))
    elif do == "manual":
        url = request.POST.get("url", "").strip()
        try:
            url = forms.URLField(assume_scheme="https").clean(url) if url else ""
        except forms.ValidationError:
            raise UnknownThing(_("That is no web address.")) from None
        sent = request.FILES.get("file")
        equipment.add_manual(machine=machine, title=request.POST.get("title", ""), by=by, url=url, sent=sent)
    elif do == "drop-photo":
        for photo in machine.photos.filter(pk=_number(request)):
            equipment.remove_photo(photo=photo)
    elif do == "drop-manual":
        for manual in machine.manuals.filter(pk=_number(request)):
            equipment.remove_manual(manual=manual)
    else:
        return False
    return True


@require_safe
def photo(request: HttpRequest, lab: str, machine: str, name: str, size: str) -> HttpResponseBase:
    """A photo of a machine, as we drew it."""
    found = catalogue.find_machine(lab=lab, slug=machine)
    row = found.photos.filter(name=name, state=MachinePhoto.State.READY).first()
    path = equipment.picture_path(name, size) if row else None
    if path is None or not path.is_file():
        raise UnknownThing(_("There is no such photo."))
    answer = FileResponse(path.open("rb"), content_type="image/jpeg")
    answer["Cache-Control"] = "public, max-age=86400"
    return answer


@require_safe
def manual(request: HttpRequest, lab: str, machine: str, number: int) -> HttpResponseBase:
    """A manual that was sent, always as a download: it is a stranger's file."""
    found = catalogue.find_machine(lab=lab, slug=machine)
    row = Manual.objects.filter(machine=found, pk=number).exclude(name="").first()
    path = equipment.manual_path(row) if row else None
    if row is None or path is None or not path.is_file():
        raise UnknownThing(_("There is no such manual."))
    answer = FileResponse(path.open("rb"), as_attachment=True, filename=f"{found.slug}-{row.pk}.pdf")
    answer["Content-Type"] = "application/pdf"
    answer["X-Content-Type-Options"] = "nosniff"
    answer["Content-Security-Policy"] = "sandbox"
    return answer
