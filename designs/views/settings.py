"""The settings of a design: what it says of itself, who works on it, where it is, and its end."""

from collections.abc import Callable
from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST

from commons.errors import CityError
from commons.people import queries as people
from commons.people.models import User
from commons.people.signed_in import person_of
from designs import git, queries
from designs.errors import DesignNotFound, NoSuchOffer
from designs.forms import FOLLOW_CHOICES
from designs.licence_field import LicenceWidget
from designs.models import Collaborator, Design
from designs.policies import check_may_manage
from designs.queries.deleted import deleted_of
from designs.queries.people import offers_to
from designs.services import lifecycle, mirrors, transfers
from designs.services.about import MAX_TAGS, change_design, split_tags
from designs.services.collaborators import remove_collaborator, set_collaborator
from designs.services.proposals import set_rules
from designs.services.renaming import rename
from designs.views.frame import frame
from designs.views.posting import number, said_as_message


@require_http_methods(["GET", "POST"])
@login_required
@never_cache
def settings(request: HttpRequest, owner: str, slug: str) -> HttpResponse:
    """What should be different about this design? One small form for each thing."""
    person = person_of(request)
    design = queries.find(owner=owner, slug=slug, visitor=person)
    check_may_manage(person, design)
    refusal: CityError | None = None
    done = request.POST.get("do", "")
    if request.method == "POST" and done in FORMS:
        try:
            gone = FORMS[done](design, person, request.POST)
        except CityError as error:
            refusal = error
        else:
            if gone:
                return redirect("rooms:me")
            design.refresh_from_db()
            messages.success(request, _("Saved."))
            return redirect("rooms:design_settings", design.owner.name, design.slug)
    _design, _commit, context = frame(request, owner, slug, tab="settings")
    context |= _choices(design) | {"refusal": refusal, "failed": done if refusal else "", "typed": request.POST}
    return render(request, "designs/settings.html", context, status=refusal.status if refusal else 200)


def _choices(design: Design) -> dict[str, Any]:
    branches = sorted(
        ref.removeprefix("refs/heads/") for ref in git.of(design.repository).refs() if ref.startswith("refs/heads/")
    )
    return {
        "mirror": design.mirror if design.is_mirror else None,
        "follow_choices": FOLLOW_CHOICES,
        "branches": branches,
        "licence_choice": LicenceWidget().render("licence", design.licence, {"id": "licence"}),
        "collaborators": design.collaborators.select_related("user").order_by("user__username"),
        "roles": Collaborator.Role.choices,
        "offer": design.transfers.filter(ended_at=None).select_related("to").first(),
        "old_addresses": design.old_addresses.select_related("owner").order_by("-since"),
        "grace_days": lifecycle.GRACE.days,
        "max_tags": MAX_TAGS,
        "visibilities": Design.Visibility.choices,
    }


def _about(design: Design, person: User, sent: Any) -> None:
    change_design(
        design=design, by=person, name=sent.get("name", ""), summary=sent.get("summary", ""),
        tags=split_tags(sent.get("tags", "")), licence=LicenceWidget().value_from_datadict(sent, {}, "licence"),
        visibility=sent.get("visibility", ""), default_branch=sent.get("default_branch") or None,
    )  # fmt: skip


def _rules(design: Design, person: User, sent: Any) -> None:
    set_rules(design=design, by=person, merge_needs_approval=bool(sent.get("merge_needs_approval")))


def _rename(design: Design, person: User, sent: Any) -> None:
    rename(design=design, by=person, slug=sent.get("slug", ""))


def _invite(design: Design, person: User, sent: Any) -> None:
    invited = people.person(sent.get("person", "").strip().lstrip("@"))
    set_collaborator(design=design, person=invited, role=sent.get("role", ""), by=person)


def _dismiss(design: Design, person: User, sent: Any) -> None:
    remove_collaborator(design=design, person=people.person(sent.get("person", "")), by=person)


def _offer(design: Design, person: User, sent: Any) -> None:
    to = people.handle(sent.get("to", "").strip().lstrip("@"))
    transfers.offer(design=design, to=to, by=person)


def _withdraw(design: Design, person: User, sent: Any) -> None:
    found = design.transfers.filter(ended_at=None).first()
    if found is not None:
        transfers.refuse(transfer=found, by=person)


def _archive(design: Design, person: User, sent: Any) -> None:
    lifecycle.archive(design=design, by=person)


def _unarchive(design: Design, person: User, sent: Any) -> None:
    lifecycle.unarchive(design=design, by=person)


def _delete(design: Design, person: User, sent: Any) -> bool:
    lifecycle.remove(design=design, by=person, typed=sent.get("typed", ""))
    return True


def _mirror_every(design: Design, person: User, sent: Any) -> None:
    mirrors.change(design=design, by=person, every_hours=number(sent.get("every_hours", "")))


def _mirror_fetch(design: Design, person: User, sent: Any) -> None:
    mirrors.fetch_now(design=design, by=person)


def _mirror_end(design: Design, person: User, sent: Any) -> None:
    mirrors.let_go(design=design, by=person)


#: What each form of the page does; a true answer leaves the design's pages.
FORMS: dict[str, Callable[[Design, User, Any], bool | None]] = {
    "about": _about,
    "rules": _rules,
    "rename": _rename,
    "invite": _invite,
    "dismiss": _dismiss,
    "offer": _offer,
    "withdraw": _withdraw,
    "archive": _archive,
    "unarchive": _unarchive,
    "delete": _delete,
    "mirror_every": _mirror_every,
    "mirror_fetch": _mirror_fetch,
    "mirror_end": _mirror_end,
}


@require_POST
@login_required
def restore(request: HttpRequest, pk: int) -> HttpResponse:
    """Bring a deleted design of mine back."""
    person = person_of(request)
    design = deleted_of(person).filter(pk=pk).first()
    if design is None:
        raise DesignNotFound(_("There is nothing to bring back."))
    lifecycle.restore(design=design, by=person)
    messages.success(request, _("“%(name)s” is back.") % {"name": design.name})
    return redirect("rooms:design", design.owner.name, design.slug)


@require_POST
@login_required
def answer_offer(request: HttpRequest, pk: int) -> HttpResponse:
    """Take a design that is offered to me (`do=take`), or do not."""
    person = person_of(request)
    transfer = next((offer for offer in offers_to(person) if offer.pk == pk), None)
    if transfer is None:
        raise NoSuchOffer(_("This offer was answered or withdrawn meanwhile."))
    with said_as_message(request):
        if request.POST.get("do") == "take":
            moved = transfers.take(transfer=transfer, by=person)
            return redirect("rooms:design", moved.owner.name, moved.slug)
        transfers.refuse(transfer=transfer, by=person)
    return redirect("rooms:me")


@require_POST
@login_required
def leave(request: HttpRequest, owner: str, slug: str) -> HttpResponse:
    """End my own role in a design."""
    person = person_of(request)
    design = queries.find(owner=owner, slug=slug, visitor=person)
    remove_collaborator(design=design, person=person, by=person)
    messages.success(request, _("You no longer work on “%(name)s”.") % {"name": design.name})
    return redirect("rooms:me")
