"""Refusals of the energy room, and the words for those of its engine."""

from typing import TYPE_CHECKING

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from commons.errors import BadInput, CityError, Conflict, NotAllowed, NotFound

if TYPE_CHECKING:
    from energy.engine.refusals import EngineRefusal


class CommunityNotFound(NotFound):
    """No such community, or not yours to see."""

    code = "energy:not-found"

    @classmethod
    def simulation(cls, number: str) -> "CommunityNotFound":
        """The same of a simulation."""
        return cls(_("There is no simulation “%(number)s”, or it is not yours to see.") % {"number": number})


class BadCommunity(BadInput):
    """A community folder that cannot be read; carries file, line and column."""

    code = "energy:bad-community"
    title = gettext_lazy("This community cannot be read")


def gone_from_it() -> str:
    """Why a version is not reckoned with any more."""
    return _("A household has left and took its curves with it. Make a new version of the data, and simulate that.")


class BadWeather(BadInput):
    """A file of weather that cannot be read; carries file, line and column."""

    code = "energy:bad-weather"
    title = gettext_lazy("This weather cannot be read")


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


class UnknownParticipant(NotFound):
    """No such participant, meter or file, or not yours to see."""

    code = "energy:unknown-participant"


class BadInvitation(NotFound):
    """A code that lets nobody in (any more)."""

    code = "energy:bad-invitation"
    title = gettext_lazy("This invitation does not hold")


class NotSteward(NotAllowed):
    """Something that only the stewards of the community do, or only the household."""

    code = "energy:not-yours"


class BadParticipant(BadInput):
    """A form of a participant, meter or asset that makes no sense."""

    code = "energy:bad-participant"
    title = gettext_lazy("This cannot be kept")


class AlreadyIn(Conflict):
    """Who is in already, or a meter that is somebody's."""

    code = "energy:already-in"


class WrongCode(BadInput):
    """The code of a letter that does not fit."""

    code = "energy:wrong-code"
    title = gettext_lazy("This code does not fit")


class BadMeterFile(BadInput):
    """A file of readings that cannot be taken; `lines` names each bad line and what to do."""

    code = "energy:bad-meter-file"
    title = gettext_lazy("This file cannot be read in")


class NotMeasured(CityError):
    """Something that needs every step, while some were not measured; `missing` says how many of whom."""

    code = "energy:not-measured"
    status = 422
    title = gettext_lazy("Not everything was measured")


def from_engine(refusal: "EngineRefusal") -> CityError:
    """The engine's refusal in the reader's language."""
    from energy.engine import refusals  # noqa: PLC0415 the engine is loaded only where it was used

    sentence = _(refusal.template) % refusal.params
    if isinstance(refusal, refusals.FolderRefusal):
        where = {"file": refusal.file, "line": refusal.line, "column": refusal.column}
        bad = BadWeather if isinstance(refusal, refusals.WeatherRefusal) else BadCommunity
        return bad(f"{_where(refusal)}: {sentence}.", **where)
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


class NoTerms(BadInput):
    """A statement needs a tariff and rules that held on every day of it."""

    code = "energy:no-terms"
    status = 422
    title = gettext_lazy("Nothing says what this costs")


class TooCoarse(BadInput):
    """The rules need readings by the quarter of an hour."""

    code = "energy:too-coarse"
    status = 422
    title = gettext_lazy("The readings are too coarse")


class BadTerms(BadInput):
    """A version of a tariff or of the rules that cannot be."""

    code = "energy:bad-terms"
    title = gettext_lazy("These terms cannot be")


class TermsInUse(Conflict):
    """A version by which a statement was made stays as it is."""

    code = "energy:terms-in-use"
    title = gettext_lazy("A statement was made by it")


class BadPrices(BadInput):
    """A file of prices that cannot be read; carries the line."""

    code = "energy:bad-prices"
    title = gettext_lazy("These prices cannot be read")


class BadPeriod(BadInput):
    """Not a period that can be settled."""

    code = "energy:bad-period"
    title = gettext_lazy("This period cannot be settled")


class StatementNotFound(NotFound):
    """No such statement, or not yours to see."""

    code = "energy:no-statement"


class BadGrid(BadInput):
    """A grid that cannot be kept, or a member that cannot be connected so."""

    code = "energy:bad-grid"
    title = gettext_lazy("This grid cannot be kept")


class NoGrid(NotFound):
    """No grid is known here, or it is not yours to see."""

    code = "energy:no-grid"
