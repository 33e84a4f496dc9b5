"""Reads about people and organisations."""

from django.db.models import Q, QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _

from commons.people import tokens
from commons.people.errors import UnknownHandle, UnknownPerson, UnknownToken
from commons.people.models import ApiToken, Handle, Membership, Organisation, SignInLink, User

MOST_WORDS = 8


def person(username: str) -> User:
    """The account of that name, however it is capitalised; raises UnknownPerson."""
    found = User.objects.filter(username=username.lower()).first()
    if found is None:
        raise UnknownPerson(_("There is no account called “%(name)s”.") % {"name": username})
    return found


def handle(name: str) -> Handle:
    """The person's or organisation's handle, however it is capitalised; raises UnknownHandle."""
    found = Handle.objects.select_related("user", "organisation").filter(name=name.lower()).first()
    if found is None or (found.user is not None and not found.user.is_active):
        raise UnknownHandle(_("There is nobody called “%(name)s” here.") % {"name": name})
    return found


def tokens_of(user: User) -> QuerySet[ApiToken]:
    """A person's tokens that are not revoked, newest first."""
    return ApiToken.objects.filter(user=user, revoked_at=None).order_by("-created_at")


def token_of(user: User, pk: int) -> ApiToken:
    """A person's own token; raises UnknownToken."""
    found = tokens_of(user).filter(pk=pk).first()
    if found is None:
        raise UnknownToken(_("There is no such token, or it was revoked already."))
    return found


def memberships_of(user: User) -> QuerySet[Membership]:
    """Where a person belongs, by name."""
    return Membership.objects.filter(user=user).select_related("organisation__handle").order_by("organisation__name")


def members_of(organisation: Organisation) -> QuerySet[Membership]:
    """An organisation's people: owners first, then by name."""
    return organisation.memberships.select_related("user__handle").order_by("-role", "user__username")


def role_in(user: object, organisation: Organisation) -> str | None:
    """The person's role there, or None."""
    if not isinstance(user, User):
        return None
    membership = Membership.objects.filter(user=user, organisation=organisation).first()
    return membership.role if membership else None


def person_of_link(secret: str) -> User | None:
    """Whose sign-in link this is, if it still works; it is not used up."""
    link = (
        SignInLink.objects.select_related("user")
        .filter(
            sha256=tokens.fingerprint(secret),
            used_at=None,
            expires_at__gt=timezone.now(),
            user__is_active=True,
        )
        .first()
    )
    return link.user if link else None


def find(words: str, limit: int) -> QuerySet[Handle]:
    """People and organisations whose handle or name holds every word."""
    named = Q()
    for word in words.split()[:MOST_WORDS]:
        named &= Q(name__icontains=word) | Q(user__name__icontains=word) | Q(organisation__name__icontains=word)
    alive = Q(user=None) | Q(user__is_active=True)
    return Handle.objects.select_related("user", "organisation").filter(named & alive).order_by("name")[:limit]
