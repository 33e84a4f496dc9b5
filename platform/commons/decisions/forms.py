"""What a proposal's form sends, read."""

from collections.abc import Mapping
from typing import Any

from django.http import QueryDict
from django.utils.translation import gettext as _

from commons import sockets
from commons.decisions.errors import BadMotion

ROWS = 4


def proposal(sent: QueryDict, effect: sockets.Effect | None, key: str) -> dict[str, Any]:
    """The keyword arguments of `services.propose` from a form. Raises BadMotion."""
    fields = effect.fields(key) if effect else ()
    options = []
    for row in range(1, ROWS + 1):
        title = sent.get(f"option-{row}", "").strip()
        if not title:
            continue
        option: dict[str, Any] = {"title": title, "text": sent.get(f"words-{row}", "").strip()}
        if effect:
            option["value"] = {field.name: _field(field, sent.get(f"{field.name}-{row}", "")) for field in fields}
        if sent.get("method") == "shares":
            option["cost"] = _coins(sent.get(f"cost-{row}", ""))
        options.append(option)
    return {
        "title": sent.get("title", ""),
        "text": sent.get("text", ""),
        "method": sent.get("method", ""),
        "effect": effect.slug if effect else "",
        "options": options,
        "secret": sent.get("ballots") == "secret",
        "budget": _coins(sent.get("budget", "")) if sent.get("budget") else None,
    }


def _field(field: sockets.EffectField, text: str) -> object:
    if field.choices or field.words:
        return text.strip()
    if not text.strip():
        return ""
    try:
        return float(text.replace(",", ".")) if "." in text or "," in text else int(text)
    except ValueError:
        raise BadMotion(_("“%(field)s” is a number.") % {"field": field.title}, field=field.name) from None


def _coins(text: str) -> int:
    """Whole money: a budget is asked in whole coins."""
    if not text.strip().isdecimal():
        raise BadMotion(_("Money is given in whole numbers."), field="budget")
    return int(text)


def blank(effect: sockets.Effect | None, key: str) -> list[Mapping[str, Any]]:
    """The empty rows of the form."""
    fields = effect.fields(key) if effect else ()
    now = effect.now(key) if effect else {}
    return [
        {"number": row, "fields": [{"field": field, "now": now.get(field.name, "")} for field in fields]}
        for row in range(1, ROWS + 1)
    ]
