"""Everybody who may ask for something, for tables of who may do what: strangers, each role, people of elsewhere."""

from collections.abc import Callable
from typing import Any

from django.contrib.auth.models import AnonymousUser

from commons.people.models import Membership, Organisation, User
from commons.people.services import create_organisation, create_user

Cast = dict[str, Any]
ROLES = frozenset(Membership.Role.values)


def organisation(handle: str, kind: str = Organisation.Kind.LAB) -> Organisation:
    """An organisation without people."""
    return create_organisation(handle=handle, name=handle.title(), kind=kind)


def cast(of: Organisation, **more: User) -> Cast:
    """Nobody, a stranger, a person, one in each role, the owner of another organisation of that kind, staff; and more.

    Their user names are what they are, after "the-".
    """
    elsewhere = organisation(f"{of.handle.name}-elsewhere", of.kind)
    people: Cast = {"nobody": None, "stranger": AnonymousUser(), "person": create_user(username="the-person")}
    for role in Membership.Role.values:
        people[role] = create_user(username=f"the-{role}")
        Membership.objects.create(organisation=of, user=people[role], role=role)
    people["other owner"] = create_user(username="the-other-owner")
    Membership.objects.create(organisation=elsewhere, user=people["other owner"], role=Membership.Role.OWNER)
    people["staff"] = create_user(username="the-staff", is_staff=True)
    return people | more


def closed(user: User) -> User:
    """An account that was closed."""
    user.is_active = False
    user.save(update_fields=["is_active"])
    return user


def who(people: Cast, may: Callable[[Any], bool]) -> set[str]:
    """The names of those who may."""
    found = {name: may(one) for name, one in people.items()}
    assert {type(answer) for answer in found.values()} == {bool}
    return {name for name, answer in found.items() if answer}


def who_is_not_refused(people: Cast, check: Callable[[Any], None], refusal: type[Exception]) -> set[str]:
    """The names of those for whom a check raises nothing; all others hear a sentence of that refusal."""
    good = set()
    for name, one in people.items():
        try:
            check(one)
        except refusal as said:
            assert len(str(said)) > 20, "a refusal says why"
        else:
            good.add(name)
    return good
