"""Checks of a community on its grid, on a worker."""

import dataclasses

from django.utils.translation import gettext_noop as _

from commons.runs.registry import Inputs, Job, Outcome, kind
from commons.said import said
from energy.errors import CommunityNotFound, from_engine
from energy.kinds import GRID_KIND
from energy.models import CommunityVersion, GridVersion
from energy.queries import grids
from energy.services import grids as services

ENGINE = "grid 1"
#: What the engine, which knows no language, says of how far it is.
STAGES = (
    _("hour by hour through the grid"),
    _("looking twice at the worst hours"),
    _("trying how much more fits"),
)


@kind(GRID_KIND, queue="simulations", engine_version=ENGINE)
def check(job: Job, inputs: Inputs) -> Outcome:
    """Every step through the grid, then how much more it takes."""
    from energy import loading  # noqa: PLC0415 numpy and numba are loaded by workers alone
    from energy.engine import gridcheck, hosting  # noqa: PLC0415 as above
    from energy.engine.grid import Grid  # noqa: PLC0415 as above
    from energy.engine.refusals import EngineRefusal  # noqa: PLC0415 as above

    version = CommunityVersion.objects.select_related("community").filter(pk=inputs["version"]).first()
    grid_version = GridVersion.objects.filter(pk=inputs["grid_version"]).first()
    if version is None or grid_version is None:
        raise CommunityNotFound("The community or its grid was taken away before the check began.")
    job.progress(0.01, said(_("reading the data")))
    network = grids.read(grid_version)
    grid, community = Grid(network), loading.load(version)
    connected = inputs["connected"]
    at = [network.place[connected[member.id]] for member in community.members]
    common_at = network.place[connected.get(grids.COMMON, network.root)]
    try:
        found = gridcheck.check(
            grid, community, control=inputs["control"], at=at, common_at=common_at, progress=job.progress
        )
    except EngineRefusal as refusal:
        raise from_engine(refusal) from None
    profiles = hosting.profiles(community)
    nodes = sorted(set(at))
    rooms = {}
    for i, (name, profile) in enumerate(profiles.items()):

        def tell(share: float, done: int = i) -> None:
            job.progress(0.5 + 0.45 * (done + share) / len(profiles), "trying how much more fits")

        rooms[name] = hosting.capacity(grid, found.powers, profile, nodes=nodes, progress=tell)
    checked = dataclasses.replace(found, document={**found.document, "hosting": rooms, "engine": ENGINE})
    job.progress(0.97, said(_("writing it down")))
    run, slug = job.run, version.community.slug

    def effect() -> None:
        services.keep_check(version=version, grid_version=grid_version, run=run, checked=checked, demo=run.demo)

    answer = {"community": slug, "url": f"/energy/{slug}/grid/", **grids.summary(checked.document, exact=True)}
    return Outcome(result=answer, effect=effect)
