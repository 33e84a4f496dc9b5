"""What the writes of changes share: the lock, the texts that people type, the notices."""

from collections.abc import Iterable

from django.urls import reverse
from django.utils.translation import gettext as _

from commons.notices.services import tell
from commons.people.models import User
from designs.errors import Archived, BadComment, BadName, ChangeOver, DesignNotFound
from designs.models import Design, Proposal
from designs.queries.proposals import concerned

MAX_TITLE = 160
MAX_TEXT = 20_000


def internal_ref(proposal: Proposal, commit: str) -> str:
    """The hidden ref that keeps an offered commit alive; its name holds the commit, so that it never moves."""
    return f"refs/internal/changes/{proposal.number}/{commit}"


def held(proposal: Proposal) -> Proposal:
    """The change with its design and itself locked until the transaction ends, as they are now.

    Raises DesignNotFound when the design is gone. Call it inside a transaction.
    """
    design = Design.objects.select_for_update(of=("self",)).filter(pk=proposal.design_id, deleted_at=None)
    target = design.select_related("owner").first()
    found = Proposal.objects.select_for_update(of=("self",)).select_related("author", "source__owner")
    change = found.filter(pk=proposal.pk).first()
    if target is None or change is None:
        raise DesignNotFound(_("This change is gone."))
    change.design = target
    return change


def still_open(proposal: Proposal) -> None:
    """Raises ChangeOver when the change is merged or closed, Archived when its design can only be read."""
    if proposal.design.is_archived:
        raise Archived(_("“%(design)s” is archived and can only be read.") % {"design": proposal.design.name})
    if proposal.is_open:
        return
    if proposal.state == Proposal.State.MERGED:
        raise ChangeOver(_("Change %(n)d is merged already.") % {"n": proposal.number})
    raise ChangeOver(_("Change %(n)d is closed. Open it again first.") % {"n": proposal.number})


def title_of(text: str) -> str:
    """A title with something in it, on one line. Raises BadName."""
    title = " ".join(text.split())
    if not 1 <= len(title) <= MAX_TITLE:
        raise BadName(_("A change's title has 1 to %(n)d characters.") % {"n": MAX_TITLE}, field="title")
    return title


def words_of(text: str, *, needed: bool = True) -> str:
    """What somebody wrote, without the space around it. Raises BadComment."""
    text = text.replace("\r\n", "\n").replace("\x00", "").strip()
    if needed and not text:
        raise BadComment(_("Write something first."), field="body")
    if len(text) > MAX_TEXT:
        raise BadComment(
            _("This has %(n)d characters; at most %(most)d can be kept.") % {"n": len(text), "most": MAX_TEXT},
            field="body",
        )
    return text


def url_of(proposal: Proposal, mark: str = "") -> str:
    """The page of a change, at a mark on it."""
    design = proposal.design
    return reverse("rooms:design_change", args=[design.owner.name, design.slug, proposal.number]) + mark


def tell_about(
    proposal: Proposal, *, kind: str, text: str, actor: User | None, mark: str = "", people: Iterable[User] | None = None
) -> None:
    """Tell those whom it concerns, or the given ones, but not who did it. One unread notice of a kind for a change."""
    tell(
        people=concerned(proposal) if people is None else people,
        kind=f"designs.{kind}",
        text=text,
        url=url_of(proposal, mark),
        actor=actor,
        about=f"designs.proposal:{proposal.pk}",
    )
