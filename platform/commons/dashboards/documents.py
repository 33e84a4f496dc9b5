"""What is exported: each with its definition, its version and its period."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _

from commons.dashboards import queries, sockets
from commons.errors import NotFound
from commons.places.models import Place

POINT = ("from", "until", "value", "upper", "numerator", "denominator", "completeness")


@dataclass(frozen=True, slots=True)
class Table:
    """Something to export: `head` says what it is, `columns` are the names in the rows."""

    head: Mapping[str, Any]
    columns: Sequence[str]
    rows: Sequence[Mapping[str, Any]]

    def document(self) -> dict[str, Any]:
        """As JSON."""
        return {**self.head, "columns": list(self.columns), "rows": [dict(row) for row in self.rows]}


def table(what: str, here: Place) -> Table:
    """What an address of an export names: figure-…, panel-…, sectors or compare. Raises NotFound."""
    kind, _dash, slug = what.partition("-")
    made = None
    if kind == "figure":
        made = _figure(slug, here)
    elif kind == "panel":
        made = _panel(slug, here)
    elif what == "sectors":
        made = _sectors(here)
    elif what == "compare":
        made = _compare(here)
    if made is None:
        raise NotFound(_("There is nothing called “%(what)s” to export here.") % {"what": what[:80]})
    return made


def names(here: Place) -> list[tuple[str, str]]:
    """What can be exported of a place: name in the address, and title."""
    from commons import sockets as house  # noqa: PLC0415 the same word

    found = [(f"figure-{headline.slug}", str(headline.title)) for headline in house.figures]
    found += [(f"panel-{panel.slug}", str(panel.title)) for panel in sockets.panels]
    return [*found, ("sectors", _("Sectors")), ("compare", _("Neighbourhoods side by side"))]


def _head(here: Place, what: str, title: object, definition: object, version: str) -> dict[str, Any]:
    return {
        "what": what,
        "title": str(title),
        "place": here.slug,
        "at": timezone.now(),
        "definition": str(definition),
        "version": version,
        "demo": here.demo,
        "url": f"{settings.PUBLIC_URL}{reverse('rooms:dashboard', args=[here.slug])}",
    }


def _figure(slug: str, here: Place) -> Table | None:
    found = queries.history(slug, here)
    if found is None:
        return None
    headline = found.headline
    head = _head(here, f"figure-{slug}", headline.title, headline.definition, headline.version)
    rows = [
        dict(zip(POINT, (p.start, p.end, p.value, p.upper, p.numerator, p.denominator, p.completeness), strict=True))
        for p in found.points
    ]
    now = {"value": found.figure.value, "upper": found.figure.upper, "unit": str(found.figure.unit)}
    return Table(head | {"how": str(found.how), "now": now}, POINT, rows)


def _panel(slug: str, here: Place) -> Table | None:
    found = queries.panel(slug, here)
    if found is None:
        return None
    panel, sheet = found.panel, found.sheet
    head = _head(here, f"panel-{slug}", panel.title, panel.definition, panel.version) | {
        "finding": str(sheet.finding),
        "period": {"from": sheet.start, "until": sheet.end},
        "notes": [str(note) for note in sheet.notes],
        "demo": sheet.demo,
        "titles": {column.name: str(column.title) for column in sheet.columns},
    }
    return Table(head, [column.name for column in sheet.columns], sheet.rows)


def sectors_definition() -> str:
    """When a cell is live, partial or none."""
    return _(
        "A cell is live where a room of the city measures it and the newest reading or act is fresh; partial where it "
        "is modelled, declared, old or known of a part alone; none where the city holds nothing about it. Cells are "
        "found in the database at the time of asking and never typed in."
    )


def _sectors(here: Place) -> Table:
    rows: list[Mapping[str, Any]] = []
    for sector in queries.sectors(here):
        for cell in sector.cells:
            best = cell.states[0] if cell.states else None
            rows.append(
                {
                    "sector": sector.slug,
                    "respect": cell.respect,
                    "status": cell.status,
                    "value": best.value if best else None,
                    "unit": str(best.unit) if best else "",
                    "evidence": " ".join(str(state.sentence) for state in cell.states),
                    "as_of": best.as_of if best else None,
                    "url": best.url if best else "",
                }
            )
    head = _head(here, "sectors", _("Sectors"), sectors_definition(), queries.SECTORS_VERSION)
    return Table(head, list(rows[0]), rows)


def _compare(here: Place) -> Table:
    rows = queries.compared_rows(queries.compared(here))
    words = _("The headline figures of each neighbourhood of the city, by the definitions whose versions stand beside.")
    return Table(_head(here, "compare", _("Neighbourhoods side by side"), words, "1"), list(rows[0]), rows)
