"""What decisions bring to dashboards: how long it takes from a proposal to a setting. Only what a stranger may see."""

from collections.abc import Iterator
from statistics import median
from typing import Any

from django.db.models import Q
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as lazy
from django.utils.translation import ngettext

from commons import sockets as house
from commons.dashboards import sockets
from commons.dashboards.sockets import CellState, Column, Panel, SectorCells, Sheet
from commons.decisions.models import Body, Enactment, Motion
from commons.decisions.queries import decider
from commons.places.models import Place

MOST = 200
DAY_S = 86_400


def _enacted(place: Place) -> list[tuple[Enactment, house.Decider]]:
    """Decisions in force of bodies of a place that everybody sees, newest first."""
    rows = Enactment.objects.select_related("motion__body").order_by("-effective_at")[:MOST]
    seen: dict[int, house.Decider | None] = {}
    found = []
    for row in rows:
        body = row.motion.body
        if body.pk not in seen:
            seen[body.pk] = decider(body, None)
        who = seen[body.pk]
        if who is not None and who.place is not None and place.pk in {who.place.pk, who.place.parent_id}:
            found.append((row, who))
    return found


def pace(place: Place) -> Sheet | None:
    """Each decision in force with the days that it took."""
    listed = _enacted(place)
    if not listed:
        return None
    rows = [_row(row, who) for row, who in listed]
    middle = median(row["days"] for row in rows)
    finding = ngettext(
        "%(n)d decision came into force; it took %(days)s days from the proposal.",
        "%(n)d decisions came into force, the median %(days)s days after it was proposed.",
        len(rows),
    ) % {"n": len(rows), "days": f"{middle:.0f}"}
    columns = [
        Column("title", _("Decision")),
        Column("body", _("Decided by")),
        Column("proposed_on", _("Proposed"), "date"),
        Column("in_force_on", _("In force"), "date"),
        Column("days", _("Days"), "number"),
    ]
    dates = [row["in_force_on"] for row in rows]
    return Sheet(columns, rows, finding, min(dates), max(dates), demo=any(who.demo for _row_, who in listed))


def _row(row: Enactment, who: house.Decider) -> dict[str, Any]:
    days = (row.effective_at - row.motion.created_at).total_seconds() / DAY_S
    return {
        "title": row.motion.title,
        "body": who.name,
        "proposed_on": timezone.localtime(row.motion.created_at).date(),
        "in_force_on": timezone.localtime(row.effective_at).date(),
        "days": round(max(days, 0.0), 1),
        "url": reverse("rooms:decision", args=[row.motion_id]),
    }


def cells(place: Place) -> Iterator[CellState]:
    """Live where a vote of the place has changed a setting; partial where bodies can decide and have not."""
    listed = _enacted(place)
    url = reverse("rooms:decisions")
    if listed:
        n = len(listed)
        said = ngettext("%(n)d vote changed a setting", "%(n)d votes changed a setting", n) % {"n": n}
        yield CellState("deciding", "made", "live", said, n, "", listed[0][0].effective_at, url)
        yield CellState(
            "deciding", "open", "live", _("ballots and counts can be counted again by anybody"), n, "", None, url
        )
        return
    seen = [
        m for m in Motion.objects.filter(~Q(state="withdrawn")).select_related("body")[:MOST] if _here(m.body, place)
    ]
    if seen:
        said = ngettext("%(n)d proposal, none in force yet", "%(n)d proposals, none in force yet", len(seen))
        yield CellState("deciding", "made", "partial", said % {"n": len(seen)}, len(seen), "", None, url)


def _here(body: Body, place: Place) -> bool:
    who = decider(body, None)
    return who is not None and who.place is not None and place.pk in {who.place.pk, who.place.parent_id}


def register() -> None:
    """Fill the sockets of dashboards."""
    sockets.tabs.register(
        sockets.Tab(
            "deciding",
            lazy("Deciding"),
            lazy("How fast does what people see become what they decide?"),
            30,
            "decisions",
        )
    )
    sockets.panels.register(
        Panel(
            "decisions-pace",
            "deciding",
            lazy("From a proposal to a setting"),
            lazy(
                "Decisions in force of bodies of the place that everybody may see, with the days from the moment of "
                "proposing to the moment from which the new value holds."
            ),
            "1",
            pace,
            10,
        )
    )
    sockets.cells.register(SectorCells("decisions", cells))
