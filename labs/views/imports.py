"""Taking over from elsewhere, for those who run a lab: upload, see by line what would happen, confirm."""

from typing import Any

from django import forms
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.files.uploadedfile import UploadedFile
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as lazy
from django.views.decorators.http import require_http_methods, require_safe

from commons import csv_files
from commons.errors import CityError
from commons.people.models import User
from labs.errors import UnknownLab
from labs.errors.imports import UnknownImport
from labs.imports.csv_files import TEMPLATES
from labs.imports.dates import DAYS
from labs.imports.tables import MAX_BYTES
from labs.imports.words import REASONS, sentence
from labs.models import Lab, LabImport
from labs.queries import imports as reads
from labs.services import imports as services
from labs.views.common import page, viewer
from labs.views.frame import frame

MOST_LINES, MOST_PAST = 500, 20
KINDS = {
    "members": lazy("People"),
    "machines": lazy("Machines"),
    "badges": lazy("Kinds of badges"),
    "grants": lazy("Badges given"),
    "bookings": lazy("Bookings"),
    "unread": lazy("Lines that cannot be read"),
}
DOES = {
    "new": lazy("new"),
    "joins": lazy("with an account, who join"),
    "stands": lazy("here already"),
    "kept": lazy("from an earlier import"),
    "covered": lazy("in the time of another booking"),
    "left_out": lazy("left out"),
}


class UploadForm(forms.Form):
    """The files, and how to read them."""

    members = forms.FileField(label=lazy("People (CSV)"), required=False)
    machines = forms.FileField(label=lazy("Machines (CSV)"), required=False)
    bookings = forms.FileField(label=lazy("Bookings (CSV)"), required=False)
    nemo = forms.FileField(label=lazy("Or all of it from NEMO (JSON of its dumpdata command)"), required=False)
    source = forms.SlugField(
        label=lazy("Where it comes from"),
        max_length=40,
        required=False,
        help_text=lazy("A short name, so that the same lines are known when they come again. Empty: csv or nemo."),
    )
    days = forms.ChoiceField(
        label=lazy("Dates are written"),
        required=False,
        choices=[("", lazy("find out")), *((name, example) for name, (_form, example) in DAYS.items())],
    )
    zone = forms.CharField(
        label=lazy("Times are by the clock of"),
        max_length=60,
        required=False,
        help_text=lazy("A time zone such as Europe/Helsinki. Empty: the lab's own. Times with an offset keep it."),
    )
    letters = forms.BooleanField(label=lazy("Write to new people, with a link that signs them in"), required=False)

    def clean(self) -> dict[str, Any]:
        """At least one file, none too large, and not two sorts at once."""
        found = super().clean() or self.cleaned_data
        given = [kind for kind in (*services.CSV_KINDS, "nemo") if found.get(kind)]
        if not given and not self.errors:
            raise forms.ValidationError(_("Choose at least one file."))
        if "nemo" in given and len(given) > 1:
            raise forms.ValidationError(_("Choose tables or a file of NEMO, not both at once."))
        for kind in given:
            if (found[kind].size or 0) > MAX_BYTES:
                self.add_error(kind, _("It may have at most %(most)s MB.") % {"most": MAX_BYTES // 1_000_000})
        return found

    def chosen(self) -> dict[str, tuple[str, bytes]]:
        """The files by kind."""
        given: dict[str, UploadedFile[bytes]] = {
            kind: self.cleaned_data[kind] for kind in (*services.CSV_KINDS, "nemo") if self.cleaned_data.get(kind)
        }
        return {kind: (file.name or kind, file.read()) for kind, file in given.items()}


def _managed(request: HttpRequest, slug: str) -> tuple[Lab, User, dict[str, Any]]:
    """The lab, who runs it, and the frame of its pages. Raises UnknownLab for everybody else."""
    lab, context = frame(request, slug, tab="import")
    person = viewer(request)
    if not context["manages"] or person is None:
        raise UnknownLab(_("There is no such page, or it is not yours."))
    return lab, person, context


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def lab_imports(request: HttpRequest, lab: str) -> HttpResponse:
    """What comes with us from the old program? Files go up, and are checked before anything happens."""
    found, person, context = _managed(request, lab)
    form = (
        UploadForm(request.POST, request.FILES) if request.method == "POST" else UploadForm(initial={"letters": True})
    )
    if request.method == "POST" and form.is_valid():
        asked = {name: form.cleaned_data[name] for name in ("source", "zone", "days", "letters")}
        try:
            made = services.stage(lab=found, by=person, files=form.chosen(), **asked)
        except CityError as refusal:
            context["refusal"] = refusal
        else:
            return redirect("rooms:lab_import", found.slug, made.pk)
    context |= {"form": form, "templates": [(kind, KINDS[kind]) for kind in TEMPLATES]}
    context["past"] = LabImport.objects.filter(lab=found).select_related("by").order_by("-created_at")[:MOST_PAST]
    status = 422 if context.get("refusal") or form.errors else 200
    return page(request, "labs/imports.html", context, lab=found, status=status)


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def lab_import(request: HttpRequest, lab: str, pk: int) -> HttpResponse:
    """What would happen, or what did: sums, every line with something to say, and what stays behind."""
    found, person, context = _managed(request, lab)
    made = reads.find(found, pk)
    if request.method == "POST":
        try:
            return _do(request, made, person)
        except CityError as refusal:
            context["refusal"] = refusal
            made = reads.find(found, pk)
    context |= {"made": made, "run": made.run, "stuck": _stuck(made), "dry": made.status != LabImport.Status.DONE}
    if made.report is not None:
        context |= _told(made.report)
    status = context["refusal"].status if context.get("refusal") else 200
    response = page(request, "labs/import.html", context, lab=found, status=status)
    response["Cache-Control"] = "no-store"
    return response


def _stuck(made: LabImport) -> bool:
    """Whether its run ended without doing it."""
    works = made.status in {LabImport.Status.CHECKING, LabImport.Status.IMPORTING}
    return works and (made.run is None or made.run.is_over)


def _do(request: HttpRequest, made: LabImport, person: User) -> HttpResponse:
    do, lab = request.POST.get("do"), made.lab
    if do == "confirm":
        services.confirm(made, by=person, leave_out=bool(request.POST.get("leave_out")))
    elif do == "again" and (made.status == LabImport.Status.CHECKED or _stuck(made)):
        services.check_again(made, by=person)
    elif do == "forget" and made.status != LabImport.Status.IMPORTING:
        services.forget(made)
        messages.success(request, _("The files are deleted; nothing was taken over from them."))
        return redirect("rooms:lab_imports", lab.slug)
    return redirect("rooms:lab_import", lab.slug, made.pk)


def _told(report: dict[str, Any]) -> dict[str, Any]:
    """A report in words."""
    lines = []
    for message in report["messages"][:MOST_LINES]:
        what, todo = sentence(message)
        lines.append({**message, "what": what, "todo": todo})
    sums = [
        {"title": title, "read": counts.get("read"), "parts": [(DOES[d], counts[d]) for d in DOES if counts.get(d)]}
        for kind, title in KINDS.items()
        if (counts := report["counts"].get(kind))
    ]
    return {
        "report": report,
        "sums": sums,
        "lines": lines,
        "more": len(report["messages"]) - len(lines),
        "left": [{**left, "why": REASONS[left["why"]]} for left in report["not_taken"]],
        "anything": any(counts.get("new") or counts.get("joins") for counts in report["counts"].values()),
    }


@login_required
@require_safe
def template(request: HttpRequest, lab: str, kind: str) -> StreamingHttpResponse:
    """A table to fill in, with an example."""
    _managed(request, lab)
    if kind not in TEMPLATES:
        raise UnknownImport(_("There is no such template."))
    columns, *rows = TEMPLATES[kind]
    return csv_files.answer(kind, columns, rows)
