"""What an import makes of the corrections that stand, and what stewards decide where it contests them."""

from collections.abc import Iterable

from django.db import transaction
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from commons.notices.services import tell
from commons.people.models import User
from commons.said import said
from twin import rows
from twin.engine import corrections as rules
from twin.engine.corrections import Corrected
from twin.engine.model import Thing as CityThing
from twin.errors import AlreadyDecided, NotASteward
from twin.models import Conflict, Correction, District, DistrictVersion
from twin.policies import may_decide, stewards
from twin.queries import offers as reads


def contest(*, district: District, version: DistrictVersion, laid: Corrected) -> list[Conflict]:
    """Write down what an import did to the corrections: settled ones end, moved ones follow their street, contested
    ones become conflicts. The caller holds the district's lock.
    """
    number = version.number
    standing = Correction.objects.filter(district=district, until=None)
    standing.filter(pk__in=laid.settled).update(until=number)
    for one in standing.filter(pk__in=laid.moved):
        Correction.objects.filter(pk=one.pk).update(until=number)
        Correction.objects.bulk_create(
            Correction(
                district=district, offer=one.offer, layer=one.layer, key=key, action=one.action, name=one.name,
                value=one.value, was=one.was, since=number,
            )
            for key in laid.moved[one.pk]
        )  # fmt: skip
    carried = laid.model.carried
    Conflict.objects.filter(district=district, decision=Conflict.Decision.OPEN).exclude(
        correction__layer__in=carried
    ).update(decision=Conflict.Decision.LAPSED, decided_at=timezone.now())
    made = Conflict.objects.bulk_create(
        Conflict(
            district=district, correction_id=clash.pk, version=number, why=clash.why, theirs=clash.theirs,
            thing=dict(clash.thing) if clash.thing else None,
        )
        for clash in laid.clashes
    )  # fmt: skip
    if made:
        text = said(
            gettext_lazy("The import of %(district)s says something else than %(n)s of our corrections"),
            district=district.name,
            n=len(made),
        )
        tell(people=stewards(), kind="twin.conflict", text=text, url=reverse("rooms:twin-offers", args=[district.slug]))
    return made


def lapse(district: District) -> None:
    """Close the conflicts about corrections that have ended."""
    Conflict.objects.filter(district=district, decision=Conflict.Decision.OPEN, correction__until__isnull=False).update(
        decision=Conflict.Decision.LAPSED, decided_at=timezone.now()
    )


@transaction.atomic
def decide(*, conflict: Conflict, take: bool, by: User) -> Conflict:
    """Uphold the correction against the import, or take what the import says: a new version without the correction.
    Raises NotASteward, AlreadyDecided.
    """
    from twin.services.districts import locked  # noqa: PLC0415 imports store here what they contest
    from twin.services.versions import next_version  # noqa: PLC0415 with it

    if not may_decide(by):
        raise NotASteward(_("Only stewards of the city decide between an import and a correction."))
    district = locked(conflict.district.slug)
    mine = Conflict.objects.select_for_update(of=("self",)).select_related("correction").get(pk=conflict.pk)
    if mine.decision != Conflict.Decision.OPEN:
        raise AlreadyDecided(_("This was decided before: %(what)s.") % {"what": mine.get_decision_display()})
    correction = mine.correction
    if take:
        number = reads.last_number(district) + 1
        Correction.objects.filter(pk=correction.pk).update(until=number)
        thing = _without(district, mine)
        fresh = rows.rows(reads.layer_of(correction.layer), [thing]) if thing else []
        gone = [] if thing else [correction.key]
        change = rows.put(district, reads.layer_of(correction.layer), number, fresh=fresh, gone=gone)
        note = _("The import’s word taken for %(what)s") % {"what": correction.offer.title if correction.offer else ""}
        next_version(
            district=district, number=number, how=DistrictVersion.How.CORRECTION, by=by, note=note,
            changes={reads.layer_of(correction.layer): change},
        )  # fmt: skip
    else:
        Correction.objects.filter(pk=correction.pk).update(was=_seen(mine))
    mine.decision = Conflict.Decision.TAKE if take else Conflict.Decision.KEEP
    mine.decided_by, mine.decided_at = by, timezone.now()
    mine.save(update_fields=["decision", "decided_by", "decided_at"])
    return mine


def _without(district: District, conflict: Conflict) -> CityThing | None:
    """The thing as the import has it, with the corrections of it that still stand; None when the import has none."""
    correction = conflict.correction
    if correction.action == "add" or conflict.thing is None:
        return None
    thing = CityThing(correction.key, conflict.thing["geometry"], conflict.thing["properties"])
    layer = reads.layer_of(correction.layer)
    others: Iterable[Correction] = Correction.objects.filter(
        district=district, layer=layer, key=correction.key, until=None, action="change"
    )
    laid = {other.name: other.value for other in others}
    return rules.revised(thing, layer, laid) if laid else thing


def _seen(conflict: Conflict) -> object:
    """What the source said when the correction was upheld, so that only a new word contests it again."""
    correction = conflict.correction
    if correction.action == "change":
        return conflict.theirs if conflict.why == "other" else rules.GONE
    if correction.action == "add":
        return [*(correction.was or []), conflict.theirs]
    assert conflict.thing is not None  # noqa: S101 a removal is contested by a thing
    return rules.print_of(CityThing(correction.key, conflict.thing["geometry"], conflict.thing["properties"]))
