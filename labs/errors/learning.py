"""Refusals about courses, badges and trust."""

from django.utils.translation import gettext_lazy as _

from commons.errors import CityError, Conflict, NotAllowed, NotFound


class UnknownCourse(NotFound):
    """No course, or one of a design that the caller may not see."""

    code = "learn:unknown-course"
    title = _("There is no such course")


class UnknownSession(NotFound):
    """No session of that id."""

    code = "learn:unknown-session"
    title = _("There is no such session")


class UnknownBadge(NotFound):
    """No badge or credential, or somebody else's."""

    code = "learn:unknown-badge"
    title = _("There is no such badge")


class UnknownSignOff(NotFound):
    """No sign-off, or somebody else's."""

    code = "learn:unknown-sign-off"
    title = _("There is no such sign-off")


class BadCourse(CityError):
    """The files of the design are no course; `problems` says where and why."""

    code = "learn:bad-course"
    status = 422
    title = _("This is no course yet")


class BadSession(CityError):
    """A session that cannot be held."""

    code = "learn:bad-session"
    status = 422
    title = _("This session cannot be held")


class SessionOver(Conflict):
    """The session has begun, has ended, or was cancelled."""

    code = "learn:session-over"
    title = _("This session is over")


class TooSoon(CityError):
    """Too many wrong answers in a short time."""

    code = "learn:too-soon"
    status = 429
    retry_after_s = 60
    title = _("Read it once more first")


class NotReady(Conflict):
    """Something comes before the sign-off: lessons, or another badge."""

    code = "learn:not-ready"
    title = _("Something comes before this")


class MayNotSign(NotAllowed):
    """The trainer may not sign this off."""

    code = "learn:may-not-sign"
    title = _("You cannot sign this off")


class BadSignOff(CityError):
    """A sign-off that says nothing."""

    code = "learn:bad-sign-off"
    status = 422
    title = _("This cannot be signed off")


class BadTrust(CityError):
    """A rule of trust that cannot be read."""

    code = "learn:bad-trust"
    status = 422
    title = _("This rule cannot be read")


class BadCredential(CityError):
    """A document that is no badge, or not one of this person."""

    code = "learn:bad-credential"
    status = 422
    title = _("This badge is not accepted")


class TooManyChecks(CityError):
    """Too many documents to verify in a short time."""

    code = "learn:too-many"
    status = 429
    retry_after_s = 60
    title = _("Too many at once")
