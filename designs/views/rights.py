"""What may be done with a design, and where does it come from?"""

from typing import Any

from django import forms
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_POST

from commons.errors import CityError, NotAllowed
from commons.people.models import User
from designs import licences
from designs.licence_field import LicenceField
from designs.licences import derive
from designs.models import Source
from designs.queries import lineage
from designs.queries.file_licences import licences_at
from designs.services import rights as services
from designs.views.frame import frame
from designs.visitors import of_session

RELATIONS = [
    (value, label) for value, label in Source.Relation.choices if value != Source.Relation.FORK
]  # fmt: skip


class SourceForm(forms.Form):
    """Something that a design was made from."""

    relation = forms.ChoiceField(label=_("How"), choices=RELATIONS)
    url = forms.CharField(
        label=_("Its address"), max_length=600, required=False,
        help_text=_("The address of a design here is enough; of anything else give the name and the licence too."),
    )  # fmt: skip
    title = forms.CharField(label=_("Its name"), max_length=160, required=False)
    authors = forms.CharField(label=_("Who made it"), max_length=300, required=False)
    licence = LicenceField(label=_("Its licence"), required=False)


def rights(request: HttpRequest, owner: str, slug: str) -> HttpResponse:
    """The licence in words, the chain, the licences of files; for people who work on it a form for sources."""
    design, commit, context = frame(request, owner, slug, tab="")
    form = SourceForm(request.POST or None, initial={"relation": Source.Relation.ADAPTED})
    if request.method == "POST" and form.is_valid():
        try:
            services.declare_source(design=design, by=_person(request), **form.cleaned_data)
        except CityError as refusal:
            form.add_error(None, str(refusal.sentence))
        else:
            return redirect("rooms:design_rights", design.owner.name, design.slug)
    declared = design.sources.exclude(relation=Source.Relation.FORK).order_by("created_at", "pk")
    parents = lineage.parents(design)
    context |= {
        "form": form,
        "chain": lineage.chain(design, visitor=of_session(request)),
        "declared": declared,
        "licence_title": licences.title_of(design.licence),
        "lists": licences.lists_of(design.licence),
        "fault": derive.fault(design.licence, parents, shared=design.is_public),
        "fitting": derive.allowed(parents)[:12] if parents else [],
        "own": _own(licences_at(design, commit).files.values()),
    }
    return render(request, "designs/rights.html", context, status=422 if form.errors else 200)


def _person(request: HttpRequest) -> User:
    person = of_session(request)
    if person is None:
        raise NotAllowed(_("Sign in to say where a design comes from."))
    return person


def _own(files: Any) -> list[tuple[str, list[str]]]:
    """The files that have a licence of their own, by licence."""
    by_licence: dict[str, list[str]] = {}
    for file in files:
        if file.is_own:
            by_licence.setdefault(file.expression, []).append(file.path)
    return sorted(by_licence.items())


@require_POST
@login_required
def remove_source(request: HttpRequest, owner: str, slug: str, source: int) -> HttpResponse:
    """Take a declared source away."""
    design, _commit, _context = frame(request, owner, slug)
    services.remove_source(design=design, source_id=source, by=_person(request))
    return redirect("rooms:design_rights", design.owner.name, design.slug)
