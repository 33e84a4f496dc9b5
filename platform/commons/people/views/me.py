"""My things: who I am here, my keys for scripts, where I belong, what runs for me."""

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_variables
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from commons.people import queries, services
from commons.people.forms import ProfileForm, TokenForm
from commons.people.signed_in import person_of
from commons.runs import queries as runs


@require_GET
@login_required
@never_cache
def me(request: HttpRequest) -> HttpResponse:
    """Everything of mine in one place."""
    user = person_of(request)
    context = {
        "handle": getattr(user, "handle", None),
        "tokens": queries.tokens_of(user),
        "memberships": queries.memberships_of(user),
        "runs": runs.of_person(user, 10),
    }
    return render(request, "people/me.html", context)


@require_http_methods(["GET", "POST"])
@login_required
def profile(request: HttpRequest) -> HttpResponse:
    """The name to show and the neighbourhood to begin with."""
    user = person_of(request)
    form = ProfileForm(
        request.POST if request.method == "POST" else None, initial={"name": user.name, "home": user.home_id}
    )
    if request.method == "POST" and form.is_valid():
        services.change_profile(user=user, name=form.cleaned_data["name"], home=form.cleaned_data["home"])
        messages.success(request, _("Saved."))
        return redirect("rooms:me")
    return render(request, "people/profile.html", {"form": form}, status=422 if form.errors else 200)


@sensitive_variables("secret")
@require_http_methods(["GET", "POST"])
@login_required
@never_cache
def new_token(request: HttpRequest) -> HttpResponse:
    """Make a token; its secret is on the answer to the POST and nowhere else."""
    user = person_of(request)
    form = TokenForm(request.POST if request.method == "POST" else None, user=user)
    if request.method == "POST" and form.is_valid():
        token, secret = services.create_token(
            user=user,
            name=form.cleaned_data["name"],
            scopes=form.cleaned_data["scopes"],
            expires_at=form.expires_at(),
        )
        return render(request, "people/token_made.html", {"token": token, "secret": secret}, status=201)
    return render(request, "people/new_token.html", {"form": form}, status=422 if form.errors else 200)


@require_POST
@login_required
def revoke_token(request: HttpRequest, pk: int) -> HttpResponse:
    """End a token of mine at once."""
    token = queries.token_of(person_of(request), pk)
    services.revoke_token(token=token)
    messages.success(request, _("The token “%(name)s” works no more.") % {"name": token.name})
    return redirect("rooms:me")
