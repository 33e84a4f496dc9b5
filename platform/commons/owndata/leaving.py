"""What goes with a person whatever rooms there are: sessions, work that waits, files, and sentences that name them."""

import re
from functools import reduce
from operator import or_
from pathlib import Path

from allauth.usersessions.models import UserSession
from django.contrib.admin.models import LogEntry
from django.contrib.auth import SESSION_KEY
from django.contrib.sessions.models import Session
from django.db import models, transaction
from django.db.models import Q
from django.db.models.functions import Now
from django.utils import timezone

from commons.notices.models import Notice
from commons.owndata import archive
from commons.people.leaving import former
from commons.people.models import User
from commons.reports.models import Case
from commons.runs import services as runs
from commons.runs.models import Run

#: A name of one word is taken off those sentences alone that leaving itself made: others may bear it too.
ONE_WORD = 1
#: Where the city writes down names in sentences, and what goes with them then.
QUOTED: tuple[tuple[type[models.Model], tuple[str, ...], dict[str, None]], ...] = (
    (Notice, ("text",), {"kept": None}),
    (Case, ("title", "excerpt"), {}),
)


@transaction.atomic
def leave(user: User) -> None:
    """End sessions, stop work, delete what was made for this person alone."""
    _end_sessions(user)
    _end_runs(user)
    _hush(user)


def keeps(_user: User) -> bool:
    """No: nothing of this is a book."""
    return False


def _end_sessions(user: User) -> None:
    keys = list(UserSession.objects.filter(user=user).values_list("session_key", flat=True))
    alive = Session.objects.filter(expire_date__gt=timezone.now())
    keys += [row.session_key for row in alive.iterator() if row.get_decoded().get(SESSION_KEY) == str(user.pk)]
    Session.objects.filter(session_key__in=keys).delete()
    UserSession.objects.filter(user=user).delete()


def _end_runs(user: User) -> None:
    """Runs that others may see stay without an owner; the rest go with their results and files."""
    for run in Run.objects.filter(owner=user, status__in=[Run.Status.QUEUED, Run.Status.RUNNING]):
        runs.cancel(run=run)
    own = Run.objects.filter(owner=user, public=False)
    files = [archive.path_of(key) for key in own.values_list("pk", flat=True)]
    own.delete()
    transaction.on_commit(lambda: _unlink(files))


def _unlink(files: list[Path]) -> None:
    for path in files:
        path.unlink(missing_ok=True)


def _hush(user: User) -> None:
    """Take their names off what the city itself wrote down: notices to others, things as they stood when they were
    reported, the log of staff pages.
    """
    LogEntry.objects.filter(content_type__app_label="people", content_type__model="user", object_id=user.pk).update(
        object_repr=former(user)
    )
    for name in filter(None, (user.username, user.name, user.email)):
        sure = name != user.name or len(name.split()) > ONE_WORD
        alone = re.compile(rf"(?<![\w-]){re.escape(name)}(?![\w-])")
        for model, columns, also in QUOTED:
            found = model._base_manager.filter(reduce(or_, (Q(**{f"{column}__contains": name}) for column in columns)))
            if model is Notice and not sure:
                found = found.filter(created_at__gte=Now())  # when this transaction began
            elif not sure:
                continue
            for row in found:
                clean = {column: alone.sub(former(user), getattr(row, column)) for column in columns}
                model._base_manager.filter(pk=row.pk).update(**clean, **also)
