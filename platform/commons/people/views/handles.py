"""Public pages of people and organisations."""

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from commons.errors import CityError, NotFound
from commons.people import policies, queries, services
from commons.people.forms import MemberForm, OrganisationForm
from commons.people.models import Organisation, User


@require_safe
def handle(request: HttpRequest, name: str) -> HttpResponse:
    """A person or an organisation; what they made hangs below, from the rooms."""
    found = queries.handle(name)
    if name != found.name:
        return redirect("rooms:person", found.name, permanent=True)
    organisation = found.organisation
    context = {
        "handle": found,
        "organisation": organisation,
        "members": queries.members_of(organisation) if organisation else (),
        "memberships": queries.memberships_of(found.user) if found.user else (),
        "may_manage": organisation is not None and policies.may_manage(request.user, organisation),
        "form": MemberForm(),
    }
    return render(request, "people/handle.html", context)


@require_http_methods(["GET", "POST"])
@login_required
def new_organisation(request: HttpRequest) -> HttpResponse:
    """Found an organisation; its founder is its owner."""
    form = OrganisationForm(request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid() and isinstance(request.user, User):
        try:
            made = services.create_organisation(founder=request.user, **form.cleaned_data)
            return redirect("rooms:person", made.handle.name)
        except CityError as refusal:
            form.add_error("handle", str(refusal.sentence))
    return render(request, "people/new_organisation.html", {"form": form}, status=422 if form.errors else 200)


@require_POST
@login_required
def set_member(request: HttpRequest, name: str) -> HttpResponse:
    """Give a person a role, or change it."""
    organisation = _organisation(name)
    policies.check_may_manage(request.user, organisation)
    form = MemberForm(request.POST)
    if not form.is_valid():
        messages.error(request, _("Write an account name and choose a role."))
        return redirect("rooms:person", name)
    policies.check_may_give(request.user, organisation, form.cleaned_data["role"])
    person = queries.person(form.cleaned_data["person"])
    services.set_role(organisation=organisation, user=person, role=form.cleaned_data["role"])
    messages.success(request, _("%(person)s belongs to %(name)s now.") % {"person": person, "name": organisation.name})
    return redirect("rooms:person", name)


@require_POST
@login_required
def remove_member(request: HttpRequest, name: str, person: str) -> HttpResponse:
    """End a membership: a manager ends another's, anyone ends their own."""
    organisation = _organisation(name)
    leaving = queries.person(person)
    if leaving != request.user:
        policies.check_may_give(request.user, organisation, queries.role_in(leaving, organisation) or "")
    services.remove_member(organisation=organisation, user=leaving)
    messages.success(request, _("%(person)s has left %(name)s.") % {"person": leaving, "name": organisation.name})
    return redirect("rooms:person", name)


def _organisation(name: str) -> Organisation:
    organisation = queries.handle(name).organisation
    if organisation is None:
        raise NotFound(_("There is no organisation called “%(name)s”.") % {"name": name})
    return organisation
