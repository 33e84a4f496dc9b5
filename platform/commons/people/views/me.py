"""My things: who I am here, my keys for scripts, where I belong, what runs for me."""

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render


@login_required
def me(request: HttpRequest) -> HttpResponse:
    """The page."""
    return render(request, "people/me.html", {})
