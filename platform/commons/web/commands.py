"""The base of every command: one JSON document on stdout with `--json`, words otherwise; exit 0, 1 refused, 2 usage."""

import contextlib
import json
import sys
from typing import Any, ClassVar

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.core.serializers.json import DjangoJSONEncoder

from commons.errors import CityError


class Refusal(CommandError):
    """A `CityError` on its way out of a command; `error` is the refusal itself."""

    def __init__(self, error: CityError) -> None:
        super().__init__(str(error.sentence), returncode=1)
        self.error = error


class CityCommand(BaseCommand):
    """A command of the city: say what it needs in `add_arguments`, do it in `run`, answer what came of it.

    `needs_worker = True` (or a tuple of options, such as `("--wait",)`) asks the command line to have a worker running
    for as long as the command does: it joins the one of `manage.py up`, or starts one and stops it afterwards. Set it
    where `run` waits for a run.

    With `--json` only the answer goes to stdout; whatever `run`, a library or `say` prints goes to stderr. A
    `CityError` becomes its sentence on stderr and exit status 1; argparse exits 2 on a wrong call.
    """

    needs_worker: ClassVar[bool | tuple[str, ...]] = False
    requires_system_checks = ()  # `manage.py check` and the tests do that; a command begins at once

    def create_parser(self, prog_name: str, subcommand: str, **kwargs: Any) -> CommandParser:
        """Django's parser with `--json` beside what the command asks for."""
        parser = super().create_parser(prog_name, subcommand, **kwargs)
        parser.add_argument("--json", action="store_true", dest="as_json", help="print one JSON document on stdout")
        return parser

    def run(self, **options: Any) -> dict[str, Any]:
        """Do it and answer a JSON-ready dictionary."""
        raise NotImplementedError

    def show(self, answer: dict[str, Any]) -> None:
        """Tell a person what came of it; commands with more to say override this."""
        for name, value in answer.items():
            words = (
                json.dumps(value, cls=DjangoJSONEncoder, ensure_ascii=False)
                if isinstance(value, dict | list)
                else value
            )
            self.stdout.write(f"{name}: {words}")

    def say(self, line: str) -> None:
        """A line of progress, on stderr, so that it never mixes with the answer."""
        self.stderr.write(self.style.NOTICE(line) if self.stderr.isatty() else line)
        self.stderr.flush()

    def handle(self, *_args: Any, **options: Any) -> None:
        """Run, then print the answer in the form that was asked for."""
        as_json = options.pop("as_json", False)
        try:
            with contextlib.redirect_stdout(sys.stderr) if as_json else contextlib.nullcontext():
                answer = self.run(**options)
        except CityError as refusal:
            raise Refusal(refusal) from refusal
        if as_json:
            self.stdout.write(json.dumps(answer, cls=DjangoJSONEncoder, ensure_ascii=False))
        else:
            self.show(answer)
        if answer.get("ok") is False:
            raise CommandError("Some of it did not work; see above.", returncode=1)
