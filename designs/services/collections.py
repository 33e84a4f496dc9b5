"""Collections: designs that somebody puts together, in an order."""

from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _

from commons.people.models import Handle, User
from designs.errors import DesignNotFound, NameTaken, NotYours, TooMany
from designs.models import Collection, CollectionItem, Design
from designs.policies import may_write_as
from designs.services.designs import check_name, check_visibility, slug_of

MAX_ITEMS, MAX_COLLECTIONS = 500, 200


@transaction.atomic
def create_collection(
    *, owner: Handle, name: str, by: User, about: str = "", visibility: str = Design.Visibility.PUBLIC
) -> Collection:
    """An empty collection. Raises NotYours, BadName, NameTaken or TooMany."""
    if not may_write_as(by, owner):
        raise NotYours(_("You cannot make collections as “%(owner)s”.") % {"owner": owner.name})
    if Collection.objects.filter(owner=owner).count() >= MAX_COLLECTIONS:
        raise TooMany(
            _("%(owner)s has %(n)d collections, the most there can be.") % {"owner": owner, "n": MAX_COLLECTIONS}
        )
    slug = slug_of(name)
    try:
        with transaction.atomic():
            return Collection.objects.create(
                owner=owner, slug=slug, name=check_name(name), about=about.strip()[:4000],
                visibility=check_visibility(visibility),
            )  # fmt: skip
    except IntegrityError:
        words = {"owner": owner.title, "slug": slug}
        raise NameTaken(_("%(owner)s has a collection “%(slug)s”; choose another name.") % words) from None


@transaction.atomic
def change_collection(*, collection: Collection, by: User, name: str, about: str, visibility: str) -> Collection:
    """Change its words and who may see it; its address stays. Locks the collection. Raises NotYours or BadName."""
    held = _hold(collection, by)
    held.name, held.about, held.visibility = check_name(name), about.strip()[:4000], check_visibility(visibility)
    held.save(update_fields=["name", "about", "visibility", "updated_at"])
    return held


@transaction.atomic
def delete_collection(*, collection: Collection, by: User) -> None:
    """Take a collection away; its designs stay where they are. Raises NotYours."""
    _hold(collection, by).delete()


@transaction.atomic
def add_design(*, collection: Collection, design: Design, by: User, note: str = "") -> CollectionItem:
    """Put a design at the end; one that is in already keeps its place and gets the note, if there is one.

    Locks the collection. Raises NotYours or TooMany.
    """
    held = _hold(collection, by)
    count = held.items.count()
    found = held.items.filter(design=design).first()
    if found is None and count >= MAX_ITEMS:
        raise TooMany(_("A collection has up to %(n)d designs.") % {"n": MAX_ITEMS})
    note = " ".join(note.split())[:400]
    if found is None:
        found = CollectionItem.objects.create(collection=held, design=design, note=note, position=count + 1)
    elif note:
        found.note = note
        found.save(update_fields=["note"])
    held.save(update_fields=["updated_at"])
    return found


@transaction.atomic
def note_design(*, collection: Collection, design: Design, by: User, note: str) -> None:
    """Say why a design is in the collection. Locks the collection. Raises NotYours."""
    _hold(collection, by).items.filter(design=design).update(note=" ".join(note.split())[:400])


@transaction.atomic
def drop_design(*, collection: Collection, design: Design, by: User) -> None:
    """Take a design out; the others close up. Locks the collection. Raises NotYours."""
    held = _hold(collection, by)
    held.items.filter(design=design).delete()
    _number(list(held.items.order_by("position", "pk")))
    held.save(update_fields=["updated_at"])


@transaction.atomic
def move_design(*, collection: Collection, design: Design, by: User, to: int) -> None:
    """Put a design at place `to`, counted from 1. Locks the collection. Raises NotYours or DesignNotFound."""
    held = _hold(collection, by)
    items = list(held.items.order_by("position", "pk"))
    moved = next((item for item in items if item.design_id == design.pk), None)
    if moved is None:
        raise DesignNotFound(_("This design is not in the collection."))
    items.remove(moved)
    items.insert(min(max(to, 1), len(items) + 1) - 1, moved)
    _number(items)
    held.save(update_fields=["updated_at"])


def _number(items: list[CollectionItem]) -> None:
    for position, item in enumerate(items, 1):
        item.position = position
    CollectionItem.objects.bulk_update(items, ["position"])


def _hold(collection: Collection, by: User) -> Collection:
    held = Collection.objects.select_for_update(of=("self",)).select_related("owner").filter(pk=collection.pk).first()
    if held is None:
        raise DesignNotFound(_("There is no such collection."))
    check_may_change(held, by)
    return held


def check_may_change(collection: Collection, by: User) -> None:
    """Raises NotYours."""
    if not may_write_as(by, collection.owner):
        raise NotYours(_("Only its owner can change this collection."))
