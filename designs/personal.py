"""What designs bring to a person's own pages: their designs, changes that wait for their judgement, first steps."""

from collections.abc import Sequence

from django.db.models import F, Q, QuerySet
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as lazy

from commons.mine import sockets
from commons.mine.sockets import Item, Part, Step
from commons.notices import kinds as notices
from commons.people.models import Membership, User
from commons.web import numbers
from designs.models import Collaborator, Design, Proposal, Transfer
from designs.policies import WRITERS

MOST = 5


def own(person: User) -> "QuerySet[Design]":
    """The designs that a person looks after: their own, their organisations' and those that they maintain."""
    led = Membership.objects.filter(user=person, role__in=WRITERS).values("organisation")
    kept = Collaborator.objects.filter(user=person, role=Collaborator.Role.MAINTAINER).values("design")
    mine = Q(owner__user=person) | Q(owner__organisation__in=led) | Q(pk__in=kept)
    return Design.objects.filter(mine, deleted_at=None).select_related("owner")


def designs(person: User) -> Sequence[Item]:
    """Their designs, those that changed last first."""
    found = []
    for design in own(person).order_by("-pushed_at", "-pk")[:MOST]:
        detail = (
            _("changed %(ago)s") % {"ago": numbers.ago(design.pushed_at)} if design.pushed_at else _("no files yet")
        )
        found.append(Item(design.name, design.get_absolute_url(), detail, "" if design.is_public else _("private")))
    return found


def to_judge(person: User) -> Sequence[Item]:
    """Open changes to their designs that others offer and that they have not judged in the newest version, and
    designs that are offered to them."""
    rows = Proposal.objects.filter(state=Proposal.State.OPEN, design__in=own(person).values("pk")).exclude(
        author=person
    )
    judged = Proposal.objects.filter(reviews__author=person, reviews__commit=F("head")).values("pk")
    found = []
    for change in rows.exclude(pk__in=judged).select_related("design__owner", "author").order_by("-updated_at")[:MOST]:
        design = change.design
        url = reverse("rooms:design_change", args=[design.owner.name, design.slug, change.number])
        who = str(change.author) if change.author else _("somebody who left")
        found.append(Item(change.title, url, f"{design.name}, {who}", _("to judge"), "act", waits=True))
    for offer in Transfer.objects.filter(to__user=person, ended_at=None, design__deleted_at=None).select_related(
        "design"
    ):
        words = _("“%(design)s” is offered to you") % {"design": offer.design.name}
        found.append(Item(words, reverse("rooms:me"), "", _("to answer"), "act", waits=True))
    return found


def kinds() -> None:
    """The kinds of notices of this room, as a person may switch them."""
    notices.register(
        ("designs.change", lazy("Somebody offers a change to a design of yours")),
        ("designs.change-review", lazy("A change is judged")),
        ("designs.change-newer", lazy("A change has a newer version")),
        ("designs.change-merged", lazy("A change is taken in")),
        ("designs.change-closed", lazy("A change is closed")),
        ("designs.change-opened", lazy("A change is open again")),
        ("designs.comment", lazy("Somebody says something about what you watch")),
        ("designs.mention", lazy("Somebody names you")),
        ("designs.release", lazy("A design that you watch has a release")),
        ("designs.make", lazy("Somebody made a design of yours")),
        ("designs.fork", lazy("Somebody forks a design of yours")),
        ("designs.invited", lazy("You may work on a design")),
        ("designs.offered", lazy("A design is offered to you")),
        ("designs.taken", lazy("A design that you offered is taken")),
        ("designs.refused", lazy("A design that you offered is refused")),
        ("designs.mirror", lazy("A mirror of yours cannot be fetched")),
        ("designs.damaged", lazy("Something is wrong with a repository of yours"), True),
    )


def register() -> None:
    """Fill the sockets."""
    kinds()
    sockets.parts.register(
        Part(
            "designs",
            lazy("My designs"),
            "designs",
            designs,
            "rooms:me",
            lazy("No design of yours yet."),
            "rooms:design_new",
            lazy("Publish one"),
            10,
        )
    )
    sockets.parts.register(
        Part("changes", lazy("Changes to judge"), "designs", to_judge, "", lazy("No change waits for you."), order=20)
    )
    for slug, title, what, order, done in (
        (
            "publish",
            lazy("Publish a design"),
            lazy("Give it a name, a licence, and a file. A model, a drawing or code all do."),
            20,
            lambda p: Design.objects.filter(owner__user=p, deleted_at=None).exclude(head="").exists(),
        ),
        (
            "public",
            lazy("Let everybody see it"),
            lazy("Only what is public and openly licensed can be made by others."),
            30,
            lambda p: (
                Design.objects.filter(owner__user=p, deleted_at=None, visibility="public").exclude(head="").exists()
            ),
        ),
    ):
        sockets.steps.register(Step(f"maker-{slug}", "maker", title, what, _where_to_publish, done, order=order))


def _where_to_publish(person: User) -> str:
    mine = Design.objects.filter(owner__user=person, deleted_at=None).select_related("owner").order_by("-pk").first()
    return mine.get_absolute_url() if mine else reverse("rooms:design_new")
