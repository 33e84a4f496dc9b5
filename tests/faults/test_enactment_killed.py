"""A worker killed (SIGKILL) at any statement of an enactment: afterwards it is in force once and whole, or not yet."""

import pytest
from django.utils import timezone

from commons.decisions import services
from commons.decisions.models import Enactment, Motion, PolicyValue
from commons.people.models import User
from labs.models import BookingRule, Machine
from tests.decisions.conftest import city_lab, kamppi, printer
from tests.decisions.test_effects import decide, members_of
from tests.decisions.test_motions import at_once

from .killing import killed_at

__all__ = ["city_lab", "kamppi", "printer"]
pytestmark = pytest.mark.django_db(transaction=True)
MOST_STATEMENTS = 80


def test_killed_anywhere_it_is_enacted_once(printer: Machine) -> None:
    people: list[User] = members_of(printer)
    body = services.body(kind="labs.lab", key=printer.lab.slug)
    motion = decide(body, people, "labs.quota", {"per_week_h": "3"})
    motion = _due(motion)
    killed = 0
    for statement in range(1, MOST_STATEMENTS):
        if not killed_at(statement, lambda: services.advance(motion.pk)):
            break
        killed += 1
        rows = [PolicyValue.objects.count(), Enactment.objects.count(), BookingRule.objects.filter(active=True).count()]
        motion.refresh_from_db()
        assert rows == [0, 0, 0] and motion.state == "passed", f"killed at statement {statement}: {rows}"
    assert killed >= 10, "and then it came through"
    motion.refresh_from_db()
    assert motion.state == "enacted"
    assert services.advance(motion.pk) is False and services.advance_all() == 0
    assert PolicyValue.objects.count() == Enactment.objects.count() == 1
    assert BookingRule.objects.filter(active=True, name="per_week_h").count() == 1
    assert at_once(motion, "enacted").state == "enacted" and PolicyValue.objects.count() == 1


def _due(motion: Motion) -> Motion:
    Motion.objects.filter(pk=motion.pk).update(takes_effect_at=timezone.now())
    motion.refresh_from_db()
    return motion
