"""My notices: read them, mark them, choose what comes and how."""

from typing import Any

from allauth.account.models import EmailAddress
from django.conf import settings
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as lazy
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from commons.errors import NotFound
from commons.notices import mail, queries, services
from commons.notices.models import MailChoice, Notice
from commons.people.models import User
from commons.people.signed_in import person_of

PAGE = 50
ROOMS = {
    "designs": lazy("Designs"),
    "labs": lazy("Labs"),
    "energy": lazy("Energy"),
    "twin": lazy("Twin"),
    "decisions": lazy("Decisions"),
    "reports": lazy("Reports"),
}


@require_GET
@login_required
@never_cache
def notices(request: HttpRequest) -> HttpResponse:
    """What happened that concerns me, by day."""
    person, before = person_of(request), request.GET.get("before", "")
    beyond = int(before) if before.isdecimal() and len(before) < 19 else None
    found = queries.newest(person, limit=PAGE, before=beyond)
    last = found[-1].pk if found else None
    older = last if last and Notice.objects.filter(person=person, pk__lt=last).exists() else None
    context = {
        "days": mail.by_day(found),
        "unread": any(notice.read_at is None for notice in found),
        "older": older,
    }
    return render(request, "notices/notices.html", context | _letters(person))


def _letters(person: User) -> dict[str, Any]:
    """When letters come, in which language, and whether they can."""
    return {
        "choices": MailChoice.When.choices,
        "chosen": queries.mail_choice(person),
        "languages_of_letters": settings.LANGUAGES,
        "language_of_letters": queries.chosen_language(person) or get_language(),
        "proven": EmailAddress.objects.filter(user=person, verified=True, primary=True).exists(),
    }


@require_GET
@login_required
@never_cache
def notice(request: HttpRequest, pk: int) -> HttpResponse:
    """Go to what a notice is about; it is read then."""
    person = person_of(request)
    found = queries.visible(person, Notice.objects.filter(person=person, pk=pk))
    if not found or not found[0].url.startswith("/") or found[0].url.startswith("//"):
        raise NotFound(_("There is no such notice, or what it was about is gone."))
    services.mark_read(person=person, numbers=[pk])
    return redirect(found[0].url)


@require_POST
@login_required
def read(request: HttpRequest) -> HttpResponse:
    """Mark one read, or all."""
    number = request.POST.get("number", "")
    one = [int(number)] if number.isdecimal() and len(number) < 19 else None
    services.mark_read(person=person_of(request), numbers=one)
    return redirect("rooms:notices")


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
@never_cache
def settings_page(request: HttpRequest) -> HttpResponse:
    """What I am told, where, and when by mail. POST keeps it."""
    person = person_of(request)
    if request.method == "POST":
        chosen = {
            name.removeprefix("kind:"): str(value) for name, value in request.POST.items() if name.startswith("kind:")
        }
        services.choose_kinds(person=person, chosen=chosen)
        services.choose_mail(
            person=person, when=request.POST.get("when", ""), language=request.POST.get("language", "")
        )
        messages.success(request, _("Saved."))
        return redirect("rooms:notice_settings")
    context = {
        "rooms": [(ROOMS.get(room, room), listed) for room, listed in queries.kinds_of(person)],
        "places": MailChoice.Where.choices,
    }
    return render(request, "notices/settings.html", context | _letters(person))


@require_POST
@login_required
def choose_mail(request: HttpRequest) -> HttpResponse:
    """Choose when letters come."""
    asked = {name: request.POST.get(name, "") for name in ("when", "language")}
    services.choose_mail(person=person_of(request), **asked)
    messages.success(request, _("Saved."))
    return redirect("rooms:notices")


@csrf_exempt  # mail programs post here by themselves (RFC 8058); the signed word in the address is the proof
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def unsubscribe(request: HttpRequest, word: str) -> HttpResponse:
    """End a person's letters. GET only asks, since programs follow links."""
    person = mail.person_of(word)
    if person is None:
        raise NotFound(_("This link is not one of ours, or was copied only in part."))
    done = request.method == "POST"
    if done:
        services.choose_mail(person=person, when=MailChoice.When.NEVER)
    return render(request, "notices/unsubscribe.html", {"person": person, "done": done})
