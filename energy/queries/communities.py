"""Reads of communities, their newest data and what simulations of them answered."""

from array import array
from dataclasses import dataclass
from statistics import quantiles

from django.db.models import Case, Count, IntegerField, Max, Q, QuerySet, Value, When
from django.utils.translation import gettext as _

from commons.people.models import User
from commons.places.models import Place
from commons.runs.models import Run
from energy import policies, series
from energy.errors import CommunityNotFound
from energy.models import Community, CommunityVersion, Member, Simulation

LEAST_HOMES = policies.LEAST_MEMBERS
#: What a simulation says of each member: most of its row.
HEAVY = ("members",)


def community(slug: str, viewer: policies.Viewer) -> Community:
    """A community that this person may know of. Raises CommunityNotFound."""
    found = policies.visible(viewer).select_related("place").filter(slug=slug).first()
    if found is None:
        raise CommunityNotFound(_("There is no community “%(slug)s”, or it is not yours to see.") % {"slug": slug})
    return found


def latest(community: Community) -> CommunityVersion | None:
    """Its newest version."""
    return community.versions.order_by("-number").select_related("community", "community__place").first()


def newest(slug: str) -> CommunityVersion:
    """The newest version of a community, for commands and workers. Raises CommunityNotFound."""
    found = (
        CommunityVersion.objects.filter(community__slug=slug).order_by("-number").select_related("community").first()
    )
    if found is None:
        raise CommunityNotFound(
            _("There is no community “%(slug)s” with data; import one with import_community.") % {"slug": slug}
        )
    return found


def of_place(place: Place) -> QuerySet[Community]:
    """Communities of the place and of its parts, the place's own first."""
    own = Case(When(place=place, then=Value(0)), default=Value(1), output_field=IntegerField())
    return Community.objects.filter(Q(place=place) | Q(place__parent=place)).annotate(own=own).order_by("own", "slug")


def community_of(place: Place) -> Community | None:
    """The community that stands for a place: its own, else one of its parts'."""
    return of_place(place).filter(public=True, versions__isnull=False).distinct().first()


def latest_versions(place: Place) -> list[CommunityVersion]:
    """The newest published version of each community of the place."""
    published = Max("versions__number", filter=Q(versions__publication__isnull=False))
    newest = of_place(place).annotate(newest=published).exclude(newest=None).values_list("pk", "newest")
    wanted = Q()
    for pk, number in newest:
        wanted |= Q(community=pk, number=number)
    return list(CommunityVersion.objects.filter(wanted).select_related("community").order_by("pk")) if wanted else []


def of_version(version: CommunityVersion, *names: str) -> "dict[str, array[float]]":
    """Series of a version by name, kWh a step; a name that it does not have is left out."""
    rows = version.series.filter(name__in=names).values_list("name", "packed")
    return {name: series.unpack(packed) for name, packed in rows}


def of_simulation(simulation: Simulation) -> "dict[str, array[float]]":
    """All series of a simulation, kWh a step (stored: kWh held)."""
    return {name: series.unpack(packed) for name, packed in simulation.series.values_list("name", "packed")}


def latest_simulation(version: CommunityVersion, *controls: str) -> Simulation | None:
    """The newest simulation of a version, of the first of these controls that has one."""
    for control in controls or ("rule", "none", "optimal"):
        found = version.simulations.defer(*HEAVY).filter(control=control).order_by("-created_at").first()
        if found:
            return found
    return None


def simulations_by_rule(version: CommunityVersion, control: str, *, whole: bool = True) -> list[Simulation]:
    """The newest simulation of each rule of sharing under a control; without what each member has, if not `whole`."""
    rows = version.simulations.filter(control=control).order_by("sharing_rule", "-created_at")
    return list(rows.defer(*(() if whole else HEAVY)).distinct("sharing_rule"))


def members_by_kind(version: CommunityVersion) -> dict[str, int]:
    """How many members of each kind."""
    rows = version.members.order_by().values_list("kind").annotate(n=Count("pk"))
    return dict(rows)


def named_members(version: CommunityVersion, viewer: policies.Viewer) -> list[Member]:
    """Members whose figures this viewer may see: labs and public buildings, their own, all for stewards."""
    rows = version.members.defer("load", "pv").order_by("position")
    if policies.is_steward(viewer, version.community):
        return list(rows)
    open_to_all = Q(kind__in=policies.OPEN_KINDS)
    own = Q(person=viewer.pk) if isinstance(viewer, User) else Q(pk=None)
    return list(rows.filter(open_to_all | own))


@dataclass(frozen=True, slots=True)
class Row:
    """A community in the list of the section's home."""

    community: Community
    version: CommunityVersion | None
    count: int
    near: bool
    few: bool  # too few households for figures that everybody may see

    @property
    def ratio(self) -> float | None:
        """Made per used."""
        v = self.version
        return v.pv_kwh / v.load_kwh if v and v.load_kwh > 0 and not self.few else None


def overview(viewer: policies.Viewer) -> list[Row]:
    """Communities that this person may know of, their neighbourhood's first; three queries however many there
    are.
    """
    published = CommunityVersion.objects.filter(publication__isnull=False)
    newest = published.order_by("community", "-number").distinct("community").values("pk")
    versions = (
        CommunityVersion.objects.filter(pk__in=newest)
        .annotate(
            count=Count("members"),
            households=Count("members", filter=~Q(members__kind__in=policies.OPEN_KINDS)),
        )
        .select_related("community")
    )
    by_community = {v.community_id: v for v in versions}
    home = viewer.home_id if isinstance(viewer, User) else None
    rows = []
    for found in policies.visible(viewer).select_related("place").order_by("name"):
        version = by_community.get(found.pk)
        near = found.place_id is not None and (home is None or home == found.place_id)
        households = getattr(version, "households", 0)
        few = version is not None and not version.demo and households < policies.LEAST_MEMBERS
        rows.append(Row(found, version, getattr(version, "count", 0), near, few))
    return sorted(rows, key=lambda r: not r.near)


def search(words: str, viewer: policies.Viewer, limit: int) -> list[Community]:
    """Communities whose name or place holds the words."""
    match = Q(name__icontains=words) | Q(place__name__icontains=words) | Q(slug__icontains=words)
    return list(policies.visible(viewer).select_related("place").filter(match).order_by("name")[:limit])


@dataclass(frozen=True, slots=True)
class Spread:
    """How much homes use a period, without naming one: quarter points in kWh, and how many make their own."""

    count: int
    lower_kwh: float
    middle_kwh: float
    upper_kwh: float
    with_solar: int


def homes_spread(version: CommunityVersion) -> Spread | None:
    """The spread over homes; None below fifteen, where quarter points would point at people."""
    rows = list(version.members.filter(kind=Member.Kind.HOME).values_list("load_kwh", "pv_kwh").order_by("load_kwh"))
    if len(rows) < LEAST_HOMES:
        return None
    lower, middle, upper = quantiles([load for load, _pv in rows], n=4)
    return Spread(len(rows), lower, middle, upper, sum(pv > 0 for _load, pv in rows))


def open_runs(community: Community, viewer: policies.Viewer) -> list[Run]:
    """Simulations of the community that this person waits for."""
    if not isinstance(viewer, User):
        return []
    waiting = Run.objects.filter(
        subject=f"energy.community:{community.slug}",
        owner=viewer,
        status__in=[Run.Status.QUEUED, Run.Status.RUNNING],
    )
    return list(waiting.order_by("-created_at")[:3])
