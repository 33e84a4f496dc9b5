"""The talk of a design: read it, say something, change or take away one's own words."""

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from commons.errors import CityError
from commons.people.signed_in import person_of
from designs import queries
from designs.queries.talk import find_comment, threads
from designs.services import talk
from designs.views.frame import frame
from designs.views.posting import number, said_as_message
from designs.visitors import of_session


@require_safe
def talk_page(request: HttpRequest, owner: str, slug: str) -> HttpResponse:
    """What do people say about it?"""
    return _page(request, owner, slug)


def _page(
    request: HttpRequest, owner: str, slug: str, *, typed: str = "", refusal: CityError | None = None
) -> HttpResponse:
    design, _commit, context = frame(request, owner, slug, tab="talk")
    context |= {
        "threads": threads(design, of_session(request)),
        "answering": number(request.POST.get("answers", "") or request.GET.get("answer", "")),
        "editing": number(request.GET.get("edit", "")),
        "typed": typed,
        "refusal": refusal,
    }
    return render(request, "designs/talk.html", context, status=refusal.status if refusal else 200)


@require_POST
@login_required
def say(request: HttpRequest, owner: str, slug: str) -> HttpResponse:
    """A comment, or an answer to one. What was typed is never lost."""
    person = person_of(request)
    design = queries.find(owner=owner, slug=slug, visitor=person)
    body = request.POST.get("body", "")
    try:
        root = number(request.POST.get("answers", ""))
        answers = find_comment(design, root) if root else None
        said = talk.say(design=design, author=person, body=body, answers=answers)
    except CityError as refusal:
        return _page(request, owner, slug, typed=body, refusal=refusal)
    return redirect(talk.url_of(said))


@require_POST
@login_required
def change(request: HttpRequest, owner: str, slug: str, pk: int) -> HttpResponse:
    """Change one's words (`do=edit`), take a comment away (`remove`), settle a thread (`resolve`, `reopen`)."""
    person = person_of(request)
    comment = find_comment(queries.find(owner=owner, slug=slug, visitor=person), pk)
    done, url = request.POST.get("do", ""), talk.url_of(comment)
    with said_as_message(request):
        if done == "edit":
            talk.edit(comment=comment, by=person, body=request.POST.get("body", ""))
        elif done == "remove":
            talk.remove(comment=comment, by=person)
            messages.success(request, _("The comment is gone."))
        elif done in {"resolve", "reopen"}:
            talk.resolve(comment=comment, by=person, resolved=done == "resolve")
    return redirect(url)
