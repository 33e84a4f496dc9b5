"""The incident and safety log of a lab: read and written by its own people, private parts by those who run it."""

import datetime as dt
from collections.abc import Iterator
from typing import Any

from django import forms
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.shortcuts import redirect
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as lazy
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_safe

from commons import csv_files
from commons.errors import CityError
from labs.errors import UnknownLab
from labs.models import Lab, LogEntry, Machine
from labs.queries import catalogue, faults
from labs.services.log import write_entry
from labs.views.common import in_utc, page, uuid_of, viewer
from labs.views.frame import frame

PER_PAGE = 40
CLOCK = forms.DateTimeInput(attrs={"type": "datetime-local"}, format="%Y-%m-%dT%H:%M")
INCIDENTS = (LogEntry.Kind.INJURY, LogEntry.Kind.FIRE, LogEntry.Kind.NEAR_MISS, LogEntry.Kind.DAMAGE)


class EntryForm(forms.Form):
    """What happened, when, at which machine, what was done."""

    kind = forms.ChoiceField(
        label=lazy("What it is"),
        choices=[(k.value, k.label) for k in LogEntry.WRITTEN if k != "amendment"],
        initial=LogEntry.Kind.NOTE,
    )
    when = forms.CharField(label=lazy("When"), widget=CLOCK)
    machine = forms.ModelChoiceField(
        label=lazy("Machine, if one was part of it"),
        queryset=Machine.objects.none(),
        required=False,
        empty_label=lazy("No machine"),
    )
    text = forms.CharField(label=lazy("What happened"), max_length=4000, widget=forms.Textarea(attrs={"rows": 4}))
    done = forms.CharField(
        label=lazy("What was done about it"), max_length=2000, required=False, widget=forms.Textarea(attrs={"rows": 2})
    )
    private = forms.CharField(
        label=lazy("Who was hurt, whom to call"),
        help_text=lazy("Only those who run the lab read this."),
        max_length=2000,
        required=False,
        widget=forms.Textarea(attrs={"rows": 2}),
    )

    def __init__(self, *args: Any, lab: Lab, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.lab = lab
        self.fields["when"].initial = timezone.now().astimezone(lab.zone).strftime("%Y-%m-%dT%H:%M")
        machine = self.fields["machine"]
        assert isinstance(machine, forms.ModelChoiceField)  # noqa: S101
        machine.queryset = catalogue.machines(lab)

    def clean_when(self) -> dt.datetime:
        """By the lab's own clock."""
        try:
            return in_utc(dt.datetime.fromisoformat(self.cleaned_data["when"]), self.lab.zone)
        except ValueError:
            raise forms.ValidationError(_("Write a day and a time.")) from None


@never_cache
@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def lab_log(request: HttpRequest, lab: str) -> HttpResponse:
    """What has happened here? Its people read and write; what is written stays."""
    found, context = frame(request, lab, tab="log")
    person = viewer(request)
    if person is None or not context["fellow"]:
        raise UnknownLab(_("There is no such page, or it is not yours."))
    form, refusal = EntryForm(request.POST if request.POST.get("do") == "write" else None, lab=found), None
    if request.method == "POST":
        try:
            if request.POST.get("do") == "amend":
                _amend(request, found)
                return redirect("rooms:lab_log", found.slug)
            if form.is_valid():
                asked = dict(form.cleaned_data)
                write_entry(lab=found, by=person, happened_at=asked.pop("when"), **asked)
                messages.success(request, _("Written down."))
                return redirect("rooms:lab_log", found.slug)
        except CityError as error:
            refusal = error
    show = request.GET.get("show", "")
    entries = faults.log(found, kinds=INCIDENTS if show == "incidents" else ())
    context |= {
        "form": form,
        "refusal": refusal,
        "show": show,
        "page": Paginator(entries, PER_PAGE).get_page(request.GET.get("page")),
        "zone": found.zone,
    }
    return page(request, "labs/log.html", context, lab=found, status=refusal.status if refusal else 200)


def _amend(request: HttpRequest, lab: Lab) -> None:
    """A correction is a line of its own, of the same time, that names the one it corrects."""
    of = request.POST.get("entry", "")
    entry = LogEntry.objects.filter(lab=lab, pk=uuid_of(of)).select_related("machine").first()
    if entry is None:
        raise UnknownLab(_("There is no such line in this log."))
    write_entry(
        lab=lab,
        kind=LogEntry.Kind.AMENDMENT,
        text=request.POST.get("text", ""),
        by=viewer(request),
        machine=entry.machine,
        happened_at=entry.happened_at,
        amends=entry,
    )
    messages.success(request, _("Written down beside it."))


@never_cache
@login_required
@require_safe
def lab_log_csv(request: HttpRequest, lab: str) -> StreamingHttpResponse:
    """The log as a table for a spreadsheet; the private column for those who run the lab alone."""
    found, context = frame(request, lab, tab="log")
    if not context["fellow"]:
        raise UnknownLab(_("There is no such page, or it is not yours."))
    manages = context["manages"]
    columns = ["id", "happened_at", "written_at", "kind", "machine", "by", "text", "done", "fault", "amends"]

    def lines() -> Iterator[list[str]]:
        for entry in faults.log(found).iterator(chunk_size=500):
            cells = [
                str(entry.pk),
                entry.happened_at.isoformat(),
                entry.written_at.isoformat(),
                entry.kind,
                entry.machine.slug if entry.machine else "",
                entry.by.username if entry.by else "",
                entry.text,
                entry.done,
                str(entry.fault_id or ""),
                str(entry.amends_id or ""),
            ]
            yield [*cells, entry.private] if manages else cells

    return csv_files.answer(f"{found.slug}-log", [*columns, "private"] if manages else columns, lines())
