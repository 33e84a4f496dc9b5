"""One tree of errors: each refusal has a code, a status and a sentence that says what, where and what to do.

The API answers a `CityError` as problem+json with the code, a page shows the sentence, a command prints it and exits 1.
Rooms subclass it in their own `errors.py`. A user's mistake is never a 500.
"""

from typing import Any, ClassVar

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _


class CityError(Exception):
    """A refusal. `data` are extra members of the answer, such as the next free slot; `retry_after_s` says when it is
    worth trying again, where waiting helps."""

    code: ClassVar[str] = "city:refused"
    status: ClassVar[int] = 400
    retry_after_s: ClassVar[int | None] = None
    title: ClassVar[str | Promise] = _("This is not possible")

    def __init__(self, sentence: str | Promise, /, **data: Any) -> None:
        super().__init__(str(sentence))
        self.sentence = sentence
        self.data = data

    def elsewhere(self, address: str) -> str:
        """Where to look instead of `address` when what was asked for has moved for good; nothing for most refusals."""
        return ""

    def problem(self) -> dict[str, Any]:
        """The refusal as an RFC 9457 problem document."""
        return {
            "type": f"/api/v1/errors/{self.code.replace(':', '/')}",
            "title": str(self.title),
            "status": self.status,
            "code": self.code,
            "detail": str(self.sentence),
            **self.data,
        }


class NotFound(CityError):
    """It does not exist, or the caller may not know that it does."""

    code = "city:not-found"
    status = 404
    title: ClassVar[str | Promise] = _("Not found")


class NotAllowed(CityError):
    """The caller is known and may see it, but may not do this."""

    code = "city:not-allowed"
    status = 403
    title: ClassVar[str | Promise] = _("Not allowed")


class BadInput(CityError):
    """What was sent cannot be read; `where` names the file, line or field."""

    code = "city:bad-input"
    status = 400
    title: ClassVar[str | Promise] = _("This cannot be read")


class Conflict(CityError):
    """It collides with what is already there."""

    code = "city:conflict"
    status = 409
    title: ClassVar[str | Promise] = _("Already taken")
