"""`manage.py create_token NAME --scope S`: an API token, printed once."""

import datetime as dt
from typing import Any

from django.core.management.base import CommandParser
from django.utils import timezone

from commons.people import queries, services
from commons.people.models import Scope
from commons.web.commands import CityCommand


class Command(CityCommand):
    """Make an API token of an account."""

    help = "Make an API token of an account; its secret is printed once and never again."

    def add_arguments(self, parser: CommandParser) -> None:
        """NAME, the scopes and how long it lives."""
        parser.add_argument("name", help="the account")
        parser.add_argument("--scope", action="append", required=True, metavar="SCOPE", help=", ".join(Scope.values))
        parser.add_argument("--label", default="command line", help="what it is for")
        parser.add_argument("--days", type=int, help="days until it expires; without it, it lives until revoked")

    def run(self, **options: Any) -> dict[str, Any]:
        """Make the token."""
        expires_at = timezone.now() + dt.timedelta(days=options["days"]) if options["days"] is not None else None
        token, secret = services.create_token(
            user=queries.person(options["name"]),
            name=options["label"],
            scopes=options["scope"],
            expires_at=expires_at,
        )
        return {
            "token": secret,
            "name": token.user.username,
            "scopes": token.scopes,
            "expires_at": token.expires_at,
        }
