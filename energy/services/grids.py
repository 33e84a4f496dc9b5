"""Writes about grids: import one, say who is where, start a check, keep its answer."""

import datetime as dt
import hashlib
from pathlib import Path
from typing import TYPE_CHECKING, Any

from django.db import transaction
from django.db.models import Max
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from commons.people.models import User
from commons.places.models import Place
from commons.runs import services as runs
from commons.runs.models import Run
from commons.said import said
from energy import policies, series
from energy.engine import gridfolder
from energy.engine.refusals import EngineRefusal
from energy.errors import BadGrid, NotSteward, NotYours, from_engine
from energy.kinds import GRID_KIND
from energy.models import Community, CommunityVersion, Grid, GridCheck, GridConnection, GridVersion
from energy.queries import grids, public

if TYPE_CHECKING:
    from energy.engine.gridcheck import Checked


def import_grid(
    *,
    folder: Path,
    community: Community | None = None,
    place: Place | None = None,
    name: str = "",
    valid_from: dt.date | None = None,
    source: str = "",
    demo: bool = False,
) -> GridVersion:
    """Read a grid in the form of SimBench and keep it as the next version of a community's or place's grid. The same
    files again change nothing. Raises BadCommunity with file and line, BadGrid.
    """
    if (community is None) == (place is None):
        raise BadGrid(_("A grid belongs to a community or to a place; name one of the two."))
    if not folder.is_dir():
        raise BadGrid(_("“%(path)s” is not a folder; give the folder that holds Node.csv.") % {"path": folder})
    try:
        found = gridfolder.read(folder)
        sha256 = gridfolder.content_sha256(folder)
    except EngineRefusal as refusal:
        raise from_engine(refusal) from None
    return _keep(
        found=found,
        sha256=sha256,
        owner={"community": community} if community else {"place": place},
        name=name or folder.resolve().name,
        valid_from=valid_from or timezone.now().date(),
        source=source,
        demo=demo,
    )


@transaction.atomic
def _keep(
    *,
    found: gridfolder.Folder,
    sha256: str,
    owner: dict[str, Any],
    name: str,
    valid_from: dt.date,
    source: str,
    demo: bool,
) -> GridVersion:
    grid, made = Grid.objects.get_or_create(**owner, defaults={"name": name[:160], "demo": demo})
    grid = Grid.objects.select_for_update().get(pk=grid.pk)
    if not made and name and name != grid.name:
        grid.name = name[:160]
        grid.save(update_fields=["name"])
    last = grid.versions.order_by("-number").first()
    if last is not None and last.content_sha256 == sha256 and last.valid_from == valid_from:
        return last
    before = grid.versions.aggregate(last=Max("number"))["last"] or 0
    return GridVersion.objects.create(
        grid=grid,
        number=before + 1,
        valid_from=valid_from,
        content_sha256=sha256,
        source=source,
        network=found.network.as_dict(),
        named={**found.named, **found.members},
        nodes=len(found.network.nodes),
        radial=found.network.radial,
    )


@transaction.atomic
def connect(*, community: Community, by: policies.Viewer, nodes: dict[str, str]) -> None:
    """Say at which node members are connected ("" takes back what was said). Raises NotSteward, NoGrid, BadGrid."""
    if not policies.is_steward(by, community):
        raise NotSteward(_("Only stewards of “%(name)s” say who is connected where.") % {"name": community})
    grid_version = grids.needed(community)
    known = grids.read(grid_version).place
    version = public.version(community, by)
    members = {row.member for row in grids.placed(grid_version, version)} if version else set()
    for member, node in nodes.items():
        if member not in members:
            raise BadGrid(_("“%(member)s” is no member of “%(name)s”.") % {"member": member, "name": community})
        if node and node not in known:
            raise BadGrid(
                _("The grid has no node “%(node)s”; choose one of its %(n)d nodes.") % {"node": node, "n": len(known)}
            )
        rows = GridConnection.objects.filter(grid=grid_version.grid, community=community, member=member)
        if node:
            GridConnection.objects.update_or_create(
                grid=grid_version.grid, community=community, member=member, defaults={"node": node}
            )
        else:
            rows.delete()


def ask_check(*, community: Community, viewer: policies.Viewer, control: str) -> Run:
    """A person asks for a check of the newest data that they see as they are. Raises NotYours, NoGrid."""
    if not isinstance(viewer, User):
        raise NotYours(_("Sign in to check a grid."))
    grid_version = grids.needed(community)
    version = public.version(community, viewer)
    if version is None or not grids.sees_homes(viewer, version):
        raise NotYours(
            _("What a check of the grid says of single homes is for stewards of “%(name)s” alone; ask one of them.")
            % {"name": community}
        )
    return start_check(version=version, grid_version=grid_version, control=control, owner=viewer)


def start_check(
    *,
    version: CommunityVersion,
    grid_version: GridVersion,
    control: str,
    owner: User | None = None,
    demo: bool = False,
) -> Run:
    """Ring for a check of a version of a community on a version of its grid."""
    connected = {row.member: row.node for row in grids.placed(grid_version, version)}
    inputs = {
        "version": version.pk,
        "content_sha256": version.content_sha256,
        "grid_version": grid_version.pk,
        "grid_sha256": grid_version.content_sha256,
        "control": control,
        "connected": connected,
    }
    return runs.start(
        kind=GRID_KIND,
        inputs=inputs,
        title=said(gettext_lazy("Check the grid of %(community)s"), community=version.community.name),
        subject=f"energy.community:{version.community.slug}",
        owner=owner,
        demo=demo,
    )


def keep_check(
    *, version: CommunityVersion, grid_version: GridVersion, run: Run, checked: "Checked", demo: bool
) -> GridCheck:
    """Keep a run's answer; called inside the transaction that ends the run."""
    inputs = {key: value for key, value in run.inputs.items() if key not in {"version", "grid_version"}}
    packed = {name: series.pack(values) for name, values in checked.series.items()}
    return GridCheck.objects.create(
        version=version,
        grid_version=grid_version,
        run=run,
        control=run.inputs["control"],
        result=checked.document,
        connected=run.inputs["connected"],
        inputs_sha256=hashlib.sha256(runs.canonical_json(inputs)).hexdigest(),
        demo=demo,
        lowest=packed["lowest"],
        highest=packed["highest"],
        line=packed["line"],
        transformer=packed["transformer"],
    )
