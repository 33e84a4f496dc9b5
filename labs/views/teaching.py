"""Courses of a lab: its sessions, who may be signed off, what it teaches; and one session."""

import datetime as dt
import uuid
from typing import Any

from django import forms
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as lazy
from django.views.decorators.http import require_http_methods, require_safe

from commons.errors import CityError, NotAllowed
from commons.people.models import Membership, User
from labs import policies
from labs.api.common import design_named
from labs.errors.learning import BadSession, BadSignOff, UnknownBadge, UnknownCourse
from labs.models import Badge, CourseSession, Lab, Seat, SignOff, Teaching
from labs.queries import catalogue, learning
from labs.services import courses, sessions
from labs.services import learning as services
from labs.views.common import page, viewer
from labs.views.frame import frame

SHOWN = 60


class SessionForm(forms.Form):
    """A new session, by the lab's own clock."""

    day = forms.DateField(label=lazy("Day"), widget=forms.DateInput(attrs={"type": "date"}))
    begins = forms.TimeField(label=lazy("From"), widget=forms.TimeInput(attrs={"type": "time"}))
    ends = forms.TimeField(label=lazy("Until"), widget=forms.TimeInput(attrs={"type": "time"}))
    places = forms.IntegerField(label=lazy("Places"), min_value=1, max_value=sessions.MOST_PLACES, initial=6)
    where = forms.CharField(label=lazy("Where"), max_length=200, required=False)
    note = forms.CharField(label=lazy("What to bring or know"), max_length=400, required=False)
    trainer = forms.ModelChoiceField(label=lazy("Trainer"), queryset=User.objects.none(), empty_label=None)

    def __init__(self, *args: Any, lab: Lab, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        trainer = self.fields["trainer"]
        assert isinstance(trainer, forms.ModelChoiceField)  # noqa: S101
        trainer.queryset = trainers_of(lab)


class TeachForm(forms.Form):
    """A course that the lab is to teach."""

    design = forms.CharField(label=lazy("Course, as owner/name of its design"), max_length=110)
    badge = forms.ModelChoiceField(
        label=lazy("Badge it gives"),
        queryset=Badge.objects.none(),
        required=False,
        empty_label=lazy("The course's own"),
    )

    def __init__(self, *args: Any, lab: Lab, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        badge = self.fields["badge"]
        assert isinstance(badge, forms.ModelChoiceField)  # noqa: S101
        badge.queryset = catalogue.badges_of(lab)


def trainers_of(lab: Lab) -> QuerySet[User]:
    """The people who train in a lab."""
    held = Membership.objects.filter(organisation=lab.organisation_id, role__in=policies.TRAINING)
    return User.objects.filter(pk__in=held.values("user"), is_active=True).order_by("username")


@require_http_methods(["GET", "HEAD", "POST"])
def lab_courses(request: HttpRequest, lab: str) -> HttpResponse:
    """What can I learn here, and when? Managers say what is taught."""
    found, context = frame(request, lab, tab="courses")
    person = viewer(request)
    form = TeachForm(request.POST if request.method == "POST" else None, lab=found)
    if request.method == "POST":
        if not policies.may_manage(person, found):
            raise UnknownCourse(_("There is no such page, or it is not yours."))
        try:
            if form.is_valid():
                design = design_named(form.cleaned_data["design"], person)
                made = courses.teach(lab=found, design=design, by=person, badge=form.cleaned_data["badge"])
                messages.success(request, _("“%(course)s” is taught here.") % {"course": made.course.title})
                return redirect("rooms:teaching", found.slug, made.pk)
        except CityError as refusal:
            context["refusal"] = refusal
            told = refusal.data.get("problems", [])
            context["problems"] = [{**one, "sentence": _(one["words"]) % one["values"]} for one in told]
    context |= {
        "teachings": learning.teachings(found, visitor=person),
        "sessions": list(learning.coming(lab=found, visitor=person)[:SHOWN]),
        "seats": _my_seats(person, found),
        "form": form,
    }
    status = context["refusal"].status if context.get("refusal") else 200
    return page(request, "labs/lab_courses.html", context, lab=found, status=status)


def _my_seats(person: User | None, lab: Lab) -> dict[uuid.UUID, Seat]:
    if person is None:
        return {}
    return {
        seat.session_id: seat for seat in learning.seats_of(person, timezone.now()).filter(session__teaching__lab=lab)
    }


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def teaching(request: HttpRequest, lab: str, teaching: int) -> HttpResponse:
    """What do I have to do for this course? For the lab's trainers; others have no such page."""
    found, context = frame(request, lab, tab="courses")
    person = viewer(request)
    if person is None or not policies.may_train(person, found):
        raise UnknownCourse(_("There is no such page, or it is not yours."))
    taught = learning.find_teaching(found, teaching)
    do = request.POST.get("do", "")
    form = SessionForm(request.POST if do == "session" else None, lab=found, initial={"trainer": person.pk})
    if request.method == "POST":
        try:
            if do == "session" and not form.is_valid():
                pass
            elif (done := _do(request, taught, person, do, form)) is not None:
                return done
        except CityError as refusal:
            context["refusal"] = refusal
    content = taught.course.content
    context |= {
        "teaching": taught,
        "content": content,
        "course": taught.course,
        "form": form,
        "ready": learning.ready(taught),
        "sessions": list(learning.sessions().filter(teaching=taught).order_by("-starts_at")[:SHOWN]),
        "open": SignOff.objects.filter(teaching=taught, confirmed_at=None, withdrawn_at=None).select_related("user"),
        "newer": content is not None and content.major > taught.major,
        "problems": [{**one, "sentence": _(one["words"]) % one["values"]} for one in taught.course.problems],
        "now": timezone.now(),
    }
    status = context["refusal"].status if context.get("refusal") else 200
    return page(request, "labs/teaching.html", context, lab=found, status=status)


def _do(request: HttpRequest, taught: Teaching, person: User, do: str, form: SessionForm) -> HttpResponse | None:
    """Do what a form asks. None shows the page again. Raises NotAllowed for what only those who run the lab do."""
    here = redirect("rooms:teaching", taught.lab.slug, taught.pk)
    if do == "session":
        _plan(taught, form)
        messages.success(request, _("The session is announced."))
        return here
    if do == "sign":
        user = User.objects.filter(username=request.POST.get("person", "").strip().lower(), is_active=True).first()
        if user is None:
            raise BadSignOff(_("There is no account of that name."))
        return redirect("rooms:sign", taught.lab.slug, taught.pk, user.username)
    if not policies.may_manage(person, taught.lab):
        raise NotAllowed(_("Only those who run %(lab)s do that.") % {"lab": taught.lab.name})
    return _manage(request, taught, person, do)


def _manage(request: HttpRequest, taught: Teaching, person: User, do: str) -> HttpResponse | None:
    """What those who run the lab decide about a course."""
    here = redirect("rooms:teaching", taught.lab.slug, taught.pk)
    if do == "renew":
        days = request.POST.get("days", "")
        number = int(days) if days.isdecimal() and len(days) < 5 else -1
        courses.ask_renewal(teaching=taught, by=person, days=number, reason=request.POST.get("reason", ""))
        messages.success(request, _("All who have the badge were asked to renew it."))
        return here
    if do == "keep":
        courses.accept_version(teaching=taught)
        return here
    if do == "stop":
        courses.stop_teaching(teaching=taught)
        messages.success(request, _("The course is no longer taught here. Badges that were given stay."))
        return redirect("rooms:lab_courses", taught.lab.slug)
    return None


def _plan(taught: Teaching, form: SessionForm) -> CourseSession:
    told = form.cleaned_data
    zone = taught.lab.zone
    starts_at = dt.datetime.combine(told["day"], told["begins"], zone)
    ends_at = dt.datetime.combine(told["day"], told["ends"], zone)
    if ends_at <= starts_at:
        raise BadSession(_("The session ends before it begins; look at the times again."))
    return sessions.plan(
        teaching=taught, starts_at=starts_at, ends_at=ends_at, places=told["places"], trainer=told["trainer"],
        where=told["where"], note=told["note"],
    )  # fmt: skip


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def sign(request: HttpRequest, lab: str, teaching: int, person: str) -> HttpResponse:
    """Did this person do all of it? A trainer ticks the checklist."""
    found, context = frame(request, lab, tab="courses")
    trainer = viewer(request)
    if trainer is None or not policies.may_train(trainer, found):
        raise UnknownCourse(_("There is no such page, or it is not yours."))
    taught = learning.find_teaching(found, teaching)
    learner = User.objects.filter(username=person.lower(), is_active=True).first()
    if learner is None:
        raise UnknownCourse(_("There is no account of that name."))
    content = taught.course.content
    if request.method == "POST":
        seen = [int(text) for text in request.POST.getlist("seen") if text.isdecimal() and len(text) < 4]
        try:
            services.sign_off(
                teaching=taught, user=learner, trainer=trainer, seen=seen, note=request.POST.get("note", "")
            )
            messages.success(request, _("Signed. %(person)s confirms it, then has the badge.") % {"person": learner})
            return redirect("rooms:teaching", found.slug, taught.pk)
        except CityError as refusal:
            context["refusal"] = refusal
    else:
        try:
            services.check_trainer(teaching=taught, trainer=trainer, user=learner)
            services.check_ready(teaching=taught, user=learner)
        except CityError as refusal:
            context["hindrance"] = refusal
    context |= {
        "teaching": taught,
        "content": content,
        "learner": learner,
        "progress": learning.progress(taught.course, learner),
        "checklist": list(enumerate(content.checklist)) if content else [],
    }
    status = context["refusal"].status if context.get("refusal") else 200
    return page(request, "labs/sign.html", context, lab=found, status=status)


@require_http_methods(["GET", "HEAD", "POST"])
def session(request: HttpRequest, lab: str, session: uuid.UUID) -> HttpResponse:
    """When and where is it, is there a place? Its trainers see who comes."""
    found, context = frame(request, lab, tab="courses")
    person = viewer(request)
    held = learning.find_session(session, found, visitor=person)
    trains = policies.may_train(person, found)
    if request.method == "POST":
        if person is None:
            return redirect(f"{reverse('account_login')}?next={request.path}")
        try:
            done = _seat(request, held, person, trains)
            if done:
                messages.success(request, done)
            return redirect("rooms:course_session", found.slug, held.pk)
        except CityError as refusal:
            context["refusal"] = refusal
    seats = list(held.seats.exclude(state=Seat.State.LEFT).select_related("user"))
    mine = next((seat for seat in seats if person is not None and seat.user_id == person.pk), None)
    waiting = [seat for seat in seats if seat.state == Seat.State.WAITING]
    context |= {
        "session": held,
        "course": held.teaching.course,
        "mine": mine,
        "place_in_line": waiting.index(mine) + 1 if mine in waiting else 0,
        "free": max(held.places - held.taken, 0),
        "seats": seats if trains else [],
        "trains": trains,
        "begun": held.starts_at <= timezone.now(),
        "now": timezone.now(),
    }
    status = context["refusal"].status if context.get("refusal") else 200
    return page(request, "labs/session.html", context, lab=found, status=status)


def _seat(request: HttpRequest, held: CourseSession, person: User, trains: bool) -> str:
    do = request.POST.get("do", "")
    if do == "join":
        seat = sessions.join(session=held, user=person)
        return _("You have a place.") if seat.state == Seat.State.TAKEN else _("You are on the waiting list.")
    if do == "leave":
        sessions.leave(session=held, user=person)
        return _("Your place is free for somebody else.")
    if not trains:
        raise UnknownCourse(_("There is no such page, or it is not yours."))
    if do == "mark":
        came = {int(text) for text in request.POST.getlist("came") if text.isdecimal() and len(text) < 19}
        count = sessions.mark(session=held, came=came)
        return _("Written down: %(n)d came.") % {"n": count}
    if do == "cancel":
        sessions.cancel(session=held, by=person, reason=request.POST.get("reason", ""))
        return _("The session is called off; everybody was told.")
    return ""


@require_safe
def badge(request: HttpRequest, lab: str, badge: str) -> HttpResponse:
    """What does this badge of a lab say, and how does one get it? The address that credentials name."""
    found, context = frame(request, lab, tab="courses")
    row = Badge.objects.filter(slug=badge).first()
    taught = learning.teachings(found, visitor=viewer(request)).filter(badge=row).first() if row else None
    known = row is not None and (row.lab_id in {None, found.pk} or taught is not None)
    if row is None or not known:
        raise UnknownBadge(_("%(lab)s has no badge of that name.") % {"lab": found.name})
    now = timezone.now()
    context |= {
        "badge": row,
        "way": learning.way_to(row, found, viewer(request), now),
        "machines": catalogue.machines(found).filter(required_badges=row),
    }
    return page(request, "labs/badge.html", context, lab=found)
