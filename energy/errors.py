"""Refusals of the energy room, and the words for those of its engine."""

from typing import TYPE_CHECKING

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from commons.errors import BadInput, CityError, NotAllowed, NotFound

if TYPE_CHECKING:
    from energy.engine.refusals import EngineRefusal


class CommunityNotFound(NotFound):
    """No such community, or not yours to see."""

    code = "energy:not-found"


class BadCommunity(BadInput):
    """A community folder that cannot be read; carries file, line and column."""

    code = "energy:bad-community"
    title = gettext_lazy("This community cannot be read")


class NotYet(CityError):
    """Defined, but not built."""

    code = "energy:not-yet"
    status = 422
    title = gettext_lazy("Not yet")


class NotDefined(CityError):
    """A combination without a meaning."""

    code = "energy:not-defined"
    status = 422
    title = gettext_lazy("This has no answer")


class Infeasible(CityError):
    """Not all demands can be met."""

    code = "energy:infeasible"
    status = 422
    title = gettext_lazy("This cannot be met")


class BadValue(BadInput):
    """A number that cannot be."""

    code = "energy:bad-value"
    title = gettext_lazy("This number cannot be")


class SliceFailed(CityError):
    """A part of a large simulation could not be worked out."""

    code = "energy:slice-failed"
    status = 500
    title = gettext_lazy("A part could not be worked out")


class NotYours(NotAllowed):
    """Only people who are signed in may set computers to work."""

    code = "energy:sign-in"


def from_engine(refusal: "EngineRefusal") -> CityError:
    """The engine's refusal in the reader's language."""
    from energy.engine import refusals  # noqa: PLC0415 the engine is loaded only where it was used

    sentence = _(refusal.template) % refusal.params
    if isinstance(refusal, refusals.FolderRefusal):
        where = {"file": refusal.file, "line": refusal.line, "column": refusal.column}
        return BadCommunity(f"{_where(refusal)}: {sentence}.", **where)
    kind = {
        refusals.NotYet: NotYet,
        refusals.NotDefined: NotDefined,
        refusals.Infeasible: Infeasible,
        refusals.BadValue: BadValue,
    }
    return kind.get(type(refusal), CityError)(sentence[0].upper() + sentence[1:] + ".")


def _where(refusal: "EngineRefusal") -> str:
    file, line, column = (getattr(refusal, name) for name in ("file", "line", "column"))
    if line and column:
        return _("%(file)s, line %(line)d, column %(column)s") % {
            "file": file,
            "line": line,
            "column": column,
        }
    if line:
        return _("%(file)s, line %(line)d") % {"file": file, "line": line}
    return _("%(file)s, %(column)s") % {"file": file, "column": column} if column else str(file)
