"""One's own badges, those that somebody shows, the check of anybody's badge, and the documents of issuers."""

import hashlib
import json
import uuid
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.cache import cache
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.dateparse import parse_datetime
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from commons.errors import CityError
from commons.people.models import User
from commons.runs.models import Run
from commons.web.addresses import client_ip
from labs.credentials.documents import did_document
from labs.errors.learning import BadCredential, TooManyChecks, UnknownBadge
from labs.models import BadgeGrant, Credential, IssuerKey, Lab, OutsideBadge, TrustRule
from labs.queries import badges, catalogue, learning
from labs.services import credentials, trust
from labs.views.common import viewer

#: Checks of documents that one address may ask for in a minute.
CHECKS_A_MINUTE = 20
LD_JSON = "application/ld+json"


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def mine(request: HttpRequest) -> HttpResponse:
    """What may I use, until when, and how do I prove it elsewhere? POST brings a badge from elsewhere."""
    person, now = viewer(request), timezone.now()
    assert person is not None  # noqa: S101 login_required
    refusal: CityError | None = None
    if request.method == "POST":
        try:
            _slow(request)
            run = trust.start_bringing(user=person, document=_document(request))
            return redirect("rooms:run", run.pk)
        except CityError as fault:
            refusal = fault
    good = {one.grant.pk: one for one in badges.of_person(person, at=now)}
    rows = list(badges.all_of(person)[:200])
    context = {
        "good": [(good[g.pk].until, g, _credential(g)) for g in rows if g.pk in good],
        "past": [g for g in rows if g.pk not in good],
        "brought": OutsideBadge.objects.filter(user=person).prefetch_related("grants__badge"),
        "seats": list(learning.seats_of(person, now)),
        "sign_offs": person.sign_offs.filter(confirmed_at=None, withdrawn_at=None).select_related(
            "teaching__course", "teaching__badge", "teaching__lab"
        ),
        "refusal": refusal,
        "site": settings.PUBLIC_URL,
        "now": now,
    }
    return render(request, "labs/my_badges.html", context, status=refusal.status if refusal else 200)


def _credential(grant: BadgeGrant) -> Credential | None:
    return getattr(grant, "credential", None)


def _own(request: HttpRequest, credential: uuid.UUID) -> Credential:
    rows = Credential.objects.select_related("grant__badge", "list__key__lab")
    found = rows.filter(pk=credential, grant__user=viewer(request)).first()
    if found is None:
        raise UnknownBadge(_("There is no such badge, or it is not yours."))
    return found


@login_required
@require_safe
def download(request: HttpRequest, credential: uuid.UUID) -> HttpResponse:
    """The signed document of one's own badge, as a file."""
    return _file(_own(request, credential))


def _file(credential: Credential) -> HttpResponse:
    if credential.document is None:
        raise UnknownBadge(_("The badge is being signed; try again in a minute."))
    answer = JsonResponse(credential.document, json_dumps_params={"indent": 2, "ensure_ascii": False})
    answer["Content-Type"] = LD_JSON
    answer["Content-Disposition"] = f'attachment; filename="{credential.grant.badge.slug}.json"'
    return answer


@login_required
@require_POST
def share(request: HttpRequest, credential: uuid.UUID) -> HttpResponse:
    """Show a badge to whoever has its address, or no longer."""
    found = _own(request, credential)
    if request.POST.get("do") == "unshare":
        credentials.unshare(credential=found)
        messages.success(request, _("Nobody sees this badge any more."))
    else:
        credentials.share(credential=found)
        messages.success(request, _("Whoever has the address below sees this badge and can check it."))
    return redirect("rooms:my_badges")


def _shared(key: str) -> Credential:
    rows = Credential.objects.select_related("grant__badge", "grant__user", "grant__given_in", "list__key__lab")
    found = rows.filter(share=key).first() if key else None
    if found is None:
        raise UnknownBadge(_("There is no badge at this address; perhaps its owner has closed it."))
    return found


@require_safe
def shared(request: HttpRequest, key: str) -> HttpResponse:
    """Who has this badge, from whom, and is it good?"""
    found, now = _shared(key), timezone.now()
    good = {one.grant.pk: one for one in badges.of_person(found.grant.user, at=now)}
    context = {
        "credential": found,
        "grant": found.grant,
        "held": good.get(found.grant_id),
        "key": key,
        "document": json.dumps(found.document, indent=2, ensure_ascii=False) if found.document else "",
    }
    return _private(render(request, "labs/shared_badge.html", context))


@require_safe
def shared_file(request: HttpRequest, key: str) -> HttpResponse:
    """The signed document of a badge that is shown."""
    return _private(_file(_shared(key)))


def _private(answer: HttpResponse) -> HttpResponse:
    """An address that is a secret is told to nobody: no index, no referrer."""
    answer["X-Robots-Tag"] = "noindex"
    answer["Referrer-Policy"] = "no-referrer"
    return answer


@require_http_methods(["GET", "HEAD", "POST"])
def verify(request: HttpRequest) -> HttpResponse:
    """Is this badge good? Anybody may ask, of any badge."""
    refusal: CityError | None = None
    if request.method == "POST":
        try:
            _slow(request)
            run = trust.start_verifying(document=_document(request))
            return redirect("rooms:verified", run.pk)
        except CityError as fault:
            refusal = fault
    key = request.GET.get("badge", "")
    text = json.dumps(_shared(key).document, indent=2, ensure_ascii=False) if key else ""
    context = {"refusal": refusal, "text": request.POST.get("document", text)[: trust.MAX_BYTES]}
    return render(request, "labs/verify.html", context, status=refusal.status if refusal else 200)


def _slow(request: HttpRequest) -> None:
    """Raises TooManyChecks when an address asks for more than it may."""
    who = request.user.pk if isinstance(request.user, User) else client_ip(request)
    key = f"labs.verify:{hashlib.sha256(str(who).encode()).hexdigest()[:20]}"
    try:
        cache.add(key, 0, 60)
        asked = cache.incr(key)
    except ValueError:  # it ran out in between
        return
    if asked > CHECKS_A_MINUTE:
        raise TooManyChecks(_("You may have %(n)d badges checked in a minute. Wait a little.") % {"n": CHECKS_A_MINUTE})


def _document(request: HttpRequest) -> str:
    """The JSON that was uploaded or pasted. Raises BadCredential."""
    upload = request.FILES.get("file")
    if upload is None:
        return str(request.POST.get("document", ""))
    if upload.size is None or upload.size > trust.MAX_BYTES:
        raise BadCredential(_("This is no badge: a badge is a JSON document of at most 128 kB."))
    return bytes(upload.read()).decode("utf-8", "replace")


@require_safe
def verified(request: HttpRequest, run: uuid.UUID) -> HttpResponse:
    """What was found about a badge. The address is known to who asked alone."""
    found = Run.objects.filter(pk=run, kind="labs.verify_badge").first()
    if found is None:
        raise UnknownBadge(_("There is no such check, or it was forgotten: checks are kept for a day."))
    verdict = found.result or {}
    context: dict[str, Any] = {"run": found, "verdict": verdict, "waits": not found.is_over}
    if verdict.get("signature") == "good":
        context |= {
            "issuer": _issuer(verdict["issuer"]),
            "believers": _believers(verdict),
            "from": parse_datetime(verdict["valid_from"]) if verdict["valid_from"] else None,
            "until": parse_datetime(verdict["valid_until"]) if verdict["valid_until"] else None,
        }
    return _private(render(request, "labs/verified.html", context))


def _issuer(did: str) -> Lab | None:
    """The lab here whose key that is, in use or retired."""
    multikey = did.removeprefix("did:key:")
    key = IssuerKey.objects.select_related("lab").filter(multikey=multikey).first()
    return key.lab if key else None


def _believers(verdict: dict[str, Any]) -> list[TrustRule]:
    """What labs here say about the issuer of a badge from elsewhere."""
    rules = TrustRule.objects.filter(issuer_did=verdict["issuer"], believes=True)
    rules = rules.filter(achievement__in=["", verdict["achievement"]])
    return list(rules.select_related("lab", "badge").order_by("lab__name")[:50])


@require_safe
def did(request: HttpRequest, lab: str) -> HttpResponse:
    """Who the lab is as an issuer: its keys, in use and retired, as a DID document (did:web)."""
    found = catalogue.find_lab(lab)
    keys = [key.multikey for key in found.issuer_keys.all()]
    site = urlsplit(settings.PUBLIC_URL)
    name = ":".join(["did", "web", site.netloc.replace(":", "%3A"), "labs", found.slug])
    answer = JsonResponse(
        did_document(did=name, multikeys=keys, url=f"{settings.PUBLIC_URL}{reverse('rooms:lab', args=[found.slug])}")
    )
    answer["Content-Type"] = "application/did+json"
    answer["Access-Control-Allow-Origin"] = "*"
    return answer


@require_safe
def status_list(request: HttpRequest, lab: str, key: int, number: int) -> HttpResponse:
    """What a lab has taken back, signed. Anybody may keep it for five minutes."""
    found = credentials.find_list(lab, key, number)
    if found is None or found.document is None:
        raise UnknownBadge(_("There is no such list."))
    answer = JsonResponse(found.document)
    answer["Content-Type"] = "application/vc+ld+json"
    answer["Cache-Control"] = "public, max-age=300"
    answer["Access-Control-Allow-Origin"] = "*"
    return answer
