"""The room's part of the demo city: designs of our own as real git repositories with history, made by demo people."""

import shutil
from collections.abc import Callable

from django.db import transaction

from commons.people.models import Handle, User
from commons.people.services import create_user
from designs.demo.stock import STOCK, Stock
from designs.models import Blob, Design
from designs.services import create_design, delete_design, index_now, write_files
from designs.services.previews import store
from designs.services.releases import publish
from designs.services.rights import declare_source

NAMES = {"aino": "Aino", "otto": "Otto", "sanna": "Sanna", "mikko": "Mikko", "leila": "Leila"}
Say = Callable[[str], None]


def seed(say: Say) -> None:
    """Make the designs that are missing; a worker draws them."""
    for stock in STOCK:
        owner = _person(stock.owner)
        if Design.objects.filter(owner__user=owner, slug=stock.slug).exists():
            continue
        say(f"designs: {stock.name}")
        _make(stock, owner)


def _person(name: str) -> User:
    return User.objects.filter(username=name).first() or create_user(username=name, name=NAMES[name], demo=True)


def _make(stock: Stock, owner: User) -> None:
    design = create_design(
        owner=Handle.objects.get(user=owner), name=stock.name, slug=stock.slug, summary=stock.summary,
        licence=stock.licence, by=None, demo=True,
    )  # fmt: skip
    for version in stock.versions:
        write_files(
            design=design, files=version.files(), message=version.message, author=_person(version.author), by=None,
            at=version.at,
        )  # fmt: skip
    index_now(design=design, by=None)
    _release(design, stock)
    Design.objects.filter(pk=design.pk).update(pushed_at=stock.versions[-1].at, created_at=stock.versions[0].at)


def _release(design: Design, stock: Stock) -> None:
    """Where the demo's designs come from, and what was released of them."""
    for source in stock.sources:
        declare_source(design=design, by=None, **source)
    for version, name, notes in stock.releases:
        publish(design=design, version=version, name=name, notes=notes, by=None)


def remove(say: Say) -> None:
    """Take the demo's designs, repositories and pictures away."""
    for design in Design.objects.filter(demo=True):
        say(f"designs: {design.name} goes")
        delete_design(design=design, by=None)
    with transaction.atomic():
        orphans = Blob.objects.filter(file_versions=None)
        for oid in orphans.values_list("oid", flat=True):
            for folder in store().glob(f"{oid[:2]}/{oid}-*"):
                shutil.rmtree(folder, ignore_errors=True)
        orphans.delete()
