"""Two versions side by side: the page, what every page needs that shows a comparison, and its pictures and models."""

from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_safe

from commons.web import numbers
from commons.web.addresses import client_ip
from designs import git, queries
from designs.addresses import versioned
from designs.engine.diff import DIFF_VERSION
from designs.models import Design
from designs.queries import diffs
from designs.queries.diffs import Comparison, FileDiff
from designs.queries.files import history
from designs.services import diffs as services
from designs.services import previews
from designs.views.content import kept
from designs.views.frame import frame
from designs.visitors import of_session, reader

#: The ways to look at a shape, in the address.
VIEWS = {"overlay": gettext_lazy("Overlay"), "side": gettext_lazy("Side by side"), "swipe": gettext_lazy("Swipe")}
NOTHING = "nothing"
MAX_CHOICES = 60

#: Why no volume is known, by the engine's word.
WHY = {
    "open-before": gettext_lazy("The shape before the change has a hole, so its volume is not known."),
    "open-after": gettext_lazy("The shape after the change has a hole, so its volume is not known."),
    "tangled-before": gettext_lazy("The shape before the change is made of too many pieces that overlap."),
    "tangled-after": gettext_lazy("The shape after the change is made of too many pieces that overlap."),
    "does-not-add-up": gettext_lazy("The volumes contradict each other, as they do where a surface crosses itself."),
    "too-large": gettext_lazy("Too many triangles differ for their volumes to be worked out."),
}
KINDS = {"model.glb": "glb", "picture.png": "png", "small.png": "small"}
#: Pictures of one side alone.
SIDES = {
    "before.png": ("before", "png"), "after.png": ("after", "png"),
    "before-small.png": ("before", "small"), "after-small.png": ("after", "small"),
    "before-large.png": ("before", "large"), "after-large.png": ("after", "large"),
    "before.glb": ("before", "glb"), "after.glb": ("after", "glb"),
}  # fmt: skip


@require_safe
def compare(request: HttpRequest, owner: str, slug: str) -> HttpResponse:
    """What changed in the thing itself between two versions?"""
    found, _commit, context = frame(request, owner, slug, tab="history")
    asked_head = request.GET.get("head", "").strip() or found.default_branch
    asked_base = request.GET.get("base", "").strip()
    if not git.of(found.repository).refs():
        return render(request, "designs/compare.html", context | {"comparison": None})
    head = diffs.version(found, asked_head)
    base = diffs.version(found, asked_base) if asked_base else diffs.parent(found, head)
    comparison = services.compare(found, base, head, by=of_session(request), asker=asker(request))
    context |= parts(request, comparison)
    shown = context["file"]
    if shown is not None and shown.kind == "image" and not shown.left_out:
        context["run"] = previews.ask(design=found, blobs=[shown.before, shown.after]) or context["run"]
    context |= {
        "asked_base": asked_base or base,
        "asked_head": asked_head,
        "choices": _choices(found, head),
        "base_commit": _commit_line(found, base),
        "head_commit": _commit_line(found, head),
    }
    return render(request, "designs/compare.html", context)


def asker(request: HttpRequest) -> str:
    """Whom to count a caller without an account as."""
    return f"address:{client_ip(request)}"


def parts(request: HttpRequest, comparison: Comparison) -> dict[str, Any]:
    """What `parts/compare.html` and `parts/compare_files.html` need on any page that shows a comparison.

    The file (`path`) and the way to look (`view`) stand in that page's own address beside whatever else it holds.
    """
    file = comparison.find(request.GET.get("path", "")) or comparison.first()
    view = request.GET.get("view", "")
    view = view if view in VIEWS else "overlay"
    return {
        "comparison": comparison,
        "file": file,
        "place": 1 + comparison.files.index(file) if file else 0,
        "view": view,
        "views": [(key, words, _address(request, view=key)) for key, words in VIEWS.items()],
        "rows": [FileRow(other, _address(request, path=other.path)) for other in comparison.files],
        "assets": _assets(comparison, file) if file else {},
        "why": [WHY[word] for word in file.figures.get("why", ()) if word in WHY] if file else [],
        "maker": _for_a_maker(file) if file else [],
        "text": diffs.text_between(comparison.design, file) if file and file.kind == "text" else None,
        "sheet": diffs.sheet_between(comparison.design, file) if file and file.kind == "text" else None,
        "table": diffs.table_between(comparison.design, file) if file and file.kind == "table" else None,
    }


@dataclass(frozen=True, slots=True)
class FileRow:
    """A file in the list, with the address that shows it."""

    file: FileDiff
    url: str


def _address(request: HttpRequest, **changed: str) -> str:
    query = request.GET.copy()
    for key, value in changed.items():
        query[key] = value
    return f"?{query.urlencode()}#shape"


def _assets(comparison: Comparison, file: FileDiff) -> dict[str, str]:
    """Addresses of what there is to show of a file."""

    def address(kind: str) -> str:
        return asset_url(comparison, file, kind)

    found: dict[str, str] = {}
    if file.shape and file.shape.status == "ready":
        found |= {key: address(kind) for kind, key in KINDS.items() if getattr(file.shape, key)}
    for kind, (side, field) in SIDES.items():
        blob = getattr(file, side)
        if blob is not None and not file.left_out and blob.stored(field):
            found[kind.replace(".", "_").replace("-", "_")] = address(kind)
    return found


def asset_url(comparison: Comparison, file: FileDiff, kind: str) -> str:
    """The address of a picture or model of a file that differs."""
    design, change = comparison.design, file.change
    where = reverse(
        "design-compared",
        args=[
            design.owner.name, design.slug, comparison.base or NOTHING, comparison.head,
            change.old_oid or NOTHING, change.new_oid or NOTHING, kind,
        ],
    )  # fmt: skip
    blob = getattr(file, SIDES[kind][0]) if kind in SIDES else None
    return versioned(where, DIFF_VERSION if kind in KINDS else blob.engine_version if blob else "")


@dataclass(frozen=True, slots=True)
class MakerRow:
    """A fact before and after; `unit` names the filter that writes it."""

    what: str
    unit: str
    before: Any
    after: Any

    @property
    def difference(self) -> float | None:
        """After less before where both are plain numbers."""
        if isinstance(self.before, int | float) and isinstance(self.after, int | float):
            return float(self.after - self.before)
        return None

    @property
    def sides(self) -> str:
        """For sizes, which sides grew or shrank."""
        if isinstance(self.before, list) and isinstance(self.after, list):
            return _sizes(self.before, self.after)
        return ""

    @property
    def share(self) -> float | None:
        """The difference as a share of before."""
        return self.difference / self.before if self.difference is not None and self.before else None


def _for_a_maker(file: FileDiff) -> list[MakerRow]:
    """What changes for whoever makes it: size, material, surface."""
    before, after = file.figures.get("before", {}), file.figures.get("after", {})
    rows = []
    for what, unit, key in (
        (_("Size"), "mm", "extents_mm"),
        (_("Volume"), "cm3", "volume_mm3"),
        (_("Surface"), "cm2", "area_mm2"),
        (_("Parts"), "n", "parts"),
        (_("Triangles"), "n", "triangles"),
    ):
        if key in before or key in after:
            rows.append(MakerRow(what, unit, before.get(key), after.get(key)))
    for what, key in ((_("Thinnest wall"), "thinnest_wall_mm"),):
        sides = [(blob.facts or {}).get(key) if blob else None for blob in (file.before, file.after)]
        if rows and all(side is not None for side in sides):
            rows.insert(1, MakerRow(what, "mm", *sides))
    return rows


def _sizes(before: list[float], after: list[float]) -> str:
    """How a size changed, side by side where it did."""
    words = (_("%(by)s wide"), _("%(by)s deep"), _("%(by)s high"))
    moved = [(word, b - a) for word, a, b in zip(words, before, after, strict=False) if abs(b - a) >= 0.005]
    return ", ".join(word % {"by": f"{'+' if by > 0 else '−'}{numbers.mm(abs(by))}"} for word, by in moved)


def _choices(design: Design, head: str) -> list[tuple[str, list[tuple[str, str]]]]:
    """Versions to choose from: branches, tags and the newest commits, each as (revision, words)."""
    refs = git.of(design.repository).refs()
    branches = [name.removeprefix("refs/heads/") for name in refs if name.startswith("refs/heads/")]
    tags = [name.removeprefix("refs/tags/") for name in refs if name.startswith("refs/tags/")]
    commits = history(design, head, limit=20)
    groups = [
        (_("Branches"), [(name, name) for name in branches[:MAX_CHOICES]]),
        (_("Tags and releases"), [(name, name) for name in reversed(tags[-MAX_CHOICES:])]),
        (_("Newest versions"), [(entry.oid, f"{entry.oid[:7]} {entry.subject[:60]}") for entry in commits]),
    ]
    return [group for group in groups if group[1]]


def _commit_line(design: Design, commit: str) -> Any:
    found = history(design, commit, limit=1)
    return found[0] if found else None


@require_safe
def content(request: HttpRequest, owner: str, slug: str, **asked: str) -> HttpResponseBase:
    """A picture or model of a file that differs between two versions which this visitor may see."""
    design = queries.find(owner=owner, slug=slug, visitor=reader(request))
    given = {key: "" if value == NOTHING else value for key, value in asked.items()}
    head = diffs.version(design, given["head"])
    base = diffs.version(design, given["base"]) if given["base"] else ""
    file = diffs.file_between(design, base, head, (given["old"], given["new"]))
    return kept(design, _stored(file, given["kind"]))


def _stored(file: FileDiff, kind: str) -> str:
    if kind in KINDS:
        return getattr(file.shape, KINDS[kind]) if file.shape else ""
    if kind in SIDES:
        side, field = SIDES[kind]
        blob = getattr(file, side)
        return blob.stored(field) if blob else ""
    return ""


def compare_url(design: Design, *, head: str, base: str = "", path: str = "") -> str:
    """The page that compares two versions; with the one before when no base is given."""
    query = {key: value for key, value in (("base", base), ("head", head), ("path", path)) if value}
    return f"{reverse('rooms:design_compare', args=[design.owner.name, design.slug])}?{urlencode(query)}"
