"""The pages of forks: making one, and who made some."""

from typing import Any

from django import forms
from django.contrib.auth.decorators import login_required
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_safe

from commons.errors import CityError
from commons.people.models import Handle, User
from designs.models import Design
from designs.queries.forks import forks_of
from designs.queries.owners import handles_of
from designs.services import fork_design
from designs.views.frame import frame
from designs.visitors import of_session


class ForkForm(forms.Form):
    """Whose the fork will be and what it is called."""

    name = forms.CharField(label=_("Name"), max_length=120)
    slug = forms.CharField(
        label=_("Address"),
        max_length=60,
        required=False,
        help_text=_("The last word of its address; from the name if empty."),
    )

    def __init__(self, *args: Any, owners: list[Handle], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.owners = {owner.name: owner for owner in owners}
        if len(owners) > 1:
            choices = [(owner.name, owner.title) for owner in owners]
            self.fields["owner"] = forms.ChoiceField(label=_("Whose it is"), choices=choices, initial=owners[0].name)

    def owner(self) -> Handle:
        """The handle that the fork will belong to."""
        return self.owners[self.cleaned_data.get("owner") or next(iter(self.owners))]


@login_required
def fork(request: HttpRequest, owner: str, slug: str) -> HttpResponse:
    """Whose shall the fork be?"""
    assert isinstance(request.user, User)  # noqa: S101 login_required
    found, _commit, context = frame(request, owner, slug)
    owners = handles_of(request.user)
    form = ForkForm(request.POST or None, owners=owners, initial=_proposed(found, owners))
    if request.method == "POST" and form.is_valid():
        data = form.cleaned_data
        try:
            made = fork_design(
                design=found, owner=form.owner(), by=request.user, name=data["name"], slug=data["slug"] or data["name"]
            )
        except CityError as refusal:
            form.add_error(None, str(refusal.sentence))
        else:
            return redirect("rooms:design", made.owner.name, made.slug)
    mine = list(forks_of(found, request.user).filter(owner__in=owners)[:5])
    context |= {"form": form, "mine": mine}
    return render(request, "designs/fork.html", context, status=422 if form.errors else 200)


def _proposed(design: Design, owners: list[Handle]) -> dict[str, str]:
    """The parent's name and address, or the next free one when the person has such a design already."""
    taken = set(Design.objects.filter(owner=owners[0]).values_list("slug", flat=True))
    slug = design.slug
    for number in range(2, 100):
        if slug not in taken:
            break
        slug = f"{design.slug[:56]}-{number}"
    return {"name": design.name, "slug": slug}


@require_safe
def forks(request: HttpRequest, owner: str, slug: str) -> HttpResponse:
    """Who goes on from here?"""
    found, _commit, context = frame(request, owner, slug)
    page = Paginator(forks_of(found, of_session(request)), 24).get_page(request.GET.get("page"))
    return render(request, "designs/forks.html", context | {"page": page})
