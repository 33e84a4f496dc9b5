"""What every page of a design shares: the design, the version that is shown, its head and its tabs."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.http import HttpRequest
from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from designs import git, licences, queries
from designs.api.shapes import clone_url
from designs.models import Design
from designs.policies import may_manage, may_push, may_talk
from designs.queries import releases
from designs.queries.forks import parent_of
from designs.queries.proposals import open_count
from designs.services.index import open_run
from designs.visitors import of_session


@dataclass(frozen=True, slots=True)
class Tab:
    """A part of a design. `count` is shown beside its title when it is not None."""

    slug: str
    title: str | Promise
    url_name: str
    count: Callable[[Design], int | None] = lambda _design: None
    for_managers: bool = False


#: The parts of a design in the order of their tabs; one line each.
TABS = [
    Tab("overview", _("Overview"), "rooms:design"),
    Tab("changes", _("Changes"), "rooms:design_changes", open_count),
    Tab("bom", _("Parts"), "rooms:design_bom"),
    Tab("releases", _("Releases"), "rooms:design_releases", lambda design: design.releases.count()),
    Tab("history", _("History"), "rooms:design_history"),
]


def frame(request: HttpRequest, owner: str, slug: str, *, tab: str = "") -> tuple[Design, str, dict[str, Any]]:
    """The design, the commit that is shown (may be none), and what every page of it needs. Raises DesignNotFound."""
    person = of_session(request)
    design = queries.find(owner=owner, slug=slug, visitor=person)
    repository = git.of(design.repository)
    ref = request.GET.get("ref", "").strip()
    commit = repository.commit_of(ref) if ref else repository.head(design.default_branch)
    manages = may_manage(person, design)
    return design, commit, {
        "design": design,
        "commit": commit,
        "ref": ref or commit or design.default_branch,
        "old": ref,
        "clone_url": clone_url(design),
        "may_push": may_push(person, design),
        "may_manage": manages,
        "may_talk": may_talk(person, design),
        "rights": licences.rights(design.licence),
        "newest_release": releases.newest(design),
        "run": open_run(design),
        "forked_from": parent_of(design, person),
        "tab": tab,
        "tabs": tabs_of(design, manages=manages),
    }  # fmt: skip


def tabs_of(design: Design, *, manages: bool) -> list[dict[str, Any]]:
    """The tabs that this visitor sees, with addresses and counts."""
    return [
        {
            "slug": tab.slug,
            "title": tab.title,
            "url": reverse(tab.url_name, args=[design.owner.name, design.slug]),
            "count": tab.count(design),
        }
        for tab in TABS
        if manages or not tab.for_managers
    ]
