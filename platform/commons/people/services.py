"""Writes about people: accounts, organisations, memberships, tokens, sign-in links. Each is one transaction."""

import datetime as dt
from collections.abc import Sequence

from django.core.exceptions import ValidationError
from django.db import IntegrityError, connection, transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from commons.audit.recording import note, person
from commons.people import tokens
from commons.people.errors import (
    EmailTaken,
    HandleNotAllowed,
    HandleTaken,
    LastOwner,
    NoScope,
    UnknownRole,
    UnknownScope,
)
from commons.people.handles import username_validators
from commons.people.models import ApiToken, Handle, Membership, Organisation, Scope, SignInLink, User
from commons.places.models import Place

LINK_LIFETIME = dt.timedelta(hours=24)


def check_handle(name: str) -> None:
    """Refuse a handle that is malformed, reserved or taken."""
    for validate in username_validators:
        try:
            validate(name)
        except ValidationError as error:
            raise HandleNotAllowed(" ".join(error.messages)) from None
    if Handle.objects.filter(name=name).exists():
        raise HandleTaken(_("“%(name)s” is taken; choose another name.") % {"name": name})


_NAMES = 0x6C63_6E61  # "lcna": class of the advisory lock under which a name is taken


def _hold(name: str) -> None:
    """Let one transaction at a time ask for this name, so that the others hear that it is taken."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s, hashtext(%s))", [_NAMES, name])


def _claim(name: str, **owner: User | Organisation) -> Handle:
    try:
        with transaction.atomic():
            return Handle.objects.create(name=name, **owner)
    except IntegrityError:
        raise HandleTaken(_("“%(name)s” is taken; choose another name.") % {"name": name}) from None


@transaction.atomic
def create_user(
    *,
    username: str,
    email: str = "",
    password: str | None = None,
    name: str = "",
    is_staff: bool = False,
    demo: bool = False,
) -> User:
    """An account with its handle. Without a password only a sign-in link or a reset opens it."""
    username = username.lower()
    _hold(username)
    check_handle(username)
    if email and User.objects.filter(email__iexact=email).exists():
        raise EmailTaken(_("An account has the e-mail “%(email)s” already.") % {"email": email})
    user = User(username=username, email=email.lower(), name=name, is_staff=is_staff, is_superuser=is_staff, demo=demo)
    user.set_password(password)
    user.save()
    _claim(username, user=user)
    if is_staff:
        note("staff account made", person(user))
    return user


@transaction.atomic
def adopt_handle(*, user: User) -> Handle:
    """The handle of an account that sign-up has just made."""
    return _claim(user.username, user=user)


@transaction.atomic
def create_organisation(
    *, handle: str, name: str, kind: str, founder: User | None = None, about: str = "", demo: bool = False
) -> Organisation:
    """An organisation; its founder becomes its owner."""
    handle = handle.lower()
    _hold(handle)
    check_handle(handle)
    organisation = Organisation.objects.create(kind=kind, name=name, about=about, demo=demo)
    _claim(handle, organisation=organisation)
    if founder:
        set_role(organisation=organisation, user=founder, role=Membership.Role.OWNER)
    return organisation


@transaction.atomic
def set_role(*, organisation: Organisation, user: User, role: str) -> Membership:
    """Give a person a role in an organisation, or change it. Locks the organisation; raises LastOwner."""
    if role not in Membership.Role.values:
        raise UnknownRole(_("“%(role)s” is not a role.") % {"role": role})
    Organisation.objects.select_for_update().get(pk=organisation.pk)
    if role != Membership.Role.OWNER:
        keep_an_owner(organisation, user)
    held = Membership.objects.filter(organisation=organisation, user=user).values("role").first()
    membership, _created = Membership.objects.update_or_create(
        organisation=organisation, user=user, defaults={"role": role}
    )
    if held is None or held["role"] != role:
        note("role given", _thing(organisation, user, role), before=held, after={"role": role})
    return membership


@transaction.atomic
def remove_member(*, organisation: Organisation, user: User) -> None:
    """End a membership. Locks the organisation; raises LastOwner."""
    Organisation.objects.select_for_update().get(pk=organisation.pk)
    keep_an_owner(organisation, user)
    held = Membership.objects.filter(organisation=organisation, user=user)
    before = held.values("role").first()
    if before is not None:
        held.delete()
        note("role taken", _thing(organisation, user, before["role"]), before=before)


def _thing(organisation: Organisation, user: User, role: str) -> str:
    """A role as the audit log names it."""
    return f"organisation={organisation.pk} person={person(user)} role={role}"


def keep_an_owner(organisation: Organisation, leaving: User) -> None:
    """Refuse that the last owner goes. Raises LastOwner."""
    owners = Membership.objects.filter(organisation=organisation, role=Membership.Role.OWNER)
    if owners.filter(user=leaving).exists() and not owners.exclude(user=leaving).exists():
        raise LastOwner(_("Make someone else an owner of %(name)s first.") % {"name": organisation.name})


@transaction.atomic
def change_profile(*, user: User, name: str, home: Place | None) -> User:
    """The name to show and the neighbourhood to begin with."""
    user.name, user.home = name, home
    user.save(update_fields=["name", "home"])
    return user


@transaction.atomic
def create_token(
    *, user: User, name: str, scopes: Sequence[str], expires_at: dt.datetime | None = None
) -> tuple[ApiToken, str]:
    """A new token and its secret, which is shown once and never stored."""
    if not scopes:
        raise NoScope(_("A token without a scope could do nothing; give it at least one."))
    for scope in scopes:
        if scope not in Scope.values:
            known = ", ".join(Scope.values)
            raise UnknownScope(_("“%(scope)s” is not a scope; there are %(known)s.") % {"scope": scope, "known": known})
    secret = tokens.new_secret("lcu")
    token = ApiToken.objects.create(
        user=user,
        name=name,
        prefix=secret[:10],
        sha256=tokens.fingerprint(secret),
        scopes=sorted(set(scopes)),
        expires_at=expires_at,
    )
    note("token made", f"token={token.pk} person={person(user)} scopes={','.join(token.scopes)}")
    return token, secret


@transaction.atomic
def revoke_token(*, token: ApiToken) -> None:
    """End a token at once."""
    if ApiToken.objects.filter(pk=token.pk, revoked_at=None).update(revoked_at=timezone.now()):
        note("token revoked", f"token={token.pk} person={person(token.user)}")


@transaction.atomic
def create_sign_in_link(*, user: User) -> str:
    """The secret of a new one-time link, good for a day."""
    secret = tokens.new_secret("lcs")
    SignInLink.objects.create(user=user, sha256=tokens.fingerprint(secret), expires_at=timezone.now() + LINK_LIFETIME)
    return secret


@transaction.atomic
def use_sign_in_link(*, secret: str) -> User | None:
    """The person whose link this is; a link works once."""
    now = timezone.now()
    link = (
        SignInLink.objects.select_for_update()
        .select_related("user")
        .filter(sha256=tokens.fingerprint(secret), used_at=None, expires_at__gt=now, user__is_active=True)
        .first()
    )
    if link is None:
        return None
    link.used_at = now
    link.save(update_fields=["used_at"])
    return link.user
