"""Passports: what a thing is and what it took, what happened to it since, its label; and what a lab has made."""

import uuid
from typing import Any
from urllib.parse import urlencode

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from commons import csv_files
from commons.errors import CityError
from commons.web.qr import code_of
from labs.errors.passports import UnknownPassport
from labs.models import EnergyFigure, Job, Passport, PassportEntry
from labs.passports.subject import merged
from labs.queries import energy_words, jobs, passports
from labs.queries.job_table import job_table
from labs.services import passports as services
from labs.views.common import page, viewer
from labs.views.frame import frame

PER_PAGE = 30


@require_http_methods(["GET", "HEAD", "POST"])
def passport(request: HttpRequest, passport: uuid.UUID) -> HttpResponse:
    """What is this thing, how was it made, and what happened to it since?"""
    found = passports.find(passport)
    code, person, refusal = request.GET.get("held", ""), viewer(request), None
    standing = passports.standing(found, person, code)
    if request.method == "POST":
        if person is None:
            return redirect(f"{reverse('account_login')}?{urlencode({'next': request.get_full_path()})}")
        try:
            _write(request, found, code)
        except CityError as error:
            refusal = error
        else:
            messages.success(request, _("It stands in the passport now."))
            return redirect(request.get_full_path())
    context = {
        **_shown(found),
        "standing": standing,
        "held": code == found.code,
        "refusal": refusal,
        "sign_in": f"{reverse('account_login')}?{urlencode({'next': request.get_full_path()})}",
        "today": timezone.now().date(),
        "kinds": [(kind, PassportEntry.Kind(kind).label) for kind in services.HAPPENED],
        "asked": request.POST,
    }
    answer = page(request, "labs/passport.html", context, lab=found.lab, status=refusal.status if refusal else 200)
    if code:
        answer["Referrer-Policy"] = "no-referrer"
        answer["X-Robots-Tag"] = "noindex"
    return answer


def _write(request: HttpRequest, found: Passport, code: str) -> None:
    person = viewer(request)
    assert person is not None  # noqa: S101 the view has seen to it
    fields = request.POST
    if fields.get("do") == "correct":
        mass = fields.get("mass_g", "").replace(",", ".").strip()
        try:
            grams = float(mass) if mass else None
        except ValueError:
            grams = -1.0
        services.correct(passport=found, material=fields.get("material", ""), mass_g=grams, by=person)
        return
    kind = fields.get("kind", "")
    facts = {name: fields.get(name, "") for name in services.HAPPENED.get(kind, ())}
    day = next((name for name in facts if name.startswith("dateOf")), "")
    if day and not facts[day]:
        facts[day] = fields.get("day", "")
    services.happened(passport=found, kind=kind, facts=facts, by=person, code=code)


def _shown(found: Passport) -> dict[str, Any]:
    """What a page of a passport shows: the same as everybody may read as JSON."""
    entries = passports.entries_of(found)
    told = passports.told(found, entries)
    facts = merged([{"kind": e.kind, "facts": e.facts} for e in entries])
    job = found.job
    figures = list(job.energy_figures.order_by("-number")) if job is not None else []
    signed = passports.signed(found)
    return {
        "passport": found,
        "told": told,
        "lab": found.lab,
        "job": job,
        "name": told.get("productOverview", {}).get("productName", {}).get("value", ""),
        "design": told.get("design") or {},
        "attribution": told.get("attribution", []),
        "make": told.get("make", {}),
        "length": job.finished_at - job.started_at if job is not None and job.finished_at else None,
        "provenance_label": _label((told.get("design") or {}).get("provenance", "")),
        "material": facts.get("material") or {},
        "energy": energy_words.told(_of(figures, facts)),
        "imported": next((e.facts for e in entries if e.kind == "imported"), None),
        "sections": _sections(told) if any(e.kind == "imported" for e in entries) else [],
        "entries": [_entry(e) for e in reversed(entries)],
        "signed": signed,
        "picture": job.design if job is not None and passports.design_shown(found) else None,
    }


def _label(provenance: str) -> str:
    return str(Job.Provenance(provenance).label) if provenance in Job.Provenance.values else ""


def _of(figures: list[EnergyFigure], facts: dict[str, Any]) -> EnergyFigure | None:
    """The figure that the passport's newest entry names: later ones are not in it yet."""
    number = (facts.get("energy") or {}).get("figure")
    return next((one for one in figures if one.number == number), None)


def _sections(told: dict[str, Any]) -> list[tuple[str, list[tuple[str, Any, str]]]]:
    from labs.passports.fields import SECTIONS  # noqa: PLC0415

    return [
        (name, [(field, value["value"], value.get("units", "")) for field, value in told[name].items()
                if isinstance(value, dict) and "value" in value])
        for name in SECTIONS if told.get(name)
    ]  # fmt: skip


def _entry(entry: PassportEntry) -> dict[str, Any]:
    hidden = bool(getattr(entry, "is_hidden", False))
    happened = entry.kind in services.HAPPENED and not hidden
    energy = entry.facts.get("energy") if entry.kind in {"made", "energy"} else None
    return {
        "key": entry.pk,
        "number": entry.number,
        "kind": entry.kind,
        "label": entry.get_kind_display(),
        "at": entry.at,
        "hidden": hidden,
        "says": entry.facts if happened else {},
        "energy": energy_words.amount(energy.get("kwh"), energy.get("plusMinus_kwh")) if energy else "",
        "material": entry.facts.get("material") if entry.kind == "corrected" else None,
        "may_report": happened,
    }


@require_safe
def label(request: HttpRequest, passport: uuid.UUID) -> HttpResponse:
    """The label to print and stick onto the thing; for whose it is and for those who work in the lab."""
    found = passports.find(passport)
    if not passports.standing(found, viewer(request)).labels:
        raise UnknownPassport(_("There is no such page, or it is not yours."))
    address = passports.label_url(found)
    context = {**_shown(found), "address": address, "drawn": code_of(address)}
    answer = page(request, "labs/passport_label.html", context, lab=found.lab)
    answer["X-Robots-Tag"] = "noindex"
    return answer


@require_safe
def made(request: HttpRequest, lab: str) -> HttpResponse:
    """What has this lab made, and with how many kWh each?"""
    found, context = frame(request, lab, tab="made")
    listed = passports.of_lab(found)
    pages = Paginator(listed, PER_PAGE)
    here = pages.get_page(request.GET.get("page"))
    figures = jobs.figures_of([p.job for p in here if p.job is not None])
    context |= {
        "listed": here,
        "rows": [_row(one, figures.get(one.job_id) if one.job_id else None) for one in here],
        "csv_url": reverse("rooms:lab_jobs_csv", args=[found.slug]),
    }
    return page(request, "labs/made.html", context, lab=found)


def _row(one: Passport, figure: EnergyFigure | None) -> dict[str, Any]:
    job = one.job
    assert job is not None  # noqa: S101 the list holds those with a job
    shown = passports.design_shown(one) and job.public_made
    return {"passport": one, "job": job, "design": job.design if shown else None, "energy": energy_words.told(figure)}


@require_safe
def jobs_csv(request: HttpRequest, lab: str) -> HttpResponseBase:
    """All finished jobs of the lab as CSV: nobody's name, no private file."""
    found, _context = frame(request, lab, tab="made")
    columns, rows = job_table(found)
    return csv_files.answer(f"{found.slug}-jobs", columns, rows)
