"""Making and deleting designs."""

from django.core.validators import validate_slug
from django.db import IntegrityError, transaction
from django.utils import timezone
from django.utils.text import slugify
from django.utils.translation import gettext as _

from commons.people.handles import RESERVED
from commons.people.models import Handle, User
from designs import git, licences
from designs.errors import BadName, NameTaken, NotYours
from designs.models import Design, OldAddress
from designs.policies import may_write_as
from designs.services import cards

#: Words that are parts of a design's own address.
KEPT = RESERVED | {"new", "import", "upload"}


def create_design(
    *,
    owner: Handle,
    name: str,
    licence: str,
    by: User | None,
    summary: str = "",
    visibility: str = Design.Visibility.PUBLIC,
    slug: str = "",
    branch: str = "main",
    demo: bool = False,
    repository: str = "",
) -> Design:
    """A design with an empty repository, or with the one of that id. `by=None` is the city itself (commands, demo).

    Raises NotYours, BadName, BadLicence or NameTaken; then nothing has changed.
    """
    if by is not None and not may_write_as(by, owner):
        raise NotYours(_("You cannot make designs as “%(owner)s”.") % {"owner": owner.name})
    fields = {
        "name": check_name(name),
        "slug": slug_of(slug or name),
        "licence": licences.read(licence),
        "summary": " ".join(summary.split())[:400],
        "visibility": check_visibility(visibility),
        "default_branch": branch,
    }
    try:
        with transaction.atomic():
            design = Design(owner=owner, created_by=by, demo=demo, pushed_at=timezone.now(), **fields)
            design.repository = repository or design.repository
            design.save(force_insert=True)
            OldAddress.objects.filter(owner=owner, slug=design.slug).delete()
            if not repository:
                git.create(design.repository, branch=branch)
            transaction.on_commit(lambda: cards.learn(design))
    except IntegrityError:
        raise name_taken(owner, fields["slug"]) from None
    return design


def name_taken(owner: Handle, slug: str) -> NameTaken:
    """The refusal of an address that the owner has given to another design."""
    return NameTaken(_("%(owner)s has a design “%(slug)s”; choose another name.") % {"owner": owner.name, "slug": slug})


def check_free(*, owner: Handle, slug: str) -> None:
    """Raises NameTaken when the owner has a design at that address."""
    if Design.objects.filter(owner=owner, slug=slug).exists():
        raise name_taken(owner, slug)


def check_name(name: str) -> str:
    """A name with something in it. Raises BadName."""
    name = " ".join(name.split())
    if not 1 <= len(name) <= 120:
        raise BadName(_("A design's name has 1 to 120 characters."))
    return name


def check_visibility(visibility: str) -> str:
    """`public` or `private`. Raises BadName."""
    if visibility not in Design.Visibility.values:
        raise BadName(_("A design is public or private, not “%(what)s”.") % {"what": visibility[:20]})
    return visibility


def slug_of(name: str) -> str:
    """The word of the address. Raises BadName when nothing readable is left of the name."""
    slug = slugify(name)[:60].strip("-_")
    if not slug or slug in KEPT:
        raise BadName(_("No address can be made from “%(name)s”; choose another name.") % {"name": name[:60]})
    validate_slug(slug)
    return slug


@transaction.atomic
def delete_design(*, design: Design, by: User | None) -> None:
    """Take a design away with its repository. Blobs that other designs hold stay, and so does the pool of its forks."""
    from designs.services.forks import count_forks, drop_pool  # noqa: PLC0415 forks make designs

    if by is not None and not may_write_as(by, design.owner):
        raise NotYours(_("Only its owner can delete this design."))
    kept = Design.objects.select_for_update(of=("self",)).select_related("forked_from").get(pk=design.pk)
    repository, pool, parent = git.of(kept.repository), kept.pool, kept.forked_from
    design.delete()
    if parent is not None:
        count_forks(design=parent)
    transaction.on_commit(repository.remove)
    transaction.on_commit(lambda: drop_pool(pool_id=pool))
