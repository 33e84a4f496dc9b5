"""New versions that no file made: a correction accepted, an older version brought back."""

from collections.abc import Mapping
from dataclasses import asdict

from django.db import transaction
from django.forms.models import model_to_dict
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from commons.people.models import User
from commons.runs import services as runs
from commons.said import said
from twin import queries as reads
from twin import rows
from twin.engine.model import LAYERS, Layer
from twin.errors import NotASteward, NothingToUndo
from twin.models import Access, Conflict, Correction, District, DistrictVersion
from twin.policies import may_decide
from twin.queries import offers as offered
from twin.queries.versions import totals
from twin.services.districts import locked
from twin.services.maps import prepare_map
from twin.services.reckonings import start_reckoning

_INHERITED = (
    "sources",
    "sources_sha256",
    "licence",
    "attribution",
    "dated_at",
    "date_stated",
    "epsg",
    "bounds",
    "skipped",
    "remarks",
    "engine_version",
)


def next_version(
    *,
    district: District,
    number: int,
    how: DistrictVersion.How,
    by: User | None,
    note: str,
    changes: Mapping[Layer, rows.Change],
    like: DistrictVersion | None = None,
    walks_alter: bool = True,
) -> DistrictVersion:
    """Write down the version whose rows the caller has put in place, and make it current. The caller holds the lock.

    Its sources, licence and access are those of `like`, the current version without it; access is reckoned anew by a
    run where `walks_alter`.
    """
    basis = like or reads.current(district)
    inherited = model_to_dict(basis, fields=_INHERITED)
    version = DistrictVersion.objects.create(
        district=district,
        number=number,
        how=how,
        author=by,
        note=note[:300],
        restores=like.number if like else None,
        counts=totals(district, number),
        changes={layer: asdict(change) for layer, change in changes.items()},
        **inherited,
    )
    district.current = version
    district.save(update_fields=["current"])
    kept = None if walks_alter else reads.access(basis)
    if kept is not None:
        kept.pk, kept.version = None, version
        kept.save(force_insert=True)
    elif Access.objects.filter(version=basis).exists() or walks_alter:
        runs.start(
            kind="twin.access",
            inputs={"district": district.slug, "version": number},
            title=said(gettext_lazy("Minutes on foot of %(name)s"), name=district.name),
            subject=f"twin.district:{district.slug}",
            public=True,
            demo=district.demo,
        )
    prepare_map(of=version)
    for kind in ("roofs", "risk", "energy"):
        start_reckoning(of=version, kind=kind)
    return version


@transaction.atomic
def restore(*, district: District, number: int, by: User, note: str = "") -> DistrictVersion:
    """Bring an older version back as a new one; nothing is erased. Corrections stand again as they stood then.
    Raises NotASteward, DistrictNotFound, NothingToUndo.
    """
    if not may_decide(by):
        raise NotASteward(_("Only stewards of the city undo versions."))
    district = locked(district.slug)
    old = reads.version(district, number)
    if old.pk == district.current_id:
        raise NothingToUndo(_("Version %(n)d is the one that stands; choose an older one.") % {"n": number})
    fresh = offered.last_number(district) + 1
    changes: dict[Layer, rows.Change] = {layer: rows.restore(district, layer, number, fresh) for layer in LAYERS}
    _restore_corrections(district, number, fresh)
    return next_version(
        district=district, number=fresh, how=DistrictVersion.How.UNDO, by=by, note=note, changes=changes, like=old,
        walks_alter=reads.access(old) is None,
    )  # fmt: skip


def _restore_corrections(district: District, old: int, fresh: int) -> None:
    mine = Correction.objects.filter(district=district)
    now = {one.pk: one for one in mine.filter(until=None)}
    then = {one.pk: one for one in offered.standing_at(district, old)}
    mine.filter(pk__in=now.keys() - then.keys()).update(until=fresh)
    ended = Conflict.objects.filter(correction__in=now.keys() - then.keys(), decision=Conflict.Decision.OPEN)
    ended.update(decision=Conflict.Decision.LAPSED, decided_at=timezone.now())
    for pk in then.keys() - now.keys():
        again = then[pk]
        again.pk, again.since, again.until = None, fresh, None
        again._state.adding = True
        again.save(force_insert=True)
