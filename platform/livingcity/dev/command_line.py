"""What `manage.py` does before Django."""

from collections.abc import Sequence

from django.core.management import execute_from_command_line


def execute(argv: Sequence[str]) -> int:
    """Run the command and answer its exit status."""
    execute_from_command_line(list(argv))
    return 0
