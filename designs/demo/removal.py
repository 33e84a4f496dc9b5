"""Taking the demo away: designs with all that hangs on them, and everything of theirs on disk."""

import shutil
from collections.abc import Callable

from django.db import transaction
from django.db.models import Q

from commons.notices.services import withdraw
from commons.people.models import User
from designs.models import Blob, Collection, Design, Make, Release, ShapeDiff
from designs.services import delete_design
from designs.services.collections import delete_collection
from designs.services.forks import drop_pool
from designs.services.lfs import sweep
from designs.services.makes import delete_make, forget_photos
from designs.services.previews import store
from designs.services.release_archives import store as archives
from designs.services.telling import address

Say = Callable[[str], None]


def remove(tell: Say) -> None:
    """Take the demo's designs, repositories, pictures, archives and collections away; somebody's own fork stays."""
    designs = list(Design.objects.filter(demo=True).select_related("owner").order_by("-pk"))  # forks before parents
    packed = set(Release.objects.filter(design__in=designs).exclude(archive="").values_list("archive", flat=True))
    pools = {design.pool for design in designs if design.pool}
    withdraw(under=[address("rooms:design", design.owner.name, design.slug) for design in designs])
    _of_people()
    for design in designs:
        tell(f"designs: {design.name} goes")
        forget_photos(design)
        delete_design(design=design, by=None)
    for pool in pools:
        drop_pool(pool_id=pool)
    for name in packed - set(Release.objects.filter(archive__in=packed).values_list("archive", flat=True)):
        (archives() / name).unlink(missing_ok=True)
    sweep()
    _orphans()


def _of_people() -> None:
    """What the demo's people have beside designs of the demo."""
    for person in User.objects.filter(demo=True):
        for collection in Collection.objects.filter(owner__user=person):
            delete_collection(collection=collection, by=person)
        for make in Make.objects.filter(author=person).select_related("design"):
            delete_make(make=make, by=person)


@transaction.atomic
def _orphans() -> None:
    """Contents that no design holds any more, with their pictures and comparisons."""
    orphans = Blob.objects.filter(file_versions=None, offered=None)
    oids = set(orphans.values_list("oid", flat=True))
    for oid in oids:
        for folder in store().glob(f"{oid[:2]}/{oid}-*"):
            shutil.rmtree(folder, ignore_errors=True)
    compared = ShapeDiff.objects.filter(Q(base__in=oids) | Q(head__in=oids))
    for shape in compared:
        for folder in store().glob(f"diffs/{shape.base[:2]}/{shape.base[:20]}-{shape.head[:20]}-*"):
            shutil.rmtree(folder, ignore_errors=True)
    compared.delete()
    orphans.delete()
