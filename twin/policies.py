"""Who may do what in the twin.

Everybody may make a scenario, copy one and have it reckoned, without an account; who has its link sees it.
"""

import hashlib
import hmac

from django.contrib.auth.models import AnonymousUser
from django.db.models import QuerySet

from commons.people.models import Membership, Organisation, User
from twin.models.ahead import Sandbox
from twin.models.scenario_comments import ScenarioComment
from twin.models.scenarios import Scenario

STEWARDS = (Membership.Role.STEWARD, Membership.Role.MANAGER, Membership.Role.OWNER)


def may_reckon(user: User | AnonymousUser) -> bool:
    """Who may have an engine look at a district again: who may import it."""
    return may_import(user)


def may_import(user: User | AnonymousUser) -> bool:
    """Staff, and stewards of an organisation that is a city."""
    if not isinstance(user, User):
        return False
    return (
        user.is_staff or user.memberships.filter(organisation__kind=Organisation.Kind.CITY, role__in=STEWARDS).exists()
    )


def may_remove_sandbox(user: User | AnonymousUser, box: Sandbox) -> bool:
    """Who branched a sandbox, and stewards."""
    return (isinstance(user, User) and box.owner_id == user.pk) or may_import(user)


def may_decide(user: User | AnonymousUser) -> bool:
    """Who imports also decides on corrections, on conflicts and on undoing."""
    return may_import(user)


def may_offer(user: User | AnonymousUser) -> bool:
    """Everybody with an account may say what is wrong."""
    return isinstance(user, User) and user.is_active


def stewards() -> QuerySet[User]:
    """Who is told of corrections: the stewards of cities."""
    return User.objects.filter(
        memberships__organisation__kind=Organisation.Kind.CITY, memberships__role__in=STEWARDS, is_active=True
    ).distinct()


def may_edit_scenario(user: User | AnonymousUser | None, scenario: Scenario, edit_key: str = "") -> bool:
    """Its owner, and whoever has its edit key."""
    if isinstance(user, User) and scenario.owner_id == user.pk:
        return True
    kept = scenario.edit_key_sha256
    given = hashlib.sha256(edit_key.encode()).hexdigest() if edit_key else ""
    return bool(kept) and hmac.compare_digest(kept, given)


def may_say(user: User | AnonymousUser) -> bool:
    """Who may comment on scenarios: everybody with an account."""
    return may_offer(user)


def may_unsay(user: User | AnonymousUser, comment: ScenarioComment) -> bool:
    """A comment's author, and who stewards the district."""
    return isinstance(user, User) and (comment.author_id == user.pk or may_import(user))
