#!/usr/bin/env python
"""Django's command line; `manage.py up` starts the whole city."""

import os
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent


def main() -> None:
    """Put the rooms and the ground floor on the path, then hand over to Django."""
    for folder in (str(ROOT / "platform"), str(ROOT)):
        if folder not in sys.path:
            sys.path.insert(0, folder)
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "livingcity.settings")
    from livingcity.dev.command_line import execute  # noqa: PLC0415 the path must be set first

    sys.exit(execute(sys.argv))


if __name__ == "__main__":
    main()
