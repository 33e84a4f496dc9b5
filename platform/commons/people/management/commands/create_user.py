"""`manage.py create_user NAME`: an account and a one-time sign-in link."""

from typing import Any

from django.conf import settings
from django.core.management.base import CommandParser
from django.urls import reverse

from commons.people import services
from commons.web.commands import CityCommand


class Command(CityCommand):
    """Make an account; the link signs it in once, within a day."""

    help = "Make an account and print a one-time sign-in link."

    def add_arguments(self, parser: CommandParser) -> None:
        """NAME and what may go with it."""
        parser.add_argument("name", help="the handle: letters a-z, digits and single hyphens")
        parser.add_argument("--staff", action="store_true", help="may use the staff pages")
        parser.add_argument("--password", help="a password; without one only the link opens the account")
        parser.add_argument("--email", default="")
        parser.add_argument("--full-name", default="", help="the name to show")

    def run(self, **options: Any) -> dict[str, Any]:
        """Make the account; refusals leave nothing behind."""
        user = services.create_user(
            username=options["name"].lower(),
            email=options["email"],
            password=options["password"],
            name=options["full_name"],
            is_staff=options["staff"],
        )
        secret = services.create_sign_in_link(user=user)
        link = settings.PUBLIC_URL + reverse("sign_in_link", args=[secret])
        return {"name": user.username, "staff": user.is_staff, "sign_in_link": link}

    def show(self, answer: dict[str, Any]) -> None:
        """The link in a sentence."""
        self.stdout.write(
            f"The account {answer['name']} is made. Sign in once, within a day, at\n{answer['sign_in_link']}"
        )
