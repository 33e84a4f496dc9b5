"""What a lab says about others' badges, and badges that people bring from elsewhere."""

import json
from collections.abc import Iterable
from typing import Any

from django.db import IntegrityError, transaction
from django.urls import reverse
from django.utils import timezone
from django.utils.dateparse import parse_datetime
from django.utils.translation import gettext as _

from commons.notices.services import tell
from commons.people.models import User
from commons.runs import services as runs
from commons.runs.models import Run
from labs.errors.learning import BadCredential, BadTrust
from labs.models import Badge, BadgeGrant, Lab, OutsideBadge, TrustPolicy, TrustRule

MAX_BYTES = 128 * 1024
MOST_BROUGHT = 50


@transaction.atomic
def set_scope(*, lab: Lab, scope: str, by: User | None = None) -> TrustPolicy:
    """Whose badges count where no rule says otherwise. Raises BadTrust."""
    if scope not in TrustPolicy.Scope.values:
        raise BadTrust(_("Choose one of: all, listed, own."))
    kept, _made = TrustPolicy.objects.update_or_create(lab=lab, defaults={"scope": scope, "changed_by": by})
    return kept


@transaction.atomic
def add_rule(
    *,
    lab: Lab,
    giver: Lab | None = None,
    issuer_did: str = "",
    issuer_name: str = "",
    achievement: str = "",
    badge: Badge | None = None,
    believes: bool = True,
    by: User | None = None,
) -> TrustRule:
    """Believe, or not, the badges of a lab here or of an issuer elsewhere. Raises BadTrust."""
    issuer_did = issuer_did.strip()
    if (giver is None) == (not issuer_did):
        raise BadTrust(_("Name either a lab here, or the DID of an issuer elsewhere."))
    if giver is not None and giver.pk == lab.pk:
        raise BadTrust(_("A lab always believes its own badges."))
    if issuer_did and (not issuer_did.startswith(("did:key:", "did:web:")) or len(issuer_did) > 300):
        raise BadTrust(_("An issuer's DID begins with did:key: or did:web:."))
    if issuer_did and badge is None:
        raise BadTrust(_("Say which badge of yours theirs counts as."))
    try:
        with transaction.atomic():
            rule = TrustRule.objects.create(
                lab=lab,
                giver=giver,
                issuer_did=issuer_did,
                issuer_name=issuer_name[:120],
                achievement=achievement.strip()[:500],
                badge=badge,
                believes=believes,
                by=by,
            )
    except IntegrityError:
        raise BadTrust(_("There is such a rule already; take it away first.")) from None
    if issuer_did and believes:
        _grant_brought(OutsideBadge.objects.filter(issuer=issuer_did).select_related("user"))
    return rule


def remove_rule(*, rule: TrustRule) -> None:
    """The lab no longer says this."""
    rule.delete()


def start_bringing(*, user: User, document: str) -> Run:
    """Have a badge of another site checked, and kept if it is good and names this person. Raises BadCredential."""
    read_json(document)
    if OutsideBadge.objects.filter(user=user).count() >= MOST_BROUGHT:
        raise BadCredential(_("You have brought %(n)d badges; that is the most.") % {"n": MOST_BROUGHT})
    inputs = {"document": document, "user": user.pk}
    return runs.start(kind="labs.bring_badge", inputs=inputs, title=_("Checking a badge"), owner=user)


def start_verifying(*, document: str) -> Run:
    """Have a badge of anybody checked. Raises BadCredential."""
    read_json(document)
    return runs.start(kind="labs.verify_badge", inputs={"document": document}, title="Checking a badge")


def read_json(document: str) -> dict[str, Any]:
    """A JSON object of at most 128 kB. Raises BadCredential."""
    try:
        found = json.loads(document) if len(document.encode("utf-8", "replace")) <= MAX_BYTES else None
    except (ValueError, RecursionError):
        found = None
    if not isinstance(found, dict):
        raise BadCredential(_("This is no badge: a badge is a JSON document of at most 128 kB."))
    return found


@transaction.atomic
def keep_brought(*, user: User, document: str, verdict: dict[str, Any]) -> OutsideBadge:
    """Keep a badge that was found to be good and to be this person's, and let it count where a rule names it."""
    kept, _made = OutsideBadge.objects.update_or_create(
        user=user,
        credential_id=str(verdict["id"])[:300],
        defaults={
            "document": read_json(document),
            "verdict": verdict,
            "issuer": str(verdict["issuer"])[:300],
            "achievement": str(verdict["achievement"])[:500],
            "checked_at": timezone.now(),
        },
    )
    _grant_brought([kept])
    return kept


def _grant_brought(brought: Iterable[OutsideBadge]) -> None:
    """A grant for each badge here that some lab takes one of these for; which lab believes it is asked at use."""
    for one in brought:
        rules = TrustRule.objects.filter(issuer_did=one.issuer, believes=True).exclude(badge=None)
        for rule in rules.filter(achievement__in=["", one.achievement]).select_related("badge"):
            until = parse_datetime(one.verdict.get("valid_until") or "")
            if BadgeGrant.objects.filter(outside=one, badge=rule.badge).exists() or rule.badge is None:
                continue
            BadgeGrant.objects.create(
                badge=rule.badge,
                user=one.user,
                outside=one,
                expires_at=until,
                evidence=f"{one.verdict.get('name', '')}, {one.verdict.get('issuer_name', '')}"[:200],
            )
            text = _("Your badge of %(issuer)s counts here as “%(badge)s”.") % {
                "issuer": one.verdict.get("issuer_name") or one.issuer,
                "badge": rule.badge.name,
            }
            tell(people=[one.user], kind="labs.badge", text=text, url=reverse("rooms:my_badges"))


@transaction.atomic
def recheck(*, brought: OutsideBadge, verdict: dict[str, Any]) -> None:
    """Write down what a badge from elsewhere was found to be today; one that was taken back counts no longer."""
    OutsideBadge.objects.filter(pk=brought.pk).update(verdict=verdict, checked_at=timezone.now())
    if "bad" in {verdict["signature"], verdict["status"]}:
        BadgeGrant.objects.filter(outside=brought, revoked_at=None).update(revoked_at=timezone.now())


def text_of(brought: OutsideBadge) -> str:
    """Its document as text."""
    return json.dumps(brought.document)
