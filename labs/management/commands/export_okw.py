"""`manage.py export_okw LAB [--yaml]`."""

import json
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from commons.errors import CityError
from labs import okw
from labs.models import Lab
from labs.queries import catalogue
from labs.services.okw import facility_of


class Command(BaseCommand):
    """Give a lab, or all, away as an Open Know-Where document."""

    help = "Prints a lab, or all labs, as an Open Know-Where document: JSON, or YAML with --yaml."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("lab", nargs="?", default="", help="a lab's name; all labs without it")
        parser.add_argument("--yaml", action="store_true")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            labs = [catalogue.find_lab(options["lab"])] if options["lab"] else list(Lab.objects.order_by("pk"))
        except CityError as refusal:
            raise CommandError(str(refusal.sentence)) from None
        told = okw.document([facility_of(lab) for lab in labs])
        self.stdout.write(okw.as_yaml(told) if options["yaml"] else json.dumps(told, ensure_ascii=False, indent=2))
