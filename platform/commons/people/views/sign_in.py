"""The one-time sign-in link."""

from django.contrib.auth import login
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_variables
from django.views.decorators.http import require_http_methods

from commons.people import queries, services, sessions
from commons.people.errors import BadLink

BACKEND = "django.contrib.auth.backends.ModelBackend"


@sensitive_variables("secret")
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def sign_in_link(request: HttpRequest, secret: str) -> HttpResponse:
    """GET only shows a button, since link scanners follow links; POST uses the link up and signs in."""
    if request.method != "POST":
        person = queries.person_of_link(secret)
        if person is None:
            raise BadLink(_("It was used already, is older than a day, or was copied only in part. Ask for a new one."))
        return render(request, "people/sign_in_link.html", {"person": person})
    user = services.use_sign_in_link(secret=secret)
    if user is None:
        raise BadLink(_("It was used already, is older than a day, or was copied only in part. Ask for a new one."))
    login(request, user, backend=BACKEND)
    sessions.begin(request)
    return redirect("rooms:me")
