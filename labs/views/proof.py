"""Saying which design a job was of, sending its file, slicing for a booking; a lab's profiles."""

import re
import uuid

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from commons.errors import CityError
from commons.people.models import User
from labs import policies
from labs.api.common import design_named
from labs.api.proof import program
from labs.errors import UnknownLab
from labs.errors.proof import FileNotTaken, NotYourJob, UnknownSlice
from labs.models import FilePolicy, Job, Lab, Machine, SlicingProfile
from labs.queries import jobs
from labs.queries import slices as queries
from labs.services import slices
from labs.services.jobs import claims, files
from labs.views.common import page, viewer
from labs.views.frame import frame
from labs.views.one_booking import found_or_404

MOST_DAYS = 365


@require_POST
@login_required
def say(request: HttpRequest, job: uuid.UUID) -> HttpResponse:
    """Say which design a job was of, or take it back."""
    found, person = _own(request, job)
    try:
        if request.POST.get("do") == "withdraw":
            claims.withdraw(job=found, by=person)
            messages.success(request, _("Taken back."))
        else:
            name = re.sub(r"^.*?/designs/", "", request.POST.get("design", "").strip())
            design = design_named("/".join(name.strip("/").split("/")[:2]), person)
            claims.say(job=found, design=design, by=person)
            messages.success(request, _("Written down: %(design)s, by your word.") % {"design": design.name})
    except CityError as refusal:
        messages.error(request, str(refusal.sentence))
    return redirect("rooms:job", found.pk)


@require_POST
@login_required
def send(request: HttpRequest, job: uuid.UUID) -> HttpResponse:
    """Send the file that a job worked on, so that its design is found."""
    found, person = _own(request, job)
    sent = request.FILES.get("file")
    try:
        if sent is None:
            raise FileNotTaken(_("Choose the file that the machine was sent."))
        files.take_file(job=found, chunks=sent.chunks(), by=person)
        messages.success(request, _("The file is here and is being read; what is found stands here in a moment."))
    except CityError as refusal:
        messages.error(request, str(refusal.sentence))
    return redirect("rooms:job", found.pk)


def _own(request: HttpRequest, job: uuid.UUID) -> tuple[Job, User]:
    """The job, for who may speak of it. Raises UnknownJob or NotYourJob: that there is a job is public."""
    found, person = jobs.find(job), viewer(request)
    if person is None or not policies.may_speak_of(person, found):
        raise NotYourJob(_("Only who had the machine booked, or who runs the lab, can say what it was."))
    return found, person


@require_POST
@login_required
def start(request: HttpRequest, booking: uuid.UUID) -> HttpResponse:
    """Slice a file of the booking's design."""
    found, person = found_or_404(request, booking)
    try:
        version = queries.file_of(found, person, request.POST.get("file", ""))
        number = request.POST.get("profile", "")
        profile = (
            SlicingProfile.objects.filter(pk=int(number), machine=found.machine, retired_at=None).first()
            if number.isdecimal() and len(number) < 19
            else None
        )
        slices.start(booking=found, version=version, profile=profile, by=person)
    except CityError as refusal:
        messages.error(request, str(refusal.sentence))
    return redirect(reverse("rooms:booking", args=[found.pk]) + "#slicing")


@never_cache
@login_required
@require_safe
def fetch(request: HttpRequest, slice: uuid.UUID) -> HttpResponseBase:
    """The program that was made, for whoever may change the booking."""
    return program(queries.find(slice, viewer(request)))


@never_cache
@login_required
@require_safe
def receipt(request: HttpRequest, slice: uuid.UUID) -> HttpResponse:
    """The lab's signed receipt for it."""
    made = queries.find(slice, viewer(request))
    if not made.receipt:
        raise UnknownSlice(_("There is no such program, or it is not yours."))
    answer = JsonResponse(made.receipt, json_dumps_params={"indent": 2, "ensure_ascii": False})
    answer["Content-Disposition"] = f'attachment; filename="receipt-{made.gcode_sha256[:8]}.json"'
    return answer


@require_safe
def preset(request: HttpRequest, sha256: str) -> HttpResponse:
    """Settings with one line, the note that names a source; made from the address alone, so they tell nothing."""
    if not re.fullmatch(r"[0-9a-f]{64}", sha256):
        raise Http404
    text = f"# Import > Import Config in PrusaSlicer, OrcaSlicer or SuperSlicer\nnotes = lc-source=sha256:{sha256}\n"
    answer = HttpResponse(text, content_type="text/plain; charset=utf-8")
    answer["Content-Disposition"] = f'attachment; filename="lc-source-{sha256[:8]}.ini"'
    return answer


@never_cache
@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def lab_slicing(request: HttpRequest, lab: str) -> HttpResponse:
    """With which settings are files sliced for which machine, and what becomes of files of jobs? For managers."""
    found, context = frame(request, lab, tab="settings")
    person = viewer(request)
    if not context["manages"] or person is None:
        raise UnknownLab(_("There is no such page, or it is not yours."))
    refusal: CityError | None = None
    if request.method == "POST":
        try:
            _change(request, found, person)
            messages.success(request, _("Saved."))
            return redirect("rooms:lab_slicing", found.slug)
        except CityError as error:
            refusal = error
    context |= {
        "machines": _printers(found),
        "policy": files.policy_of(found),
        "installed": slices.program() is not None,
        "refusal": refusal,
        "typed": request.POST,
        "most_days": MOST_DAYS,
    }
    return page(request, "labs/slicing.html", context, lab=found, status=refusal.status if refusal else 200)


def _printers(lab: Lab) -> list[dict[str, object]]:
    machines = lab.machines.filter(process=Machine.Process.FFF).order_by("name")
    return [{"machine": one, "profiles": one.slicing_profiles.filter(retired_at=None)} for one in machines]


def _change(request: HttpRequest, lab: Lab, person: User) -> None:
    do, number = request.POST.get("do", ""), request.POST.get("number", "")
    key = int(number) if number.isdecimal() and len(number) < 19 else 0
    if do == "files":
        days = request.POST.get("keep_days", "0")
        kept = min(int(days), MOST_DAYS) if days.isdecimal() and len(days) < 6 else 0
        told = {"takes_files": "takes_files" in request.POST, "keep_days": kept}
        FilePolicy.objects.update_or_create(lab=lab, defaults=told)
    elif do == "retire":
        profile = SlicingProfile.objects.filter(pk=key, machine__lab=lab, retired_at=None).first()
        if profile is None:
            raise UnknownSlice(_("The machine has no such profile."))
        slices.retire_profile(profile=profile)
    elif do == "add":
        machine = lab.machines.filter(pk=key).first()
        sent = request.FILES.get("settings")
        if machine is None or sent is None or (sent.size or 0) > 512 * 1024:
            raise FileNotTaken(_("Choose a machine, and a settings file of at most 512 kB."))
        text = sent.read().decode("utf-8", "replace")
        slices.add_profile(machine=machine, name=request.POST.get("name", ""), text=text, by=person)
