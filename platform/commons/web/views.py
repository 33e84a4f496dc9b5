"""Pages of the web kit itself: the gallery of components, and the choice of light or dark for those without script."""

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.http import require_POST, require_safe

from commons.web import states as examples

YEAR_S = 31_536_000


@require_safe
def states(request: HttpRequest) -> HttpResponse:
    """Every component in every state, with invented figures; developers and reviewers look here."""
    return render(request, "web/states.html", examples.context())


@require_POST
def choose_theme(request: HttpRequest) -> HttpResponse:
    """Keep "light" or "dark" in a cookie, or forget it for "system", and go back to the page."""
    target = request.POST.get("next", "/")
    if not url_has_allowed_host_and_scheme(
        target, allowed_hosts={request.get_host()}, require_https=request.is_secure()
    ):
        target = "/"
    response = HttpResponseRedirect(target)
    chosen = request.POST.get("theme")
    if chosen in {"light", "dark"}:
        # Script reads and writes it too, so it cannot be HttpOnly; it holds nothing but the word.
        response.set_cookie("theme", chosen, max_age=YEAR_S, samesite="Lax", secure=request.is_secure())
    else:
        response.delete_cookie("theme", samesite="Lax")
    return response
