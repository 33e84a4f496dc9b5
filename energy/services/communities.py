"""Writes about energy: import a community, start a simulation, keep its answer."""

import hashlib
import re
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from django.db import transaction
from django.db.models import Max
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from commons.people.models import Organisation, User
from commons.places.models import Place
from commons.runs import services as runs
from commons.runs.models import Run
from commons.said import said
from energy import policies, publishing, series
from energy.errors import BadCommunity, NotYours, from_engine, gone_from_it
from energy.models import (
    Community,
    CommunityVersion,
    Member,
    Simulation,
    SimulationSeries,
    VersionSeries,
)
from energy.queries import public

if TYPE_CHECKING:
    from energy.engine.answer import Result
    from energy.engine.community import Community as EngineCommunity
    from energy.engine.community import Member as EngineMember

KIND = "energy.simulate"
CONTROLS = ("none", "rule", "optimal")
STRATEGIES = ("self-consumption", "time-of-use", "peak-shaving", "export-limit")
SHARING_RULES = ("equal", "proportional", "mid-market", "mid-market-fixed", "owen", "shapley", "nucleolus")
SLUG = re.compile(r"^[a-z0-9][a-z0-9-]{0,59}$")


def import_folder(
    *,
    folder: Path,
    slug: str | None = None,
    place: Place | None = None,
    organisation: Organisation | None = None,
) -> CommunityVersion:
    """Read a community folder and keep it as a new version. Raises BadCommunity with its place."""
    from energy.engine import folder as reader  # noqa: PLC0415 numpy is loaded by imports alone
    from energy.engine.refusals import EngineRefusal  # noqa: PLC0415 as above

    if not folder.is_dir():
        raise BadCommunity(
            _("“%(path)s” is not a folder; give the folder that holds community.toml.") % {"path": folder}
        )
    try:
        data = reader.read(folder)
    except EngineRefusal as refusal:
        raise from_engine(refusal) from None
    name = slug or re.sub(r"[^a-z0-9]+", "-", folder.resolve().name.lower()).strip("-")
    return keep(data=data, slug=name, sha256=reader.content_sha256(folder), place=place, organisation=organisation)


@transaction.atomic
def keep(
    *,
    data: "EngineCommunity",
    slug: str,
    sha256: str,
    place: Place | None = None,
    organisation: Organisation | None = None,
    source: str = "",
    demo: bool = False,
) -> CommunityVersion:
    """Keep data as the next version of a community; locks its row. Place and organisation stay unless they
    are given.
    """
    if not SLUG.match(slug):
        raise BadCommunity(
            _("“%(slug)s” cannot be an address; use a–z, digits and hyphens, 60 at most.") % {"slug": slug}
        )
    community, _made = Community.objects.get_or_create(slug=slug, defaults={"name": data.name, "demo": demo})
    community = Community.objects.select_for_update().get(pk=community.pk)
    community.name = data.name[:160]
    community.place = place or community.place
    community.organisation = organisation or community.organisation
    community.save()
    before = community.versions.aggregate(last=Max("number"))["last"] or 0
    people = dict(
        Member.objects.filter(version__community=community, version__number=before).values_list("key", "person")
    )
    version = CommunityVersion.objects.create(
        community=community,
        number=before + 1,
        content_sha256=sha256,
        source=source,
        currency=data.currency[:8],
        timezone=data.timezone,
        start=data.start,
        step_minutes=data.step_minutes,
        steps=data.steps,
        cyclic=data.cyclic,
        grid_limit_kw=data.grid_limit_kw,
        battery_kwh=data.battery.kwh if data.battery else None,
        battery_kw=data.battery.kw if data.battery else None,
        battery_efficiency=data.battery.efficiency if data.battery else None,
        load_kwh=float(data.load_kwh.sum()),
        pv_kwh=float(data.pv_kwh.sum()),
        demo=demo,
    )
    rows = [_row(version, data, i, member, people.get(member.id)) for i, member in enumerate(data.members)]
    Member.objects.bulk_create(rows)
    VersionSeries.objects.bulk_create(
        VersionSeries(version=version, name=name, packed=series.pack(values)) for name, values in _curves(data).items()
    )
    publishing.publish(version)
    return version


def _curves(data: "EngineCommunity") -> Mapping[str, Any]:
    import numpy as np  # noqa: PLC0415 numpy is loaded by imports alone

    from energy.engine import disclosure  # noqa: PLC0415 as above

    curves = {
        "import_price": data.import_price,
        "export_price": data.export_price,
        "load": data.load_kwh.sum(axis=0),
        "pv": data.pv_kwh.sum(axis=0),
        "lack": np.maximum(data.net_kwh, 0.0).sum(axis=0),
        "spare": np.maximum(-data.net_kwh, 0.0).sum(axis=0),
    }
    if data.co2_kg_per_kwh is not None:
        curves["co2"] = data.co2_kg_per_kwh
    if data.co2_marginal_kg_per_kwh is not None:
        curves["co2_marginal"] = data.co2_marginal_kg_per_kwh
    heated = next((m.heat for m in data.members if m.heat), None)
    if heated:
        curves["cop"] = heated.cop
    for kind in {m.kind for m in data.members}:
        rows = [i for i, m in enumerate(data.members) if m.kind == kind]
        curves[f"load:{kind}"] = data.load_kwh[rows].sum(axis=0)
    curves["cells"] = disclosure.cells(
        disclosure.protected(data, policies.OPEN_KINDS),
        start=data.start,
        step_minutes=data.step_minutes,
        timezone=data.timezone,
        least=policies.LEAST_MEMBERS,
        least_below_an_hour=policies.LEAST_MEMBERS_BELOW_AN_HOUR,
        largest_share=policies.LARGEST_SHARE,
    )
    return curves


def _row(
    version: CommunityVersion, data: "EngineCommunity", i: int, member: "EngineMember", person: int | None
) -> Member:
    battery, car = member.battery, member.vehicle
    return Member(
        version=version,
        position=i,
        key=member.id,
        name=member.name[:120],
        kind=member.kind,
        person_id=person,
        pv_kwp=member.pv_kwp,
        battery_kwh=battery.kwh if battery else None,
        battery_kw=battery.kw if battery else None,
        battery_efficiency=battery.efficiency if battery else None,
        ev_kwh=car.kwh if car else None,
        ev_kw=car.kw if car else None,
        ev_kwh_per_day=car.kwh_per_day if car else None,
        ev_away_from_min=car.away_from_min if car else None,
        ev_away_until_min=car.away_until_min if car else None,
        ev_efficiency=car.efficiency if car else None,
        ev_v2g=car.v2g if car else True,
        heat_pump_kw=member.heat_pump_kw,
        tank_kwh=member.tank_kwh,
        tank_loss_per_hour=member.tank_loss_per_hour,
        heat=series.pack(member.heat.demand_kwh) if member.heat else None,
        load_kwh=float(data.load_kwh[i].sum()),
        pv_kwh=float(data.pv_kwh[i].sum()),
        load=series.pack(data.load_kwh[i]),
        pv=series.pack(data.pv_kwh[i]),
    )


def start_simulation(
    *,
    version: CommunityVersion,
    control: str,
    sharing: str | None = None,
    horizon_hours: float | None = None,
    strategy: str | None = None,
    owner: User | None = None,
    full: bool = False,
    demo: bool = False,
) -> Run:
    """Ring for a simulation of a version. `full`: the run's result names every member (for stewards and the
    command).
    """
    if version.members.filter(load=series.NOTHING).exists():
        raise BadCommunity(gone_from_it())
    inputs = {
        "version": version.pk,
        "content_sha256": version.content_sha256,
        "control": control,
        "sharing": sharing,
        "horizon_hours": horizon_hours,
        "strategy": strategy,
        "full": full,
    }
    return runs.start(
        kind=KIND,
        inputs=inputs,
        title=said(gettext_lazy("Simulate %(community)s"), community=version.community.name),
        subject=f"energy.community:{version.community.slug}",
        owner=owner,
        demo=demo,
    )


def ask_simulation(
    *,
    community: Community,
    viewer: policies.Viewer,
    control: str,
    sharing: str | None,
    horizon_hours: float | None,
    strategy: str | None = None,
) -> Run:
    """A person asks for a simulation of the newest data that they may know sums of. Raises NotYours, BadCommunity."""
    if not isinstance(viewer, User):
        raise NotYours(_("Sign in to simulate a community."))
    version = public.version(community, viewer)
    if version is None:
        raise BadCommunity(_("“%(name)s” has no data yet; import a community folder first.") % {"name": community})
    if not policies.may_simulate(viewer, version):
        raise NotYours(
            _(
                "“%(name)s” has fewer than %(n)d households, so what a simulation adds up is for its members and "
                "stewards alone."
            )
            % {"name": community, "n": policies.LEAST_MEMBERS}
        )
    full = policies.is_steward(viewer, community)
    return start_simulation(
        version=version,
        control=control,
        sharing=sharing,
        horizon_hours=horizon_hours,
        strategy=strategy,
        owner=viewer,
        full=full,
    )


def keep_simulation(*, version: CommunityVersion, run: Run, control: str, result: "Result", demo: bool) -> Simulation:
    """Keep a run's answer; called inside the transaction that ends the run."""
    document: Mapping[str, Any] = result.document
    packed = {name: series.pack(values) for name, values in result.series.items()}
    simulation = Simulation.objects.create(
        version=version,
        run=run,
        control=control,
        sharing_rule=document["sharing"]["rule"],
        totals=document["totals"],
        separate=document["separate"],
        members=document["members"],
        sharing=document["sharing"],
        engine=document["engine"],
        more=document.get("more", {}),
        inputs_sha256=comparable_inputs(run.inputs),
        seed=run.seed,
        result_sha256=fingerprint(document, packed),
        demo=demo,
    )
    SimulationSeries.objects.bulk_create(
        SimulationSeries(simulation=simulation, name=name, packed=values) for name, values in packed.items()
    )
    return simulation


def comparable_inputs(inputs: Mapping[str, Any]) -> str:
    """The fingerprint of what an answer depends on: a run's inputs without who may see all of it and which row they
    are of.
    """
    same = {key: value for key, value in inputs.items() if key not in {"full", "version"}}
    return hashlib.sha256(runs.canonical_json(same)).hexdigest()


def fingerprint(document: Mapping[str, Any], packed: Mapping[str, bytes]) -> str:
    """The fingerprint of an answer: all its figures and series to the last bit, not how long it took."""
    found = hashlib.sha256()
    for part in ("totals", "separate", "members", "sharing"):
        found.update(runs.canonical_json(document[part]))
    for name in sorted(packed):
        found.update(name.encode() + b"\0" + series.raw(packed[name]))
    return found.hexdigest()


def public_document(*, document: Mapping[str, Any], owner: User | None) -> dict[str, Any]:
    """A result for someone who is not a steward: labs, public buildings and the person's own members are
    named, homes are not.
    """
    own = set(Member.objects.filter(person=owner).values_list("key", flat=True)) if owner else set()
    shown = [m for m in document["members"] if m["kind"] in policies.OPEN_KINDS or m["id"] in own]
    sharing = {**document["sharing"], "worst_coalition": None}
    hidden = len(document["members"]) - len(shown)
    more = {name: value for name, value in document.get("more", {}).items() if name != "island"}
    return {**document, "members": shown, "members_hidden": hidden, "sharing": sharing, "more": more}
