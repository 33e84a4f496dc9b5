"""A member's own page: for their person, and for whom they allow; nobody else learns that it is there."""

import datetime as dt
from decimal import Decimal
from typing import Any

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from commons import csv_files
from commons.web import numbers
from energy import bill_charts, bills, charts, flow, policies, series
from energy.errors import CommunityNotFound
from energy.models import Community, Member, Participant
from energy.queries import live, statements
from energy.queries import mine as own
from energy.queries.measured import zone
from energy.queries.year import moments
from energy.views.days import date_of, neighbours_of
from energy.views.frame import frame

BACK = dt.timedelta(days=90)


@require_safe
@login_required
def mine(request: HttpRequest, slug: str) -> HttpResponse:
    """Own flows, the bill alone and together, savings over time, measured against simulated."""
    community, context = frame(request, slug, tab="own")
    members = own.members_of(community, request.user)
    participants = own.participants_of(community, request.user)
    if not members and not participants:
        raise CommunityNotFound(_("You are not a member of “%(name)s” here.") % {"name": community})
    member = _chosen(members, request.GET.get("member", ""))
    context |= {"members": members, "member": member, "participants": participants, "own_only": policies.LEAST_MEMBERS}
    if member is not None:
        context |= _member(member, request.GET.get("day", ""))
    context["live"] = [row for row in (_live(community, p) for p in participants) if row]
    if member is not None:
        context["compared"] = [
            row for p in participants if p.person_id == member.person_id for row in _against(p, member)
        ]
        context["compared_charts"] = [
            (row, charts.compared_chart(row.days)) for row in context["compared"] if len(row.days) > 1
        ]
    context |= _worth(community, request.user, member, context.get("mine"))
    response = render(request, "energy/mine.html", context)
    response["Cache-Control"] = "private, no-store"
    return response


def _chosen(members: list[Member], asked: str) -> Member | None:
    return next((m for m in members if m.key == asked), members[0] if members else None)


def _member(member: Member, asked: str) -> dict[str, Any]:
    story = own.of_member(member)
    version = member.version
    today = own.today(version, timezone.now())
    date = date_of(asked, today)
    found = own.day(member, date)
    f = story.flows
    context: dict[str, Any] = {
        "mine": story,
        "saved": numbers.money(story.alone - story.together, version.currency),
        "version": version,
        "date": date,
        "is_today": date == today,
        "came": [part / f.used if f.used else None for part in (f.own, f.neighbours, f.grid)],
        "went": [part / f.made if f.made else None for part in (f.own, f.to_neighbours, f.sent)],
        "savings_chart": charts.savings_chart(story.months, version.currency),
        **neighbours_of(date),
    }
    if found is not None:
        steps, exact = found
        context |= {"steps": steps, "exact": exact, "chart": charts.own_day(steps, today=date == today)}
    return context


def _live(community: Community, participant: Participant) -> dict[str, Any] | None:
    meters = live.own_meters([participant])
    if not meters:
        return None
    now = live.now_of(meters, whole=True)
    return {
        "participant": participant,
        "key": f"{community.slug}.{participant.pk}",
        "flow": flow.draw(now.step, keep=now.keep),
        "heard": live.heard_words(now),
        "known": now.heard > 0,
    }


def _against(participant: Participant, member: Member) -> list[own.Compared]:
    """The last ninety days that have ended."""
    today = timezone.now().astimezone(zone(participant.community)).date()
    return own.against(participant, member, max(today - BACK, participant.joined_on), today)


def _worth(
    community: Community, viewer: policies.Viewer, member: Member | None, story: own.Mine | None
) -> dict[str, Any]:
    """What the community was worth by the statements that stand, of the member or of all that the viewer may see."""
    rows = [s for s in statements.own(community, viewer) if not hasattr(s, "corrected_by")]
    if member is not None:
        rows = [s for s in rows if s.participant.person_id == member.person_id]
    if not rows:
        return {}
    worth = bill_charts.worth(rows, story.months if story else ())
    currency = rows[0].currency
    return {
        "worth": worth,
        "worth_currency": currency,
        "worth_chart": bill_charts.worth_chart(worth, currency),
        "worth_sum": bills.amount(sum((row.billed for row in worth), Decimal(0)), currency),
    }


@require_safe
@login_required
def mine_csv(request: HttpRequest, slug: str) -> StreamingHttpResponse:
    """Every step of one's own use and solar."""
    community, _context = frame(request, slug, tab="own")
    member = _chosen(own.members_of(community, request.user), request.GET.get("member", ""))
    if member is None:
        raise CommunityNotFound(_("You are not a member of “%(name)s” here.") % {"name": community})
    steps = zip(moments(member.version), series.unpack(member.load), series.unpack(member.pv), strict=True)
    rows = ((moment.isoformat(), repr(load), repr(made)) for moment, load, made in steps)
    response = csv_files.answer(f"{community.slug}-{member.key}", ("time", "load_kwh", "pv_kwh"), rows)
    response["Cache-Control"] = "private, no-store"
    return response
