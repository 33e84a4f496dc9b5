"""`manage.py forget_person NAME`: a person leaves the city."""

from typing import Any

from django.core.management.base import CommandParser
from django.utils.translation import gettext as _

from commons.errors import NotFound
from commons.people.leaving import leave
from commons.people.models import User
from commons.web.commands import CityCommand


class Command(CityCommand):
    """Delete an account, or what names its person where books must keep that there was somebody."""

    help = "Take a person out of the city; with a wallet or invoices the account stays without anything that names it."

    def add_arguments(self, parser: CommandParser) -> None:
        """NAME."""
        parser.add_argument("name", help="the handle")

    def run(self, **options: Any) -> dict[str, Any]:
        """Let the person go; refusals change nothing."""
        user = User.objects.filter(username=options["name"].lower()).first()
        if user is None:
            raise NotFound(_("There is no account “%(name)s”.") % {"name": options["name"]})
        key = user.pk
        whole = leave(user=user)
        return {"name": options["name"], "deleted": whole, "kept_as": "" if whole else f"former-{key}"}

    def show(self, answer: dict[str, Any]) -> None:
        """What became of the account."""
        if answer["deleted"]:
            self.say(f"{answer['name']} is deleted.")
        else:
            self.say(f"{answer['name']} is forgotten; books keep the account as {answer['kept_as']}.")
