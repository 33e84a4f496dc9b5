"""Parts lists compared, as people read them: which parts came, went, or are wanted in another number."""

from dataclasses import dataclass

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from designs import bom
from designs.bom import Line

#: What a line says beside its name and number, in the words of the page.
COLUMNS = {
    "mass_g": gettext_lazy("mass in g"),
    "cost": gettext_lazy("cost"),
    "currency": gettext_lazy("currency"),
    "source_url": gettext_lazy("source"),
    "supplier_ref": gettext_lazy("order number"),
    "path": gettext_lazy("file"),
    "design": gettext_lazy("design"),
    "version": gettext_lazy("version"),
    "designators": gettext_lazy("places"),
    "material": gettext_lazy("material"),
    "note": gettext_lazy("note"),
}


@dataclass(frozen=True, slots=True)
class Difference:
    """A part whose line differs; `before` or `after` is the number wanted, "" on the side that lacks it. `notes` are
    other columns that changed: (column, before, after)."""

    name: str
    kind: str
    before: str
    after: str
    notes: tuple[tuple[str, str, str], ...] = ()


def differences(before: bytes, after: bytes, path: str = "") -> list[Difference] | None:
    """Lines of two tables that differ, in the order of the newer; None when one is no parts list."""
    sides = []
    for raw in (before, after):
        found = bom.read_table(raw, path)
        if raw.strip() and not found.lines:
            return None
        sides.append(found.lines)
    return [_difference(change) for change in bom.compare(*sides)]


def _difference(change: bom.LineChange) -> Difference:
    old, new = change.before, change.after
    named = new or old
    notes = [] if old is None or new is None else [(key, getattr(old, key), getattr(new, key)) for key in change.fields]
    renamed = [(_("name"), old.name, new.name)] if old and new and old.name != new.name else []
    told = [(str(COLUMNS[key]), _plain(a), _plain(b)) for key, a, b in notes if key in COLUMNS]
    return Difference(named.name if named else "", change.kind, _count(old), _count(new), (*renamed, *told))


def _count(line: Line | None) -> str:
    if line is None or line.quantity is None:
        return ""
    return f"{line.quantity:g} {line.unit}".strip()


def _plain(value: object) -> str:
    return "" if value is None else f"{value:g}" if isinstance(value, float) else str(value)
