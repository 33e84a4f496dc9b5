"""Offers of people: made, taken back, accepted, refused."""

import datetime as dt
import math
from collections.abc import Mapping
from typing import Any

from django.db import transaction
from django.urls import reverse
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from commons.errors import BadInput
from commons.notices.services import tell
from commons.people.models import User
from commons.said import said
from twin import rows
from twin.engine import corrections as rules
from twin.engine.corrections import FIELDS, Field
from twin.engine.model import Layer
from twin.engine.model import Thing as CityThing
from twin.errors import AlreadyDecided, NotASteward, NothingChanged, ThingNotFound, TooManyOffers
from twin.models import Correction, District, DistrictVersion, Offer
from twin.policies import may_decide, stewards
from twin.queries import offers as reads
from twin.services.conflicts import lapse
from twin.services.districts import locked
from twin.services.versions import next_version
from twin.words import PROPERTIES, word

AN_HOUR = dt.timedelta(hours=1)
MOST_AN_HOUR = 40
FAR_DEGREES = 0.02
"""How far beyond the district's buildings a new service may lie."""


@transaction.atomic
def offer(
    *,
    district: District,
    by: User,
    layer: Layer,
    action: str,
    key: str = "",
    changes: Mapping[str, Any] | None = None,
    at: tuple[float, float] | None = None,
    reason: str = "",
) -> Offer:
    """Offer a correction: other properties of a thing, a thing that is gone, or a new service at a point.

    Raises BadInput, NothingChanged, ThingNotFound, TooManyOffers. Nothing changes until a steward accepts it.
    """
    _within_pace(by)
    reason = reason.strip()
    if len(reason) > 500:
        raise BadInput(_("A reason has at most 500 characters."), where="reason")
    if action == Offer.Action.ADD:
        made = _new_service(district, layer, dict(changes or {}), at)
    elif action in (Offer.Action.CHANGE, Offer.Action.REMOVE):
        made = _to_a_thing(district, layer, key, action, dict(changes or {}))
    else:
        raise BadInput(_("A correction is a change, something new or something gone."), where="action")
    made.district, made.author, made.reason = district, by, reason
    made.save()
    text = said(
        gettext_lazy("%(who)s corrects %(what)s in %(district)s"), who=by, what=made.title, district=district.name
    )
    tell(people=stewards(), kind="twin.offer", text=text, url=_queue(district), actor=by, about=f"twin.{district.pk}")
    return made


def _within_pace(by: User) -> None:
    since = timezone.now() - AN_HOUR
    if Offer.objects.filter(author=by, created_at__gt=since).count() >= MOST_AN_HOUR:
        raise TooManyOffers(
            _("You offered %(n)d corrections within an hour. Go on a little later.") % {"n": MOST_AN_HOUR}
        )


def _new_service(district: District, layer: str, changes: dict[str, Any], at: tuple[float, float] | None) -> Offer:
    if layer != "services":
        raise BadInput(_("Only a service can be added at a point."), where="layer")
    given = checked("services", changes)
    if "kind" not in given:
        raise BadInput(_("Say what kind of service it is."), where="kind")
    if at is None or not all(math.isfinite(x) for x in at):
        raise BadInput(_("Say where it is: longitude and latitude in degrees."), where="at")
    west, south, east, north = reads.bounds(district)
    lon, lat = round(at[0], 7), round(at[1], 7)
    if not (west - FAR_DEGREES <= lon <= east + FAR_DEGREES and south - FAR_DEGREES <= lat <= north + FAR_DEGREES):
        raise BadInput(_("%(at)s lies outside this district.") % {"at": f"{lat}, {lon}"}, where="at")
    title = given.get("name") or reads.kind_word("services", given["kind"])
    geometry = {"type": "Point", "coordinates": [lon, lat]}
    return Offer(layer="services", action=Offer.Action.ADD, changes=given, geometry=geometry, title=str(title)[:200])


def _to_a_thing(district: District, layer: Layer, key: str, action: str, changes: dict[str, Any]) -> Offer:
    row = reads.thing(district, layer, key)
    made = Offer(layer=layer, key=key, action=action, title=reads.title(row)[:200])
    if action == Offer.Action.REMOVE:
        return made
    given = {name: value for name, value in checked(layer, changes).items() if row.properties.get(name) != value}
    if not given:
        raise NothingChanged(_("This is what the model says already; change a value and send it again."))
    made.changes = given
    made.before = {name: row.properties.get(name) for name in given}
    return made


def checked(layer: str, changes: Mapping[str, Any]) -> dict[str, Any]:
    """The changes in their types and bounds. Raises BadInput, which names the field."""
    fields: Mapping[str, Field] = FIELDS.get(layer, {})  # type: ignore[call-overload]
    return {name: _checked(name, fields.get(name), value) for name, value in changes.items()}


def _checked(name: str, rule: Field | None, value: Any) -> Any:
    title = word(PROPERTIES, name)
    if rule is None:
        raise BadInput(_("“%(name)s” cannot be corrected here.") % {"name": name[:40]}, where=name[:40])
    if rule.type == "text":
        return _text(str(value), title, name, rule)
    if rule.type == "yesno":
        if not isinstance(value, bool):
            raise BadInput(_("%(what)s is true or false.") % {"what": title}, where=name)
        return value
    if rule.type == "choice":
        if str(value) not in rule.choices:
            raise BadInput(
                _("%(what)s is one of: %(choices)s.") % {"what": title, "choices": ", ".join(rule.choices)}, where=name
            )
        return int(value) if name == "oneway" else str(value)
    return _number(value, title, name, rule)


def _text(value: str, title: str, name: str, rule: Field) -> str:
    clean = " ".join(value.split())
    if len(clean) > rule.most or not clean.isprintable():
        raise BadInput(
            _("%(what)s has at most %(most)d letters and no signs that do not show.")
            % {"what": title, "most": rule.most},
            where=name,
        )
    return clean


def _number(value: Any, title: str, name: str, rule: Field) -> float | int:
    try:
        number = float(value) if not isinstance(value, bool) else math.nan
    except (TypeError, ValueError):
        number = math.nan
    if not rule.least <= number <= rule.most:
        raise BadInput(
            _("%(what)s lies between %(least)s and %(most)s %(unit)s.")
            % {"what": title, "least": f"{rule.least:g}", "most": f"{rule.most:g}", "unit": rule.unit},
            where=name,
        )
    return int(number) if rule.type == "whole" else round(number, 1)


@transaction.atomic
def accept(*, offer: Offer, by: User, answer: str = "") -> DistrictVersion:
    """Make the offer a version of its own. Raises NotASteward, AlreadyDecided, ThingNotFound."""
    mine, district = _held(offer, by)
    layer, number = reads.layer_of(mine.layer), reads.last_number(district) + 1
    if mine.action == Offer.Action.ADD:
        change = _add(district, mine, number)
    elif mine.action == Offer.Action.REMOVE:
        change = _remove(district, mine, number)
    else:
        change = _change(district, mine, number)
    lapse(district)
    version = next_version(
        district=district, number=number, how=DistrictVersion.How.CORRECTION, by=by, note=mine.title,
        changes={layer: change}, walks_alter=_walks_alter(mine),
    )  # fmt: skip
    mine.version = number
    _decide(mine, Offer.State.ACCEPTED, by, answer)
    _tell_author(mine, gettext_lazy("Your correction of %(what)s was accepted: version %(n)s of %(district)s"), by)
    return version


def _walks_alter(offer: Offer) -> bool:
    """Whether minutes on foot may differ after it."""
    return offer.action != Offer.Action.CHANGE or bool(offer.changes.keys() & {"foot", "kind"})


def _change(district: District, offer: Offer, number: int) -> rows.Change:
    layer = reads.layer_of(offer.layer)
    row = reads.thing(district, layer, offer.key)
    thing = rules.revised(CityThing(row.key, row.geometry, row.properties), layer, offer.changes)
    for name, value in offer.changes.items():
        before = Correction.objects.filter(district=district, layer=layer, key=offer.key, name=name, until=None).first()
        was = before.was if before else row.properties.get(name)
        if before:
            Correction.objects.filter(pk=before.pk).update(until=number)
        _correction(district, offer, number, name=name, value=value, was=was)
    return rows.put(district, layer, number, fresh=rows.rows(layer, [thing]), gone=[])


def _add(district: District, offer: Offer, number: int) -> rows.Change:
    offer.key = f"e{offer.pk}"
    about = {
        "name": "",
        **offer.changes,
        "tag": rules.CITIZEN,
        "source": rules.CITIZEN,
        "date": timezone.localdate().isoformat(),
    }
    assert offer.geometry is not None  # noqa: S101 an addition has a point
    thing = CityThing(offer.key, offer.geometry, about)
    same = reads.of_kind(district, "services", about["kind"])
    others = [CityThing(row.key, row.geometry, row.properties) for row in same]
    known = [other.key for other in rules.near(thing, others)]
    _correction(district, offer, number, name="", value=rules.as_stored(thing), was=known)
    return rows.put(district, "services", number, fresh=rows.rows("services", [thing]), gone=[])


def _remove(district: District, offer: Offer, number: int) -> rows.Change:
    layer = reads.layer_of(offer.layer)
    row = reads.thing(district, layer, offer.key)
    standing = Correction.objects.filter(district=district, layer=layer, key=offer.key, until=None)
    added = standing.filter(action=Offer.Action.ADD).exists()
    standing.update(until=number)
    if not added:  # what was only ours leaves nothing to hold against an import
        print_ = rules.print_of(CityThing(row.key, row.geometry, row.properties))
        _correction(district, offer, number, name="", value=None, was=print_)
    return rows.put(district, layer, number, fresh=[], gone=[offer.key])


def _correction(district: District, offer: Offer, number: int, *, name: str, value: Any, was: Any) -> None:
    Correction.objects.create(
        district=district, offer=offer, layer=offer.layer, key=offer.key, action=offer.action, name=name, value=value,
        was=was, since=number,
    )  # fmt: skip


@transaction.atomic
def refuse(*, offer: Offer, by: User, answer: str) -> Offer:
    """Refuse it with a reason, which its author is told. Raises NotASteward, AlreadyDecided, BadInput."""
    mine, _district = _held(offer, by)
    if not answer.strip():
        raise BadInput(_("Say why: its author reads it."), where="answer")
    _decide(mine, Offer.State.REFUSED, by, answer)
    _tell_author(mine, gettext_lazy("Your correction of %(what)s in %(district)s was not accepted: %(answer)s"), by)
    return mine


@transaction.atomic
def withdraw(*, offer: Offer, by: User) -> Offer:
    """Take one's own offer back. Raises ThingNotFound for those of others, AlreadyDecided."""
    mine = Offer.objects.select_for_update(of=("self",)).get(pk=offer.pk)
    if mine.author_id != by.pk:
        raise ThingNotFound(_("There is no correction of that number."))
    _still_open(mine)
    _decide(mine, Offer.State.WITHDRAWN, by, "")
    return mine


def _held(offer: Offer, by: User) -> tuple[Offer, District]:
    """The offer and its district, locked, for a steward to decide."""
    if not may_decide(by):
        raise NotASteward(_("Only stewards of the city decide on corrections."))
    district = locked(offer.district.slug)
    mine = Offer.objects.select_for_update(of=("self",)).select_related("district", "author").get(pk=offer.pk)
    _still_open(mine)
    return mine, district


def _still_open(offer: Offer) -> None:
    if offer.state != Offer.State.OFFERED:
        raise AlreadyDecided(_("This was decided before: %(what)s.") % {"what": offer.get_state_display()})


def _decide(offer: Offer, state: Offer.State, by: User, answer: str) -> None:
    offer.state, offer.decided_by, offer.decided_at, offer.answer = state, by, timezone.now(), answer.strip()[:500]
    offer.save()


def _tell_author(offer: Offer, pattern: str | Promise, by: User) -> None:
    if offer.author is None:
        return
    text = said(pattern, what=offer.title, district=offer.district.name, answer=offer.answer, n=offer.version or 0)
    tell(people=[offer.author], kind="twin.decision", text=text, url=_queue(offer.district), actor=by)


def _queue(district: District) -> str:
    return reverse("rooms:twin-offers", args=[district.slug])
