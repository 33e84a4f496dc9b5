"""Opening a lab by oneself: say what it is, look at it, open it."""

import uuid
from typing import Any

from django import forms
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as lazy
from django.views.decorators.http import require_http_methods

from commons.errors import CityError
from commons.people.models import Membership, Organisation, User
from commons.places.models import Place
from labs.engine import hours
from labs.errors.ties import BadDraft
from labs.models import Lab, LabDraft, Machine
from labs.policies import MANAGING
from labs.queries import ties as reads
from labs.services import drafts
from labs.views.common import viewer
from labs.views.profile import DAYS, HoursForm

WEEKDAYS, WEEKEND = tuple(DAYS)[:5], tuple(DAYS)[5:]


class DraftForm(forms.Form):
    """What a lab is, where it is, and its first machine."""

    name = forms.CharField(label=lazy("Name of the lab"), max_length=120)
    organisation = forms.ChoiceField(label=lazy("Who runs it"), required=False)
    handle = forms.CharField(
        label=lazy("Its address here, if a new one runs it"),
        max_length=39,
        required=False,
        help_text=lazy("letters a–z, digits and single hyphens; empty: made from the name"),
    )
    about = forms.CharField(
        label=lazy("What it is"), required=False, max_length=4000, widget=forms.Textarea(attrs={"rows": 3})
    )
    place = forms.ModelChoiceField(
        label=lazy("Neighbourhood"),
        queryset=Place.objects.order_by("name"),
        required=False,
        to_field_name="slug",
        empty_label=lazy("none of these"),
    )
    address = forms.CharField(label=lazy("Street address"), max_length=200, required=False)
    lat = forms.FloatField(label=lazy("Latitude, for the map"), required=False, min_value=-90, max_value=90)
    lon = forms.FloatField(label=lazy("Longitude, for the map"), required=False, min_value=-180, max_value=180)
    access = forms.ChoiceField(label=lazy("Who may use it"), choices=Lab.Access.choices)
    email = forms.EmailField(label=lazy("E-mail"), required=False)
    machine = forms.CharField(label=lazy("First machine"), max_length=120, required=False)
    cls = forms.ChoiceField(label=lazy("Its kind"), choices=Machine.Kind.choices, required=False)
    model = forms.CharField(label=lazy("Make and model"), max_length=120, required=False)
    rated_w = forms.IntegerField(
        label=lazy("Its highest power, W"), min_value=1, max_value=drafts.MOST_W, required=False
    )

    def __init__(self, *args: Any, person: User, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        own = Organisation.objects.filter(
            memberships__in=Membership.objects.filter(user=person, role__in=MANAGING), lab=None
        )
        rows = [(one.handle.name, one.name) for one in own.select_related("handle").order_by("name")]
        self.fields["organisation"].choices = [("", _("a new organisation of the lab's name")), *rows]  # type: ignore[attr-defined]

    def facts(self) -> dict[str, Any]:
        """What was typed, as the service takes it."""
        told = dict(self.cleaned_data)
        machine = {"name": told.pop("machine"), "cls": told.pop("cls"), "model": told.pop("model")}
        watts, place = told.pop("rated_w"), told.pop("place")
        if watts:
            machine["rated_w"] = watts
        told["place"] = place.slug if place is not None else ""
        if told["organisation"] or not told["handle"]:
            told.pop("handle")
        return told | {"machine": machine if machine["name"] else None}


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def new(request: HttpRequest) -> HttpResponse:
    """How do I open a lab? POST makes a draft that its makers alone see."""
    return _edit(request, None)


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def draft(request: HttpRequest, draft: uuid.UUID) -> HttpResponse:
    """Is it as it should be? Its makers change it, add others, open or discard it."""
    person = viewer(request)
    assert person is not None  # noqa: S101 login_required
    found = reads.find_draft(draft, person)
    do = request.POST.get("do", "save")
    if request.method != "POST" or do == "save":
        return _edit(request, found)
    try:
        return _done(request, found, person, do)
    except CityError as refusal:
        return _shown(request, found, person, DraftForm(initial=_typed(found), person=person), _week(found), refusal)


def _done(request: HttpRequest, found: LabDraft, person: User, do: str) -> HttpResponse:
    if do == "publish":
        lab = drafts.publish(draft=found, by=person)
        messages.success(request, _("%(lab)s is open. Say next whose power it shares.") % {"lab": lab.name})
        return redirect("rooms:lab_desk", lab.slug)
    if do == "discard":
        drafts.discard(draft=found)
        messages.success(request, _("The draft is gone."))
        return redirect("rooms:lab_new")
    if do == "share":
        name = request.POST.get("person", "").strip().lower()
        other = User.objects.filter(username=name, is_active=True).first()
        if other is None:
            raise BadDraft(_("There is no account “%(name)s”.") % {"name": name[:40]})
        drafts.share(draft=found, person=other)
        messages.success(request, _("%(name)s makes it with you now.") % {"name": other})
    return redirect("rooms:lab_draft", found.pk)


def _edit(request: HttpRequest, found: LabDraft | None) -> HttpResponse:
    """The form, and what POST says in it."""
    person = viewer(request)
    assert person is not None  # noqa: S101 login_required
    sent = request.POST if request.method == "POST" else None
    form = DraftForm(sent, initial=_typed(found), person=person)
    week = HoursForm(sent, initial=_week_of(found))
    if sent is None or not (form.is_valid() and week.is_valid()):
        return _shown(request, found, person, form, week, None)
    facts = form.facts() | {"opening_hours": week.cleaned_data["week"]}
    try:
        if found is None:
            found = drafts.start(by=person, facts=facts)
        else:
            drafts.change(draft=found, by=person, facts=facts)
    except CityError as refusal:
        return _shown(request, found, person, form, week, refusal)
    messages.success(request, _("Kept. Only its makers see it until it opens."))
    return redirect("rooms:lab_draft", found.pk)


def _week(found: LabDraft) -> HoursForm:
    return HoursForm(initial=_week_of(found))


def _week_of(found: LabDraft | None) -> dict[str, Any]:
    """The hours as the form writes them; weekdays from nine to five where nothing was said yet."""
    if found is None:
        return dict.fromkeys(WEEKDAYS, "09:00–17:00") | dict.fromkeys(WEEKEND, "")
    week = found.facts.get("opening_hours") or {}
    return {day: hours.write_day(week.get(day, ())) for day in DAYS} | {"always": not week}


def _typed(found: LabDraft | None) -> dict[str, Any]:
    if found is None:
        return {}
    facts = dict(found.facts)
    machine = facts.pop("machine", None) or {}
    facts |= {"machine": machine.get("name", ""), "cls": machine.get("cls", ""), "model": machine.get("model", "")}
    return facts | {"rated_w": machine.get("rated_w")}


def _shown(  # noqa: PLR0917 the parts of one page
    request: HttpRequest, found: LabDraft | None, person: User, form: DraftForm, week: HoursForm,
    refusal: CityError | None,
) -> HttpResponse:  # fmt: skip
    facts = found.facts if found else {}
    lat, lon = facts.get("lat"), facts.get("lon")
    context = {
        "draft": found,
        "form": form,
        "hours_form": week,
        "refusal": refusal,
        "missing": drafts.missing(facts) if found else [],
        "makers": [found.owner, *found.makers.all()] if found else [],
        "lat": lat,
        "lon": lon,
        "others": [one for one in reads.drafts_of(person) if found is None or one.pk != found.pk],
    }
    wrong = bool(form.errors or week.errors) if request.method == "POST" else False
    status = refusal.status if refusal else 422 if wrong else 200
    return render(request, "labs/new_lab.html", context, status=status)
