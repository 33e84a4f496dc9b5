"""What every page of a design shares: the design, the version that is shown, its head and its tabs."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.http import HttpRequest
from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from commons.people.models import User
from designs import git, licences, queries
from designs.api.shapes import clone_url
from designs.models import Design, Watch
from designs.policies import may_maintain, may_manage, may_talk
from designs.queries import releases
from designs.queries.collections import has_star
from designs.queries.forks import parent_of
from designs.queries.proposals import open_count
from designs.queries.talk import talk_count
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
    Tab("makes", _("Makes"), "rooms:design_makes", lambda design: design.make_count or None),
    Tab("releases", _("Releases"), "rooms:design_releases", lambda design: design.releases.count() or None),
    Tab("talk", _("Talk"), "rooms:design_talk", lambda design: talk_count(design) or None),
    Tab("bom", _("Parts"), "rooms:design_bom"),
    Tab("history", _("History"), "rooms:design_history"),
    Tab("settings", _("Settings"), "rooms:design_settings", for_managers=True),
]


def frame(request: HttpRequest, owner: str, slug: str, *, tab: str = "") -> tuple[Design, str, dict[str, Any]]:
    """The design, the commit that is shown (may be none), and what every page of it needs. Raises DesignNotFound."""
    person = of_session(request)
    design = queries.find(owner=owner, slug=slug, visitor=person)
    repository = git.of(design.repository)
    ref = request.GET.get("ref", "").strip()
    commit = repository.commit_of(ref) if ref else repository.head(design.default_branch)
    manages, maintains = may_manage(person, design), may_maintain(person, design)
    return design, commit, {
        "design": design,
        "commit": commit,
        "ref": ref or commit or design.default_branch,
        "old": ref,
        "clone_url": clone_url(design),
        "may_push": maintains and not design.is_mirror,
        "may_maintain": maintains,
        "may_manage": manages,
        "may_talk": may_talk(person, design),
        "rights": licences.rights(design.licence),
        "newest_release": releases.newest(design),
        "run": open_run(design),
        "forked_from": parent_of(design, person),
        "tab": tab,
        "tabs": tabs_of(design, manages=manages),
        **around(design, person),
    }  # fmt: skip


def around(design: Design, person: User | None) -> dict[str, Any]:
    """What this person has to do with the design: their star, what they hear of it, whether they work on it."""
    watch = design.watches.filter(user=person).first() if person else None
    return {
        "starred": has_star(design, person),
        "watching": watch.level if watch else "",
        "watch_levels": Watch.Level.choices,
        "works_on_it": person is not None and design.collaborators.filter(user=person).exists(),
    }


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
