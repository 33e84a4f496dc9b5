"""Where rooms plug in. The ground floor offers these sockets and imports no room; a room registers from its `apps.py`.

Each socket is a typed record and a registry. A room that is left out simply leaves its sockets empty.
"""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, BinaryIO, Generic, Literal, TypeVar

from django.utils.functional import Promise

if TYPE_CHECKING:
    import datetime as dt
    from pathlib import Path

    from django.http import HttpRequest

    from commons.devices.models import Command, Device
    from commons.people.models import User
    from commons.places.models import Place

Text = str | Promise
T = TypeVar("T")


class Socket(Generic[T]):
    """An ordered registry of one kind of plug; registering the same slug again is an error."""

    def __init__(self, name: str) -> None:
        self.name = name
        self._plugs: dict[str, T] = {}

    def register(self, plug: T) -> T:
        """Plug in. `plug` has `slug`, and `order` where the order matters."""
        slug: str = plug.slug  # type: ignore[attr-defined]
        if slug in self._plugs:
            raise ValueError(f"{slug!r} is already plugged into {self.name}")
        self._plugs[slug] = plug
        return plug

    def __iter__(self) -> Iterator[T]:
        return iter(sorted(self._plugs.values(), key=lambda p: (getattr(p, "order", 100), getattr(p, "slug", ""))))

    def get(self, slug: str) -> T | None:
        """The plug of that name, if its room is there."""
        return self._plugs.get(slug)


@dataclass(frozen=True, slots=True)
class NavEntry:
    """A section in the masthead. `icon` names a symbol of templates/web/icons.html; `packages` are those whose views
    stand in the section wherever their address begins, but for a person's own pages."""

    slug: str
    title: Text
    url_name: str
    icon: str
    order: int = 100
    packages: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Sheet:
    """A style sheet of the front end (`entry`, as Vite is given it) for pages of views in these packages alone."""

    slug: str
    entry: str
    packages: tuple[str, ...]
    order: int = 100


@dataclass(frozen=True, slots=True)
class MapGround:
    """What maps of any room draw under their pins in a place: addresses of GeoJSON by layer (“streets”, “areas”) and
    “attribution”; None where the room knows nothing of the place."""

    slug: str
    layers: "Callable[[Place], Mapping[str, str] | None]"
    order: int = 100


@dataclass(frozen=True, slots=True)
class Figure:
    """A headline figure of one place with what it is made of. `value` is None when nothing is known yet.

    `completeness` is the share (0..1) of the period and members for which there are data; `estimated` says that parts
    are modelled or demo. `upper` is the upper bound where `value` is a lower bound.
    """

    value: float | None
    numerator: float | None
    denominator: float | None
    unit: Text
    start: "dt.datetime | None"
    end: "dt.datetime | None"
    completeness: float | None
    sentence: Text
    evidence: Sequence[Mapping[str, Any]] = ()
    upper: float | None = None
    estimated: bool = False
    demo: bool = False
    notes: Sequence[Text] = ()


@dataclass(frozen=True, slots=True)
class HeadlineFigure:
    """One of the figures on the front door. `style`: "ratio" (two decimals) or "percent" (value 0..1)."""

    slug: str
    title: Text
    style: Literal["ratio", "percent"]
    goal: float
    compute: "Callable[[Place], Figure]"
    definition: Text
    version: str
    order: int = 100


@dataclass(frozen=True, slots=True)
class HomeCard:
    """A card on the home page: a template and what fills it. `context` answers None to stay away."""

    slug: str
    template: str
    context: "Callable[[HttpRequest, Place], Mapping[str, Any] | None]"
    order: int = 100
    wide: bool = False


@dataclass(frozen=True, slots=True)
class PageSlot:
    """A piece on another room's page, e.g. labs hang makes onto "designs.design".

    `place` names page and spot ("designs.design.aside"); the page hands its object to `context`, which answers None
    to stay away.
    """

    slug: str
    place: str
    template: str
    context: "Callable[[HttpRequest, Any], Mapping[str, Any] | None]"
    order: int = 100


@dataclass(frozen=True, slots=True)
class Hit:
    """One search result."""

    title: str
    url: str
    detail: str = ""
    rank: float = 0.0


@dataclass(frozen=True, slots=True)
class SearchSource:
    """A kind of thing that search finds: words, who asks (None: a stranger) and how many at most.

    Who comes with a token is a stranger unless the token has `scope`; without one only public things are found.
    """

    slug: str
    title: Text
    search: "Callable[[str, User | None, int], Sequence[Hit]]"
    order: int = 100
    scope: str = ""


@dataclass(frozen=True, slots=True)
class Evidence:
    """A fact that a city system is modelled: found in the database at the time of asking, never typed in.

    `level`: 1 inventory, 2 live, 3 predictive, 4 what-if, 5 closed loop. From 2 on a level counts only with `proof`:
    2 {"period_s", "uptime" (share of 7 days)}; 3 {"skill" (over persistence), "days" (of the back-test)};
    4 {"oracle" (what the engine was held against), "uncertainty" (how it is known)}; 5 {"decision" (its address),
    "expected", "measured"}, numbers or figures by name. An inventory may have {"completeness"} (share of a reference).
    """

    system: str
    level: int
    what: Text
    count: int
    source: str
    as_of: "dt.datetime | None"
    url: str = ""
    proof: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class SystemEvidence:
    """A room's evidence for the systems of a place."""

    slug: str
    collect: "Callable[[Place], Iterable[Evidence]]"
    order: int = 100


@dataclass(frozen=True, slots=True)
class Reach:
    """What a machine can make: its way of making, and the box (x, y, z in mm) that goes into it; a flat machine has no
    z, and None says that nobody has told."""

    process: str
    volume_mm: tuple[float, float, float | None] | None


@dataclass(frozen=True, slots=True)
class Makeable:
    """The machines that people of a place can use, so that designs which can be made there are found."""

    slug: str
    reaches: "Callable[[Place], Iterable[Reach]]"
    order: int = 100


@dataclass(frozen=True, slots=True)
class SunHour:
    """One hour of the sun ribbon: kW to spare (negative: from the grid); `forecast` right of now."""

    start: "dt.datetime"
    spare_kw: float
    forecast: bool


@dataclass(frozen=True, slots=True)
class SunRibbon:
    """The thread under the masthead: today's spare sun in a place, hour by hour."""

    slug: str
    hours: "Callable[[Place], Sequence[SunHour]]"
    order: int = 100


@dataclass(frozen=True, slots=True)
class Health:
    """The state of one dependency."""

    ok: bool
    sentence: str
    data: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class HealthCheck:
    """A dependency that `/readyz` asks."""

    slug: str
    check: Callable[[], Health]
    order: int = 100


@dataclass(frozen=True, slots=True)
class KeptStore:
    """A folder below the data folder that a backup takes in a way of its own; all others are taken file by file.

    `is_whole` says of a path below the data folder whether it is one thing (a repository); while `hold` holds it,
    nothing in it is moved about. `rank` orders what stands directly in it: what names things comes before the things
    that it names. Names like `skip` are halves of something that is being written.
    """

    slug: str
    is_whole: "Callable[[Path], bool]" = lambda _path: False
    hold: "Callable[[Path], AbstractContextManager[None]]" = lambda _path: nullcontext()
    rank: Callable[[str], int] = lambda _name: 0
    skip: tuple[str, ...] = ()
    order: int = 100


@dataclass(frozen=True, slots=True)
class KeptCheck:
    """Whether what the database names is on the disk. `check` says how far it is, and answers figures by name with
    sentences about what is missing."""

    slug: str
    check: "Callable[[Callable[[float, str], None]], tuple[Mapping[str, int], Sequence[str]]]"
    order: int = 100


@dataclass(frozen=True, slots=True)
class DemoPart:
    """A room's part of the demo city. Both are idempotent; `say` prints a progress line.

    What a part makes is marked (`demo=True` on its rows), so that it can be taken away whole.
    """

    slug: str
    seed: "Callable[[Callable[[str], None]], None]"
    remove: "Callable[[Callable[[str], None]], None]"
    order: int = 100


@dataclass(frozen=True, slots=True)
class NoticeFilter:
    """Which notices of a room still lead to what the person may see. `slug` is the room, as kinds of notices begin.

    `visible` is given the addresses of notices and answers those that are to be shown.
    """

    slug: str
    visible: "Callable[[User, set[str]], set[str]]"


@dataclass(frozen=True, slots=True)
class Reported:
    """A thing that was reported, as it stands now. `author` is whose it is, `excerpt` what staff should read."""

    key: str
    title: str
    url: str
    author: "User | None"
    excerpt: str = ""
    hidden: bool = False


@dataclass(frozen=True, slots=True)
class ReportTarget:
    """A kind of thing that people may report and staff may hide, such as "designs.comment".

    `find` answers None where the person (None: the city itself) may not see it or the key means nothing. `hide` takes
    the reason in words; both run in the caller's transaction.
    """

    slug: str
    title: Text
    find: "Callable[[str, User | None], Reported | None]"
    hide: Callable[[str, str], None]
    unhide: Callable[[str], None]
    order: int = 100


@dataclass(frozen=True, slots=True)
class ApiRows:
    """Rows that another room adds to a list of the API, e.g. measured makes to "designs.makes". `rows` is given the
    list's subject and the caller."""

    slug: str
    place: str
    rows: "Callable[[Any, User | None], Iterable[Mapping[str, Any]]]"
    order: int = 100


@dataclass(frozen=True, slots=True)
class MeasuredThing:
    """Something that a machine made and measured: a key for good, a line to read, its page, when, of which commit."""

    key: str
    title: str
    url: str
    at: "dt.datetime"
    commit: str


@dataclass(frozen=True, slots=True)
class MeasuredMakes:
    """What machines made: of a design for a person (who may then point to it), and by its keys."""

    slug: str
    of_person: "Callable[[Any, User], Iterable[MeasuredThing]]"
    named: Callable[[Collection[str]], Iterable[MeasuredThing]]
    order: int = 100


@dataclass(frozen=True, slots=True)
class OpenDataset:
    """A public dataset: rows for the catalogue and a writer of its file. `theme` is a code of the EU's list of data
    themes, such as ENER."""

    slug: str
    title: Text
    licence: str
    rows: Callable[[], Iterable[Mapping[str, Any]]]
    order: int = 100
    description: Text = ""
    attribution: Text = ""
    keywords: tuple[str, ...] = ()
    theme: str = "REGI"


@dataclass(frozen=True, slots=True)
class DataForm:
    """A file of a dataset: its ending, its media type, a word for people, and what writes it, a piece at a time."""

    suffix: str
    media_type: str
    title: str
    write: "Callable[[BinaryIO], None]"


@dataclass(frozen=True, slots=True)
class DataDoor:
    """Where a program asks for the same data piece by piece: a path, and the address of the standard that it holds."""

    title: Text
    path: str
    conforms_to: str


@dataclass(frozen=True, slots=True)
class PublicData:
    """A dataset that anybody may have, as whole files. `licence`: by SPDX, several parted by “ · ”. `part`: the piece
    of the city that it is of (a slug), or empty. `box`: west, south, east, north. `begins` and `ends`: the time that it
    is about. `page`: where people see it."""

    slug: str
    title: Text
    description: Text
    licence: str
    attribution: str
    forms: Sequence[DataForm]
    modified: "dt.datetime | None" = None
    part: str = ""
    keywords: tuple[str, ...] = ()
    theme: str = "REGI"
    box: Sequence[float] | None = None
    begins: "dt.datetime | None" = None
    ends: "dt.datetime | None" = None
    page: str = ""
    doors: Sequence[DataDoor] = ()


@dataclass(frozen=True, slots=True)
class OpenShelf:
    """Datasets of a room, as many as there are today, such as the layers of each district."""

    slug: str
    datasets: Callable[[], Iterable[PublicData]]
    order: int = 100


@dataclass(frozen=True, slots=True)
class Sitemap:
    """Public pages of a room, for robots: how many there are, and (path, when it changed) of those from `start` up to
    `stop`, the oldest first. The slug is one word."""

    slug: str
    count: Callable[[], int]
    addresses: "Callable[[int, int], Iterable[tuple[str, dt.datetime | None]]]"
    order: int = 100


@dataclass(frozen=True, slots=True)
class CommandFile:
    """Where the file of a command comes from. `slug` is the room, as in the command's `source`; `read` answers its
    bytes and how many, or None where it is gone."""

    slug: str
    read: "Callable[[Command], tuple[Iterable[bytes], int] | None]"
    order: int = 100


@dataclass(frozen=True, slots=True)
class Leaver:
    """What a room does when a person leaves the city. `leave` lets go of what is to come, or raises what has to be done
    first; `keeps` says whether the account has to stay, without anything that names the person; `first` lists what the
    person has to pass on or delete before, with where that is done."""

    slug: str
    leave: "Callable[[User], None]"
    keeps: "Callable[[User], bool]"
    order: int = 100
    first: "Callable[[User], Iterable[Hit]] | None" = None


@dataclass(frozen=True, slots=True)
class JobTaker:
    """The room that takes in what devices say about their jobs. `take` is given the active device and the parsed body;
    it stores in one transaction and answers the acknowledgement of telemetry. Raises CityError, and then nothing was
    kept."""

    slug: str
    take: "Callable[[Device, Any], Mapping[str, Any]]"
    order: int = 100


@dataclass(frozen=True, slots=True)
class Watched:
    """What a live page shows: `devices`, whose news change it (their ids), and `tell`, the document in the language of
    the thread: words by name, {"<name>": {"watts": "118 W"}}. It is the same for all who may see it. `slow` is the part
    that costs more and is told every half minute."""

    devices: Collection[Any]
    tell: Callable[[], Mapping[str, Any]]
    slow: Callable[[], Mapping[str, Any]] | None = None


@dataclass(frozen=True, slots=True)
class LiveBoard:
    """A kind of live page, at `live/{slug}/{key}/`. `find` is given the key, who asks (None: a stranger) and the token;
    it raises NotFound for what is not there and for what they may not see alike."""

    slug: str
    find: "Callable[[str, User | None, Any], Watched]"
    order: int = 100


@dataclass(frozen=True, slots=True)
class Decider:
    """A body that decides: its name, its page, its place if it has one, and whether it goes with the demo."""

    name: str
    url: str
    place: "Place | None" = None
    demo: bool = False


@dataclass(frozen=True, slots=True)
class DecidingBody:
    """A kind of body that decides by its charter, such as an energy community. `slug` is "room.noun"; a body is named
    by its key within the kind.

    `find` answers None for what is not there or what that person may not see; `members` says who belongs and since
    when, each by the id of their account; `stewards` who speaks for it; `keys_of` the bodies that a person belongs to;
    `charter` is what holds until the body decides another (`commons.decisions.charter`).
    """

    slug: str
    title: Text
    find: "Callable[[str, User | None], Decider | None]"
    members: "Callable[[str], Mapping[int, dt.datetime]]"
    stewards: Callable[[str], Collection[int]]
    keys_of: "Callable[[User], Collection[str]]"
    charter: Mapping[str, Any]
    order: int = 100


@dataclass(frozen=True, slots=True)
class EffectField:
    """One thing that an effect sets, as a form asks for it. `choices` are (value, words) of a choice; numbers have the
    least and the most that are ever possible, and a unit; `words` is free text."""

    name: str
    title: Text
    choices: Sequence[tuple[str, Text]] = ()
    least: float | None = None
    most: float | None = None
    unit: Text = ""
    words: bool = False


@dataclass(frozen=True, slots=True)
class Preview:
    """What an option would mean: one sentence for the reader where it concerns them, figures for the whole body
    ({"title", "value"}, both in words), and what it was reckoned from."""

    you: Text
    figures: Sequence[Mapping[str, Any]]
    basis: Text
    inputs_sha256: str = ""


Measure = Callable[[str, Mapping[str, Any], Mapping[str, Any], "dt.datetime", "dt.datetime"], Mapping[str, Any] | None]


@dataclass(frozen=True, slots=True)
class Effect:
    """Something that a decision can set. `slug` is "room.noun" and the kind of its `PolicyValue`; `body` the kind of
    body whose it is.

    `fields` and `now` are given the body's key; `check` answers the value as it will be kept or raises CityError;
    `border` the first moment at or after the one given from which a new value can hold; `apply` writes what the room
    itself keeps, inside the enactment's transaction: (key, value, valid from, address of the decision).

    `reckon` says in a worker what a value would mean, as JSON: {"figures": {name: number}, "people": {account id: …}}
    and whatever the room needs, or None while nothing is known. `preview` shows it: (key, value, reader, what was
    reckoned or {}). `measure` says in a worker what it did: (key, before, after, since, until) as {"figures", "system"
    (of the city, where it is proof of a closed loop)}, or None while too little is known. `shows` puts figures into
    words: (key, figures).
    """

    slug: str
    body: str
    title: Text
    fields: Callable[[str], Sequence[EffectField]]
    now: Callable[[str], Mapping[str, Any]]
    check: Callable[[str, Mapping[str, Any]], dict[str, Any]]
    say: Callable[[str, Mapping[str, Any]], Text]
    border: "Callable[[str, dt.datetime], dt.datetime]"
    apply: "Callable[[str, Mapping[str, Any], dt.datetime, str], None]"
    preview: "Callable[[str, Mapping[str, Any], User | None, Mapping[str, Any]], Preview | None] | None" = None
    reckon: Callable[[str, Mapping[str, Any]], Mapping[str, Any] | None] | None = None
    measure: "Measure | None" = None
    shows: Callable[[str, Mapping[str, Any]], Sequence[Mapping[str, Any]]] | None = None
    order: int = 100


nav: Socket[NavEntry] = Socket("nav")
sheets: Socket[Sheet] = Socket("sheets")
map_grounds: Socket[MapGround] = Socket("map_grounds")
figures: Socket[HeadlineFigure] = Socket("figures")
home_cards: Socket[HomeCard] = Socket("home_cards")
page_slots: Socket[PageSlot] = Socket("page_slots")
search_sources: Socket[SearchSource] = Socket("search_sources")
evidence: Socket[SystemEvidence] = Socket("evidence")
makeable: Socket[Makeable] = Socket("makeable")
sun: Socket[SunRibbon] = Socket("sun")
health_checks: Socket[HealthCheck] = Socket("health_checks")
kept_stores: Socket[KeptStore] = Socket("kept_stores")
kept_checks: Socket[KeptCheck] = Socket("kept_checks")
demo_parts: Socket[DemoPart] = Socket("demo_parts")
open_datasets: Socket[OpenDataset] = Socket("open_datasets")
open_shelves: Socket[OpenShelf] = Socket("open_shelves")
notice_filters: Socket[NoticeFilter] = Socket("notice_filters")
report_targets: Socket[ReportTarget] = Socket("report_targets")
api_rows: Socket[ApiRows] = Socket("api_rows")
measured_makes: Socket[MeasuredMakes] = Socket("measured_makes")
sitemaps: Socket[Sitemap] = Socket("sitemaps")
command_files: Socket[CommandFile] = Socket("command_files")
leavers: Socket[Leaver] = Socket("leavers")
job_takers: Socket[JobTaker] = Socket("job_takers")
live_boards: Socket[LiveBoard] = Socket("live_boards")
deciding_bodies: Socket[DecidingBody] = Socket("deciding_bodies")
effects: Socket[Effect] = Socket("effects")
