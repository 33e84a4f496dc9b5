"""`manage.py messages`: find the words of the source, keep each .po, write its .mo (docs/translate.md)."""

import json
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.conf import settings

from commons.errors import BadInput, Conflict
from commons.web.commands import CityCommand
from livingcity.dev import messages


class Command(CityCommand):
    """Without options: bring every .po and .mo up to date. Needs no gettext on the machine."""

    help = "find the words of the source, keep each language's .po, write its .mo"

    def add_arguments(self, parser: ArgumentParser) -> None:
        """--check changes nothing and refuses when something is not up to date; --missing lists what has no words."""
        parser.add_argument("--language", help="one language instead of all")
        parser.add_argument("--check", action="store_true", help="change nothing; exit 1 when a file is not up to date")
        parser.add_argument("--missing", action="store_true", help="answer what is not translated, to be filled in")
        parser.add_argument(
            "--fill", type=Path, metavar="FILE.json", help="take translations: the answer of --missing, filled in"
        )

    def run(self, **options: Any) -> dict[str, Any]:
        """Bring each language up to date, or say what is missing."""
        codes = [code for code, _name in settings.LANGUAGES if code != settings.LANGUAGE_CODE]
        chosen = [options["language"]] if options["language"] else codes
        return {code: self._language(code, options) for code in chosen}

    def _language(self, code: str, options: dict[str, Any]) -> dict[str, Any]:
        po = Path(settings.LOCALE_PATHS[0]) / code / "LC_MESSAGES" / "django.po"
        kept = messages.read_po(po)
        if options["fill"]:
            fill(kept, read_filled(options["fill"], code))
        entries = messages.merged(messages.found_in(settings.ROOT), kept)
        if wrong := messages.faults(entries):
            raise BadInput(f"{po.name} ({code}): " + "; ".join(wrong[:5]))
        if options["check"]:
            check(po, entries, code)
        else:
            messages.write_po(po, entries, code)
            po.with_suffix(".mo").write_bytes(messages.compiled(entries, code))
        without = [entry for entry in entries if not entry.translated]
        answer: dict[str, Any] = {"messages": len(entries), "missing": len(without)}
        if options["missing"]:
            answer["words"] = [to_fill(entry) for entry in sorted(without, key=lambda e: e.words)]
        return answer


def to_fill(entry: messages.Message) -> dict[str, Any]:
    """An entry as people and programs fill it in."""
    shape: dict[str, Any] = {"words": entry.words, "forms": [""] * (1 if entry.plural is None else 2)}
    if entry.plural is not None:
        shape["plural"] = entry.plural
    if entry.context is not None:
        shape["context"] = entry.context
    shape["files"] = sorted(entry.files)
    return shape


def read_filled(path: Path, code: str) -> list[dict[str, Any]]:
    """The list of a filled-in file: a plain list, or the whole answer of --missing --json."""
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, json.JSONDecodeError) as cause:
        raise BadInput(f"{path} cannot be read: {cause}") from cause
    found = document if isinstance(document, list) else document.get(code, {}).get("words", [])
    return [dict(item) for item in found]


def fill(kept: dict[messages.Key, messages.Message], filled: list[dict[str, Any]]) -> None:
    """Take the translations of a filled-in list; empty ones are left out."""
    for item in filled:
        entry = messages.Message(
            item["words"], item.get("context"), item.get("plural"), forms=[str(f) for f in item["forms"]]
        )
        if entry.translated:
            kept[entry.key] = entry


def check(po: Path, entries: list[messages.Message], code: str) -> None:
    """Refuse when the files are not what this command would write."""
    on_disk = messages.read_po(po)
    if set(on_disk) != {entry.key for entry in entries}:
        raise Conflict(f"{po} does not hold the words of the source; run `manage.py messages`.")
    mo = po.with_suffix(".mo")
    if not mo.exists() or mo.read_bytes() != messages.compiled(entries, code):
        raise Conflict(f"{mo} is older than its .po; run `manage.py messages`.")
