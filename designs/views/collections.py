"""Collections: all of them, one, making and changing one's own, putting a design in."""

from django import forms
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as lazy
from django.views.decorators.http import require_http_methods, require_safe

from commons.errors import CityError
from commons.people.signed_in import person_of
from designs import queries
from designs.models import Collection, Design
from designs.policies import may_write_as
from designs.queries.collections import collections_seen_by, find_collection, holding, items_of, writable_by
from designs.queries.owners import handles_of
from designs.services import collections as services
from designs.views.posting import number, said_as_message
from designs.visitors import of_session


class CollectionForm(forms.Form):
    """The words of a collection."""

    name = forms.CharField(label=lazy("Name"), max_length=120)
    about = forms.CharField(
        label=lazy("What belongs in it"), max_length=4000, required=False, widget=forms.Textarea(attrs={"rows": 3})
    )
    visibility = forms.ChoiceField(label=lazy("Who may see it"), choices=Design.Visibility.choices, initial="public")


@require_safe
def collections(request: HttpRequest) -> HttpResponse:
    """What have people put together?"""
    page = Paginator(collections_seen_by(of_session(request)), 24).get_page(request.GET.get("page"))
    return render(request, "designs/collections.html", {"page": page})


@require_safe
def collection(request: HttpRequest, owner: str, slug: str) -> HttpResponse:
    """What is in it?"""
    person = of_session(request)
    found = find_collection(owner=owner, slug=slug, visitor=person)
    context = {"collection": found, "items": items_of(found, person), "may_change": may_write_as(person, found.owner)}
    return render(request, "designs/collection.html", context)


@require_http_methods(["GET", "POST"])
@login_required
def new(request: HttpRequest) -> HttpResponse:
    """A new collection; with `?design=owner/slug` that one goes in at once."""
    person = person_of(request)
    form = CollectionForm(request.POST or None)
    owners = {handle.name: handle for handle in handles_of(person)}
    if request.method == "POST" and form.is_valid():
        owner = owners.get(request.POST.get("owner", ""), person.handle)
        try:
            made = services.create_collection(owner=owner, by=person, **form.cleaned_data)
            if first := _asked_for(request):
                services.add_design(collection=made, design=first, by=person)
            return redirect("rooms:collection", owner.name, made.slug)
        except CityError as refusal:
            form.add_error("name", str(refusal.sentence))
    context = {"form": form, "owners": list(owners.values()), "design": _asked_for(request)}
    return render(request, "designs/collection_new.html", context, status=422 if form.errors else 200)


def _asked_for(request: HttpRequest) -> Design | None:
    owner, slash, slug = (request.POST.get("design") or request.GET.get("design", "")).partition("/")
    return queries.find(owner=owner, slug=slug, visitor=of_session(request)) if slash else None


@require_http_methods(["GET", "POST"])
@login_required
def edit(request: HttpRequest, owner: str, slug: str) -> HttpResponse:
    """Change a collection's words, its order and its notes; or take it away."""
    person = person_of(request)
    found = find_collection(owner=owner, slug=slug, visitor=person)
    first = {"name": found.name, "about": found.about, "visibility": found.visibility}
    form = CollectionForm(request.POST if request.POST.get("do") == "words" else None, initial=first)
    if request.method == "POST":
        with said_as_message(request):
            if request.POST.get("do") == "delete":
                services.delete_collection(collection=found, by=person)
                messages.success(request, _("The collection is gone. Its designs are where they were."))
                return redirect("rooms:collections")
            if request.POST.get("do") != "words":
                _change_item(request, found)
                return redirect("rooms:collection_edit", owner, slug)
            if form.is_valid():
                services.change_collection(collection=found, by=person, **form.cleaned_data)
                return redirect("rooms:collection", owner, slug)
    services.check_may_change(found, person)
    context = {"collection": found, "items": items_of(found, person), "form": form}
    return render(request, "designs/collection_edit.html", context, status=422 if form.errors else 200)


def _change_item(request: HttpRequest, found: Collection) -> None:
    """Up, down, out, or another note for one design."""
    person, done = person_of(request), request.POST.get("do", "")
    item = found.items.select_related("design").filter(design=number(request.POST.get("item", ""))).first()
    if item is None:
        return
    if done in {"up", "down"}:
        to = item.position + (-1 if done == "up" else 1)
        services.move_design(collection=found, design=item.design, by=person, to=to)
    elif done == "drop":
        services.drop_design(collection=found, design=item.design, by=person)
    elif done == "note":
        note = request.POST.get("note", "")
        services.note_design(collection=found, design=item.design, by=person, note=note)


@require_http_methods(["GET", "POST"])
@login_required
def collect(request: HttpRequest, owner: str, slug: str) -> HttpResponse:
    """Put this design into which collection?"""
    person = person_of(request)
    design = queries.find(owner=owner, slug=slug, visitor=person)
    if request.method == "POST":
        chosen = writable_by(person).filter(pk=number(request.POST.get("collection", ""))).first()
        with said_as_message(request):
            if chosen is not None:
                services.add_design(collection=chosen, design=design, by=person, note=request.POST.get("note", ""))
                return redirect("rooms:collection", chosen.owner.name, chosen.slug)
            messages.error(request, _("Choose a collection."))
    context = {"design": design, "collections": writable_by(person), "holding": holding(design, person)}
    return render(request, "designs/collect.html", context)
