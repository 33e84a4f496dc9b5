"""What the writes of changes share: the lock, the texts that people type, the notices."""

from django.conf import settings
from django.urls import reverse
from django.utils import translation
from django.utils.functional import Promise
from django.utils.translation import gettext as _

from commons.notices.services import tell
from commons.people.models import User
from commons.said import said
from designs.errors import Archived, BadName, ChangeOver, DesignNotFound
from designs.models import Design, Proposal
from designs.queries.audience import audience
from designs.queries.proposals import spoke_in
from designs.services.talk import check_body

MAX_TITLE = 160


def internal_ref(proposal: Proposal, commit: str) -> str:
    """The hidden ref that keeps an offered commit alive; its name holds the commit, so that it never moves."""
    return f"refs/internal/changes/{proposal.number}/{commit}"


def held(proposal: Proposal) -> Proposal:
    """The change with its design and itself locked until the transaction ends, as they are now.

    Raises DesignNotFound when the design is gone. Call it inside a transaction.
    """
    design = Design.objects.select_for_update(no_key=True, of=("self",)).filter(pk=proposal.design_id, deleted_at=None)
    target = design.select_related("owner").first()
    found = Proposal.objects.select_for_update(no_key=True, of=("self",)).select_related("author", "source__owner")
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
    title = " ".join(text.replace("\x00", "").split())
    if not 1 <= len(title) <= MAX_TITLE:
        raise BadName(_("A change's title has 1 to %(n)d characters.") % {"n": MAX_TITLE}, field="title")
    return title


def words_of(text: str) -> str:
    """What somebody wrote, or nothing, without the space around it. Raises NothingSaid when it is too long."""
    return check_body(text) if text.strip() else ""


def url_of(proposal: Proposal) -> str:
    """The page of a change, in the site's own language."""
    design = proposal.design
    with translation.override(settings.LANGUAGE_CODE):
        return reverse("rooms:design_change", args=[design.owner.name, design.slug, proposal.number])


def tell_about(proposal: Proposal, *, kind: str, text: Promise, actor: User | None, **words: object) -> None:
    """Tell those who look after the design or watch it, the author and who spoke, but not who did it nor who may not
    see it. `text` is filled with the words; one unread notice of a kind for a change."""
    tell(
        people=audience(proposal.design, also=spoke_in(proposal)),
        kind=f"designs.{kind}",
        text=said(text, title=proposal.title, design=proposal.design.name, **words),
        url=url_of(proposal),
        actor=actor,
        about=f"designs.proposal:{proposal.pk}",
    )
