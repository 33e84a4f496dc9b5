"""Dashboards hold figures of places."""

from commons.kept import Kept

KEPT: tuple[Kept, ...] = ()
NOT_PERSONAL = {"dashboards.FigureDay": "of a place"}
