"""Writes about reports: report, decide, warn, appeal. Each adds a row to the log in the same transaction."""

import datetime as dt

from django.conf import settings
from django.db import transaction
from django.urls import reverse
from django.utils import timezone, translation
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as lazy

from commons import sockets
from commons.notices.services import tell
from commons.people.models import User
from commons.reports import queries
from commons.reports.errors import BadReport, NotModerator, TooManyReports, UnknownCase, UnknownTarget, WrongState
from commons.reports.models import Case, LogEntry, Reason, Report
from commons.reports.policies import check_may_moderate, may_decide
from commons.said import said

MAX_IN_AN_HOUR, MAX_WORDS = 10, 2000


@transaction.atomic
def report(*, kind: str, key: str, reason: str, words: str, by: User) -> Report:
    """Say that something is wrong. A second report by the same person while the first is open changes its words.

    Raises UnknownTarget, BadReport or TooManyReports.
    """
    if reason not in Reason.values:
        raise BadReport(_("Choose what is wrong."))
    words = _words(words, needed=reason == Reason.OTHER)
    _plug, found = queries.target(kind, key, by)
    since = timezone.now() - dt.timedelta(hours=1)
    if Report.objects.filter(reporter=by, created_at__gte=since).count() >= MAX_IN_AN_HOUR:
        raise TooManyReports(_("You have reported %(n)d things in an hour. Wait a little.") % {"n": MAX_IN_AN_HOUR})
    case = _case(kind, found)
    made, new = Report.objects.update_or_create(
        case=case, reporter=by, closed_at=None, defaults={"reason": reason, "words": words}
    )
    if new:
        _log(case, LogEntry.Verb.REPORT, by, f"{reason}: {words}" if words else reason)
    return made


def _case(kind: str, found: sockets.Reported) -> Case:
    """The case of this thing, held; a decided one that is not hidden opens again."""
    shot = {"title": found.title[:200], "url": found.url[:300], "excerpt": found.excerpt[:2000], "author": found.author}
    case, _new = Case.objects.select_for_update(of=("self",)).get_or_create(kind=kind, key=found.key, defaults=shot)
    if case.state == Case.State.DISMISSED:
        case.state = Case.State.OPEN
    for name, value in shot.items():
        setattr(case, name, value)
    case.heard_at = timezone.now()
    case.save()
    return case


@transaction.atomic
def dismiss(*, case: Case, by: User, words: str = "") -> Case:
    """Nothing is wrong: the reports are closed and their reporters told. Raises NotModerator or WrongState."""
    held = _hold(case, by)
    if held.state != Case.State.OPEN:
        raise WrongState(_("This case is decided already."))
    held.state = Case.State.DISMISSED
    held.save(update_fields=["state"])
    _log(held, LogEntry.Verb.DISMISS, by, _words(words))
    _close(held, "dismissed", lazy("We looked at what you reported (%(title)s) and left it as it is."))
    return held


@transaction.atomic
def hide(*, case: Case, by: User, reason: str) -> Case:
    """Hide the thing; its author hears why and may ask once to look again, its reporters hear that it was done.

    Raises NotModerator, BadReport (no reason), WrongState or UnknownTarget (it is gone).
    """
    held = _hold(case, by)
    reason = _words(reason, needed=True)[:400]
    if held.state == Case.State.HIDDEN:
        raise WrongState(_("It is hidden already."))
    _plug(held).hide(held.key, reason)
    held.state, held.reason = Case.State.HIDDEN, reason
    held.appeal, held.appealed_at, held.appeal_answered_at = "", None, None
    held.save()
    _log(held, LogEntry.Verb.HIDE, by, reason)
    _close(held, "hidden", lazy("Thank you: what you reported (%(title)s) is hidden now."))
    _tell_author(
        held, by, "reports.hidden", lazy("Hidden by the city's stewards: %(title)s. You can see why, and answer.")
    )
    return held


@transaction.atomic
def restore(*, case: Case, by: User, words: str = "") -> Case:
    """Show it again. Raises NotModerator, WrongState or UnknownTarget."""
    held = _hold(case, by)
    if held.state != Case.State.HIDDEN:
        raise WrongState(_("It is not hidden."))
    _plug(held).unhide(held.key)
    held.state, held.reason = Case.State.DISMISSED, ""
    if held.appealed_at is not None and held.appeal_answered_at is None:
        held.appeal_answered_at = timezone.now()
    held.save()
    _log(held, LogEntry.Verb.RESTORE, by, _words(words))
    _close(held, "dismissed", lazy("What you reported (%(title)s) shows again: we looked twice."))
    _tell_author(held, by, "reports.restored", lazy("Everybody sees it again: %(title)s"))
    return held


@transaction.atomic
def uphold(*, case: Case, by: User, words: str) -> Case:
    """Answer an appeal with no: it stays hidden. Raises NotModerator, BadReport or WrongState."""
    held = _hold(case, by)
    words = _words(words, needed=True)
    if held.state != Case.State.HIDDEN or held.appealed_at is None or held.appeal_answered_at is not None:
        raise WrongState(_("Nobody has asked to look at this again."))
    held.appeal_answered_at, held.reason = timezone.now(), words[:400]
    held.save(update_fields=["appeal_answered_at", "reason"])
    _log(held, LogEntry.Verb.UPHOLD, by, words)
    _close(held, "hidden", lazy("Thank you: what you reported (%(title)s) is hidden now."))
    _tell_author(held, by, "reports.upheld", lazy("We looked again, and it stays hidden: %(title)s"))
    return held


@transaction.atomic
def warn(*, case: Case, by: User, words: str) -> None:
    """Write to the author about it, in words that stay in the log. Raises NotModerator or BadReport."""
    held = _hold(case, by)
    words = _words(words, needed=True)
    if held.author is None:
        raise BadReport(_("Nobody is known as its author, so nobody can be written to."))
    _log(held, LogEntry.Verb.WARN, by, words)
    text = said(lazy("The city's stewards write about %(title)s: %(words)s"), title=held.title, words=words)
    tell(people=[held.author], kind="reports.warned", text=text, url=_url(held), actor=by)


@transaction.atomic
def appeal(*, case: Case, by: User, words: str) -> Case:
    """Ask to look again at what is hidden: its author, once. Raises UnknownCase, BadReport or WrongState."""
    held = Case.objects.select_for_update(of=("self",)).get(pk=case.pk)
    if held.author_id != by.pk:
        raise UnknownCase(_("There is no such case, or it is not yours to see."))
    if not held.may_be_appealed:
        raise WrongState(_("You have asked once already, or it is not hidden."))
    held.appeal, held.appealed_at = _words(words, needed=True), timezone.now()
    held.heard_at = held.appealed_at
    held.save(update_fields=["appeal", "appealed_at", "heard_at"])
    _log(held, LogEntry.Verb.APPEAL, by, held.appeal)
    return held


# --- parts -------------------------------------------------------------------------------------------------------


def _words(words: str, *, needed: bool = False) -> str:
    words = words.replace("\r\n", "\n").replace("\x00", "").strip()
    if needed and not words:
        raise BadReport(_("Say why, in a sentence."))
    if len(words) > MAX_WORDS:
        raise BadReport(_("Up to %(n)d characters, please.") % {"n": MAX_WORDS})
    return words


def _hold(case: Case, by: User) -> Case:
    check_may_moderate(by)
    held = Case.objects.select_for_update(of=("self",)).select_related("author").get(pk=case.pk)
    if not may_decide(by, held):
        raise NotModerator(_("Somebody else decides about what is yours."))
    return held


def _plug(case: Case) -> sockets.ReportTarget:
    plug = sockets.report_targets.get(case.kind)
    if plug is None or plug.find(case.key, None) is None:
        raise UnknownTarget(_("It is gone, so nothing is left to hide or show."))
    return plug


def _log(case: Case, verb: LogEntry.Verb, by: User, words: str) -> None:
    LogEntry.objects.create(case=case, verb=verb, by=by.username, words=words[:MAX_WORDS])


def _url(case: Case) -> str:
    with translation.override(settings.LANGUAGE_CODE):
        return reverse("rooms:report_case", args=[case.pk])


def _close(case: Case, outcome: str, sentence: Promise) -> None:
    """Close the open reports and tell those who made them."""
    open_ones = list(case.reports.filter(closed_at=None).select_related("reporter"))
    case.reports.filter(closed_at=None).update(closed_at=timezone.now(), outcome=outcome)
    people = [made.reporter for made in open_ones if made.reporter is not None]
    with translation.override(settings.LANGUAGE_CODE):
        url = reverse("rooms:my_reports")
    tell(people=people, kind="reports.outcome", text=said(sentence, title=case.title), url=url)


def _tell_author(case: Case, by: User, kind: str, sentence: Promise) -> None:
    if case.author is None:
        return
    tell(people=[case.author], kind=kind, text=said(sentence, title=case.title), url=_url(case), actor=by)
