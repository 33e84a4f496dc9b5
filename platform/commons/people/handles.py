"""Which names a person or an organisation may take."""

from collections.abc import Callable

from django.core.exceptions import ValidationError
from django.core.validators import MaxLengthValidator, RegexValidator
from django.utils.translation import gettext_lazy as _

#: Words that are addresses of the site itself.
RESERVED = frozenset(
    [
        "about",
        "account",
        "accounts",
        "admin",
        "api",
        "auth",
        "book",
        "bookings",
        "changes",
        "city",
        "data",
        "decisions",
        "demo",
        "design",
        "designs",
        "desk",
        "device",
        "devices",
        "en",
        "energy",
        "feed",
        "fi",
        "files",
        "fork",
        "git",
        "healthz",
        "help",
        "history",
        "jobs",
        "known",
        "lab",
        "labs",
        "login",
        "logout",
        "machines",
        "makes",
        "me",
        "measure",
        "media",
        "new",
        "organisation",
        "organisations",
        "people",
        "person",
        "place",
        "places",
        "raw",
        "readyz",
        "releases",
        "root",
        "runs",
        "scenarios",
        "search",
        "settings",
        "sharing",
        "sign-in",
        "signin",
        "signout",
        "signup",
        "staff",
        "star",
        "states",
        "static",
        "sv",
        "system",
        "talk",
        "twin",
        "www",
    ]
)


def refuse_reserved(name: str) -> None:
    """Refuse a name that is an address of the site."""
    if name.lower() in RESERVED:
        raise ValidationError(_("“%(name)s” is kept for the site itself; choose another name.") % {"name": name})


username_validators: list[Callable[[str], None]] = [
    RegexValidator(
        r"^[a-z0-9](?:[a-z0-9]|-(?=[a-z0-9])){0,38}$",
        _("A name has up to 39 letters a–z, digits and single hyphens, and begins and ends with a letter or digit."),
    ),
    MaxLengthValidator(39),
    refuse_reserved,
]
