"""Pages of files of readings: bring one, say what its columns mean, look at the preview, read it in."""

import datetime as dt
from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST

from commons.errors import CityError
from commons.people.models import User
from energy import policies, queries
from energy.errors import BadMeterFile, UnknownParticipant
from energy.forms_people import FileForm, MappingForm, initial_of
from energy.meterfiles.mapping import DELIMITERS, BadMapping, Mapping
from energy.models import MeterFile, MeterPoint
from energy.queries import participants as reads
from energy.queries.measured import zone
from energy.services import meter_files as services
from energy.views.participants import PAGE, person

SHOWN = 12


@never_cache
@login_required
@require_POST
def bring(request: HttpRequest, slug: str, pk: int | None = None) -> HttpResponse:
    """Take a file in, and go on to its columns."""
    by = person(request)
    if pk is None:
        community, owner = queries.community(slug, by), None
        if not policies.is_steward(by, community):
            raise UnknownParticipant(_("There is no such page, or it is not yours to see."))
    else:
        owner = reads.participant(slug, pk, by)
        community = owner.community
    form = FileForm(request.POST, request.FILES)
    if not form.is_valid():
        messages.error(request, _("Choose a file first."))
    else:
        sent = form.cleaned_data["file"]
        try:
            data = sent.read(services.BYTES_AT_MOST + 1)
            made = services.receive(community=community, by=by, name=sent.name or "", data=data, participant=owner)
            return redirect("rooms:meter_file", community.slug, made.pk)
        except BadMeterFile as error:
            messages.error(request, str(error.sentence))
    return redirect("rooms:participant", slug, pk) if pk else redirect("rooms:community_participants", slug)


@never_cache
@login_required
@require_http_methods(PAGE)
def meter_file(request: HttpRequest, slug: str, pk: int) -> HttpResponse:
    """What do the columns mean, and what would be read in?"""
    by = person(request)
    found = reads.file_of(queries.community(slug, by), pk, by)
    if request.method == "POST" and request.POST.get("do") == "discard":
        return _discard(request, found, by)
    context: dict[str, Any] = {"community": found.community, "file": found, "participant": found.participant}
    if found.state == MeterFile.State.KEPT:
        return render(request, "energy/meter_file_kept.html", context | {"sums": _sums(found)})
    refusal, form = None, None
    try:
        form, mapping = _mapping(request, found, context)
        if request.method == "POST" and request.POST.get("do") == "keep" and (form is None or mapping is not None):
            utility = form.cleaned_data["utility"] if form is not None else ""
            kept = services.keep(file=found, by=by, mapping=mapping, utility=utility)
            messages.success(request, _("“%(name)s” is read in.") % {"name": kept.name})
            return redirect("rooms:meter_file", slug, pk)
        if mapping is not None or found.format == MeterFile.Format.GREEN_BUTTON:
            context |= _preview(found, mapping)
    except CityError as error:
        refusal = error
        context["bad"] = context.get("bad") or error.data.get("lines", [])
    context |= {"form": form, "refusal": refusal}
    return render(request, "energy/meter_file.html", context, status=refusal.status if refusal else 200)


def _discard(request: HttpRequest, found: MeterFile, by: User) -> HttpResponse:
    owner = found.participant
    services.discard(file=found, by=by)
    messages.success(request, _("The file is gone; nothing of it was kept."))
    if owner is not None:
        return redirect("rooms:participant", found.community.slug, owner.pk)
    return redirect("rooms:community_participants", found.community.slug)


def _mapping(
    request: HttpRequest, found: MeterFile, context: dict[str, Any]
) -> "tuple[MappingForm | None, Mapping | None]":
    """The form of the columns, and the mapping if it holds; neither for Green Button, which says it itself."""
    if found.format == MeterFile.Format.GREEN_BUTTON:
        return None, None
    proposal = services.propose(found)
    look, mapping = proposal.look, proposal.mapping
    if request.method == "POST":
        separator = request.POST.get("delimiter", "")
        if separator in DELIMITERS and separator != look.delimiter:
            look = services.look_again(found, Mapping(delimiter=separator))
        form = MappingForm(request.POST, names=look.names)
        if not form.is_valid():
            context["look"] = look
            return form, None
        mapping = form.mapping()
        try:
            mapping.check()
        except BadMapping as error:
            form.add_error(None, str(error))
            context["look"] = look
            return form, None
    else:
        form = MappingForm(initial=initial_of(mapping) | {"utility": proposal.utility}, names=look.names)
    context |= {"look": look, "known": proposal.utility, "head": look.rows[:SHOWN]}
    return form, mapping


def _preview(found: MeterFile, mapping: Mapping | None) -> dict[str, Any]:
    """What the file says by that mapping: its series with their sums and days, and every bad line."""
    read = services.readings(found, mapping)
    clock = zone(found.community)
    series = []
    for goal in services.targets(found, read):
        times = list(goal.series.kwh)
        lines = [(at.astimezone(clock), goal.series.kwh[at]) for at in sorted(times)[:SHOWN]]
        series.append(
            {
                "goal": goal,
                "direction": MeterPoint.Direction(goal.series.direction).label,
                "first": min(times).astimezone(clock).date() if times else None,
                "last": max(times).astimezone(clock).date() if times else None,
                "steps": len(times),
                "missing": _missing(times, goal.series.step_minutes),
                "lines": lines,
            }
        )
    able = not read.bad_count and bool(series) and all(s["goal"].meters for s in series)  # type: ignore[attr-defined]
    return {"read": read, "series": series, "bad": read.bad, "able": able, "marks": dict(read.marks)}


def _missing(times: list[dt.datetime], step_minutes: int) -> int:
    """Steps between the first and the last that the file does not say."""
    if not times:
        return 0
    return (max(times) - min(times)) // dt.timedelta(minutes=step_minutes) + 1 - len(times)


def _sums(found: MeterFile) -> list[str]:
    """What became of the file, in words."""
    report = found.report
    days = report.get("days", {})
    said = [
        ngettext("%(n)d day is new", "%(n)d days are new", days.get("new", 0)),
        ngettext("%(n)d day was corrected", "%(n)d days were corrected", days.get("revised", 0)),
        ngettext("%(n)d day was there already", "%(n)d days were there already", days.get("same", 0)),
    ]
    counts = [days.get("new", 0), days.get("revised", 0), days.get("same", 0)]
    more = [
        (days.get("outside", 0), _("%(n)d days are left out: the meter was not theirs then")),
        (days.get("poorer", 0), _("%(n)d days are left out: a fuller measurement was there")),
        (report.get("missing_steps", 0), _("%(n)d steps are missing and stay missing")),
        (report.get("repeated", 0), _("%(n)d lines stood there twice")),
        (report.get("left_out", 0), _("%(n)d lines were left out")),
        (report.get("resets", 0), _("%(n)d times the counter went back; these steps are missing")),
    ]
    words = [text % {"n": n} for text, n in zip(said, counts, strict=True)]
    words += [text % {"n": n} for n, text in more if n]
    if report.get("gap_kwh"):
        kwh = f"{report['gap_kwh']:.2f}"
        words.append(_("%(kwh)s kWh lie in gaps of the counter: known as a sum, spread over nothing") % {"kwh": kwh})
    return words
