"""My data as a file, and the end of my account."""

import uuid

from django.conf import settings
from django.contrib.auth import logout
from django.contrib.auth.decorators import login_required
from django.http import FileResponse, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_safe

from commons import kept
from commons.errors import CityError
from commons.kept import Kept
from commons.owndata import closing, exports
from commons.owndata.forms import CloseForm
from commons.people.signed_in import person_of


@require_safe
def known(request: HttpRequest) -> HttpResponse:
    """What the city keeps of anybody, who sees it and for how long: the list by which it is exported and deleted."""
    rows = [(about, [(one, _fates(one)) for one in tables]) for about, tables in kept.by_app()]
    context = {
        "apps": rows,
        "file_days": exports.KEEP.days,
        "session_days": settings.SESSION_COOKIE_AGE // 86_400,
        "backup_days": closing.backup_days(),
        "backups": settings.BACKUP_KEEP,
    }
    return render(request, "owndata/known.html", context)


def _fates(one: Kept) -> list[str]:
    """What becomes of such rows when the account is closed, each said once."""
    return list(dict.fromkeys(str(kept.SAID[closing]) for closing in [*one.ties.values(), *one.names.values()]))


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
@never_cache
def data(request: HttpRequest) -> HttpResponse:
    """What is kept, and a file of it. POST begins to write one."""
    person = person_of(request)
    if request.method == "POST":
        exports.start(person=person)
        return redirect("rooms:own_data")
    context = {"going": exports.going(person), "ready": exports.ready(person), "tables": len(kept.everything())}
    return render(request, "owndata/data.html", context)


@require_safe
@login_required
@never_cache
def download(request: HttpRequest, pk: uuid.UUID) -> FileResponse:
    """The file, to its person alone."""
    export, path = exports.find(person_of(request), pk)
    response = FileResponse(
        path.open("rb"), as_attachment=True, content_type="application/zip",
        filename=f"living-city-{export.run.created_at:%Y-%m-%d}.zip",
    )  # fmt: skip
    response["X-Content-Type-Options"] = "nosniff"
    return response


@sensitive_post_parameters("password")
@require_http_methods(["GET", "HEAD", "POST"])
@login_required
@never_cache
def close(request: HttpRequest) -> HttpResponse:
    """What closing would do; POST does it. What was refused is said on the same page, and nothing has changed."""
    person = person_of(request)
    form = CloseForm(request.POST if request.method == "POST" else None, user=person)
    status, refusal = 200, ""
    if request.method == "POST" and form.is_valid():
        try:
            closing.prove(
                request, person, name=form.cleaned_data["name"], password=form.cleaned_data.get("password", "")
            )
            whole = closing.close(person)
        except CityError as refused:
            status, refusal = refused.status, str(refused.sentence)
        else:
            logout(request)
            return render(request, "owndata/closed.html", {"whole": whole, "backup_days": closing.backup_days()})
    elif request.method == "POST":
        status = 422
    context = {
        "plan": closing.plan(person), "form": form, "refusal": refusal, "backup_days": closing.backup_days(),
    }  # fmt: skip
    return render(request, "owndata/close.html", context, status=status)
