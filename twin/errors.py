"""Refusals of the twin, each with its sentence."""

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from commons.errors import BadInput, CityError, Conflict, NotAllowed, NotFound
from twin.engine.errors import Reason, Unreadable
from twin.engine.measures.base import Refused

Text = str | Promise


class DistrictNotFound(NotFound):
    """No district of that name."""

    code = "twin:no-district"


class NothingForeseen(NotFound):
    """Nothing was foreseen of the district."""

    code = "twin:nothing-foreseen"


class SandboxNotFound(NotFound):
    """No such sandbox in the district."""

    code = "twin:no-sandbox"


class BuildingNotFound(NotFound):
    """No building of that key in the version."""

    code = "twin:no-building"


class ThingNotFound(NotFound):
    """No such street, service, area, offer or conflict for the caller."""

    code = "twin:no-thing"


class NothingChanged(BadInput):
    """A correction that says what the model says."""

    code = "twin:nothing-changed"


class NothingToUndo(BadInput):
    """The version that stands cannot be brought back."""

    code = "twin:nothing-to-undo"


class AlreadyDecided(Conflict):
    """An offer or a conflict that a steward decided, or its author took back."""

    code = "twin:already-decided"
    title = gettext_lazy("This was decided before")


class TooManyOffers(CityError):
    """More corrections within an hour than one person may offer."""

    code = "twin:too-many-offers"
    status = 429
    retry_after_s = 600
    title = gettext_lazy("Too many at once")


class NoSuchLayer(NotFound):
    """A district has buildings, streets, services, areas and people."""

    code = "twin:no-layer"


class NotReckoned(NotFound):
    """No engine has answered this for the version yet."""

    code = "twin:not-reckoned"


class NotASteward(NotAllowed):
    """Only stewards of a city and staff import districts and decide on corrections."""

    code = "twin:not-a-steward"


class BadDistrictName(BadInput):
    """The slug cannot be an address."""

    code = "twin:bad-slug"


class TooLarge(CityError):
    """A file beyond what a district may be."""

    code = "twin:too-large"
    status = 413
    title = gettext_lazy("Too large")


class UnreadableFile(BadInput):
    """A file that cannot be read as a city; nothing was changed."""

    code = "twin:unreadable"
    title = gettext_lazy("This file cannot be read as a district")


_SENTENCES: dict[Reason, Text] = {
    "empty": gettext_lazy("%(where)s is empty. Nothing was changed; export it again and send that."),
    "unknown-format": gettext_lazy(
        "%(where)s is not a file we can read. Send one of: .osm.pbf, .osm, .city.json, .city.jsonl, .geojson, .csv."
    ),
    "broken": gettext_lazy("%(where)s is damaged (%(detail)s). Nothing was changed; download it again."),
    "no-buildings": gettext_lazy(
        "%(where)s holds no building that lies wholly inside it. Nothing was changed; take a larger extract."
    ),
    "no-crs": gettext_lazy(
        "%(where)s does not say which coordinate system it uses (metadata.referenceSystem). "
        "Nothing was changed; add it."
    ),
    "bad-crs": gettext_lazy(
        "%(where)s names a coordinate system we do not know: “%(detail)s”. Nothing was changed; give an EPSG number."
    ),
    "bad-version": gettext_lazy(
        "%(where)s is CityJSON %(detail)s; we read 1.1 and 2.0. Nothing was changed; upgrade it with cjio."
    ),
    "bad-index": gettext_lazy(
        "%(where)s uses a point that the file does not hold (%(detail)s points). "
        "Nothing was changed; check it with cjval."
    ),
    "bad-json": gettext_lazy("%(where)s is not valid JSON: %(detail)s. Nothing was changed."),
    "bad-coordinates": gettext_lazy(
        "%(where)s has coordinates that are not on Earth or not numbers (%(detail)s). Nothing was changed."
    ),
    "not-degrees": gettext_lazy(
        "%(where)s is not in degrees of longitude and latitude (%(detail)s), as this format must be (WGS 84). "
        "Nothing was changed; export it again in EPSG:4326."
    ),
    "no-column": gettext_lazy(
        "%(where)s has nothing that is called “%(detail)s”. Nothing was changed; say what it is called there."
    ),
    "bad-number": gettext_lazy(
        "%(where)s has a number that is none, or is below 0 (%(detail)s). "
        "Nothing was changed; mend it and send it again."
    ),
    "far-apart": gettext_lazy(
        "%(where)s spans %(detail)s degrees; a district is at most 2 wide. Nothing was changed; cut smaller."
    ),
}


def unreadable(fault: Unreadable) -> UnreadableFile:
    """The engine's reason in words."""
    words = {"where": fault.where or _("The file"), "detail": fault.detail or _("no more is known")}
    return UnreadableFile(str(_SENTENCES[fault.reason]) % words, reason=fault.reason, where=fault.where)


class BadAssumption(BadInput):
    """An assumption of traffic that makes no sense; `field` names it."""

    code = "twin:bad-assumption"
    title = gettext_lazy("This assumption cannot be")


class NoRoads(BadInput):
    """No street of the district is open to cars."""

    code = "twin:no-roads"


class TooManyRuns(CityError):
    """One person began too many runs in an hour."""

    code = "twin:too-many-runs"
    status = 429
    title = gettext_lazy("Too many at once")


class NoSumo(CityError):
    """SUMO is not installed on this city."""

    code = "twin:no-sumo"
    status = 503
    title = gettext_lazy("The deep engine is not installed")


class SumoFailed(CityError):
    """SUMO stopped; the sentence has its own words."""

    code = "twin:sumo-failed"
    title = gettext_lazy("SUMO stopped")


class NoTippecanoe(CityError):
    """tippecanoe is not installed on this city."""

    code = "twin:no-tippecanoe"
    status = 503
    title = gettext_lazy("The tool that makes tiles is not installed")


class TilesFailed(CityError):
    """tippecanoe stopped; the sentence has its own words."""

    code = "twin:tiles-failed"
    title = gettext_lazy("The tiles could not be made")


class NoMapFile(NotFound):
    """A file of the map that was not made, or has been made anew since."""

    code = "twin:no-map-file"


class SignInFirst(NotAllowed):
    """Nobody is signed in, and this begins work."""

    code = "twin:sign-in"


class BadMeasure(BadInput):
    """A scenario's measure that cannot be; `field` names what is wrong, `number` which measure."""

    code = "twin:bad-measure"
    title = gettext_lazy("This measure cannot be")


class ScenarioNotFound(NotFound):
    """No scenario of that id, or version of that number."""

    code = "twin:no-scenario"


class NotYourScenario(NotAllowed):
    """Only who made a scenario, or has its key, may change it; everybody may make a copy."""

    code = "twin:not-your-scenario"


class NotYourComment(NotAllowed):
    """Only its author and stewards take a comment away."""

    code = "twin:not-your-comment"


class NoAnswerYet(NotFound):
    """No engine has answered this scenario yet at that depth."""

    code = "twin:no-answer-yet"


class TooManyScenarios(CityError):
    """More scenarios or runs of them at once than the city takes."""

    code = "twin:too-many-scenarios"
    status = 429
    retry_after_s = 60
    title = gettext_lazy("Too many at once")


def bad_measure(fault: Refused) -> BadMeasure:
    """The engine's reason in words."""
    number = {"number": fault.params["number"]} if "number" in fault.params else {}
    return BadMeasure(_(fault.template) % fault.params, field=fault.field, **number)
