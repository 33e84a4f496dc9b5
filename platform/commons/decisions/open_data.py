"""Decisions that are over as open data: what was asked and what came of it, without who asked or voted."""

from collections.abc import Iterator
from typing import Any

from commons.decisions import queries
from commons.decisions.models import Motion


def rows() -> Iterator[dict[str, Any]]:
    """A decision a row; only those of bodies that a stranger may see."""
    over = (Motion.State.ENACTED, Motion.State.KEPT, Motion.State.STOPPED, Motion.State.PASSED)
    for motion in Motion.objects.filter(state__in=over).select_related("body").order_by("pk").iterator(chunk_size=200):
        who = queries.decider(motion.body, None)
        if who is None:
            continue
        yield {
            "number": motion.pk,
            "body": who.name,
            "title": motion.title,
            "method": motion.method,
            "state": motion.state,
            "opened": motion.opens_at.isoformat(),
            "closed": motion.closes_at.isoformat(),
            "takes_effect": motion.takes_effect_at.isoformat() if motion.takes_effect_at else None,
            "eligible": motion.eligible,
            "outcome": motion.outcome,
            "demo": motion.demo,
        }
