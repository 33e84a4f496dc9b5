"""Where I am signed in, and ending it."""

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from commons.people import sessions as signed_in
from commons.people.signed_in import person_of


@require_safe
@login_required
@never_cache
def sessions(request: HttpRequest) -> HttpResponse:
    """Where am I signed in, and is that me?"""
    return render(request, "people/sessions.html", {"places": signed_in.places(request, person_of(request))})


@require_POST
@login_required
def end_session(request: HttpRequest, pk: int) -> HttpResponse:
    """End one of them."""
    signed_in.end(user=person_of(request), pk=pk)
    messages.success(request, _("That browser is signed out."))
    return redirect("rooms:sessions")


@require_POST
@login_required
def end_other_sessions(request: HttpRequest) -> HttpResponse:
    """End all but this one."""
    count = signed_in.end_others(request, person_of(request))
    words = ngettext("%(n)s other browser is signed out.", "%(n)s other browsers are signed out.", count)
    messages.success(request, words % {"n": count})
    return redirect("rooms:sessions")
