"""What the demo's lab decides: one question on which its people vote now."""

import datetime as dt
from collections.abc import Mapping

from django.utils import timezone

from commons.decisions import services
from commons.decisions.models import CharterVersion, Motion
from commons.people.models import User
from labs.deciding.body import CHARTER, KIND
from labs.models import Lab

HOME = "kamppi-open-lab"
TITLE = "Shall nobody book more than ten hours a week?"
TEXT = (
    "In the evenings the printers are booked by the same few people, weeks ahead. Ten hours are enough for every "
    "make that was finished here this month; who needs more for once can ask a trainer."
)
OPTIONS = (
    {"title": "Ten hours a week", "value": {"per_week_h": 10}},
    {
        "title": "Sixteen hours a week",
        "text": "The evenings stay tight, long prints stay easy.",
        "value": {"per_week_h": 16},
    },
)
VOTES = {"mikko": ["1"], "aino": ["1", "2"], "leila": ["2"]}


def seed(lab: Lab, people: Mapping[str, User]) -> None:
    """The question with its first votes; nothing when it was asked before."""
    if lab.slug != HOME or Motion.objects.filter(body__kind=KIND, body__key=lab.slug, demo=True).exists():
        return
    body = services.body(kind=KIND, key=lab.slug)
    if body.charters.count() == 1:
        rules = {**CHARTER, "notice_h": 0, "member_days": 0}
        CharterVersion.objects.create(body=body, number=2, document=rules)
    belong = set(User.objects.filter(memberships__organisation=lab.organisation).values_list("username", flat=True))
    author = next((person for name, person in people.items() if name in belong), None)
    if author is None:
        return
    motion = services.propose(
        body=body,
        author=author,
        title=TITLE,
        text=TEXT,
        method="condorcet",
        effect="labs.quota",
        options=OPTIONS,
        demo=True,
    )
    services.advance(motion.pk, timezone.now() + dt.timedelta(seconds=1))
    for name, choice in VOTES.items():
        if name in belong and name in people:
            services.vote(motion=motion, person=people[name], choice=choice)
