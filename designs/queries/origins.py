"""Where given bytes come from: the proof that a machine made a certain design in a certain version."""

import datetime as dt
from dataclasses import dataclass

from django.db.models import Q, QuerySet

from commons.people.models import Organisation
from designs.models import Design, FileVersion
from designs.policies import Visitor, seen_by
from designs.queries import releases


@dataclass(frozen=True, slots=True)
class Origin:
    """A design that holds exactly these bytes, the path, and the commit that put them there.

    `blob` is git's object id. `ref` is the branch that has the file there now, or empty for an older version;
    `release` is the release it belongs to, or empty.
    """

    design: Design
    path: str
    commit: str
    blob: str
    committed_at: dt.datetime
    ref: str
    release: str = ""


def seen_at(visible_to: Visitor, organisation: Organisation | None = None) -> QuerySet[Design]:
    """The designs that a visitor may see, and those of the organisation at whose place they are."""
    own = Q(deleted_at=None, hidden_at=None, owner__organisation=organisation) if organisation is not None else Q()
    return Design.objects.filter(seen_by(visible_to) | own if own else seen_by(visible_to))


def origins(
    *,
    sha256: str = "",
    sha1: str = "",
    blob: str = "",
    visible_to: Visitor = None,
    organisation: Organisation | None = None,
    limit: int = 50,
) -> list[Origin]:
    """All origins of exactly these bytes that the visitor may see, newest commit first; [] when there is none.

    Give any of the three hexadecimal names; all that are given must fit. `visible_to=None` finds public designs only;
    those of `organisation` are found besides.
    """
    names = {"blob__sha256": sha256, "blob__sha1": sha1, "blob__oid": blob}
    asked = {field: value.strip().lower() for field, value in names.items() if value.strip()}
    if not asked:
        return []
    seen = seen_at(visible_to, organisation).values("pk")
    versions = (
        FileVersion.objects.filter(**asked, design__in=seen)
        .select_related("design", "design__owner", "design__owner__user", "design__owner__organisation", "blob")
        .order_by("-committed_at", "-current", "design__created_at", "path")[:limit]
    )
    known = releases.holding((version.design_id, version.commit) for version in versions)
    return [
        Origin(
            design=version.design,
            path=version.path,
            commit=version.commit,
            blob=version.blob.oid,
            committed_at=version.committed_at,
            ref=version.design.default_branch if version.current else "",
            release=known.get((version.design_id, version.commit), ""),
        )
        for version in versions
    ]
