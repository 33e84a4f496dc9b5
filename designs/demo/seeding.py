"""Seeding the demo: designs, forks, changes, releases, and what people do around them."""

from collections.abc import Callable, Sequence

from django.core.files.uploadedfile import SimpleUploadedFile

from commons.runs.work import do
from designs import git
from designs.demo.forge import FORKS, Fork, Remark
from designs.demo.life import COLLECTIONS, MAINTAINERS, MAKES, STARS, TAGS, TALK, Gathered, Made, Said
from designs.demo.people import design as of
from designs.demo.people import handle, person
from designs.demo.stock import STOCK, Released, Stock, Version
from designs.models import Collaborator, Collection, Comment, Design, Make, Proposal, Release, Review, Star
from designs.services import create_design, index_now, proposals, releases, write_files
from designs.services.about import change_design
from designs.services.collaborators import set_collaborator
from designs.services.collections import add_design, create_collection
from designs.services.forks import fork_design
from designs.services.makes import add_make
from designs.services.proposals.following import follow_now
from designs.services.rights import declare_source
from designs.services.stars import star
from designs.services.talk import resolve, say

Say = Callable[[str], None]


def seed(tell: Say) -> None:
    """Make what is missing of the demo; a worker draws and packs."""
    for stock in STOCK:
        if not Design.objects.filter(owner__name=stock.owner, slug=stock.slug).exists():
            tell(f"designs: {stock.name}")
            _make(stock)
    for fork in FORKS:
        if not Design.objects.filter(owner__name=fork.owner, slug=fork.slug).exists():
            tell(f"designs: {fork.name}, a fork")
            _fork(fork)
    _around()
    for made in MAKES:
        _made(made)


# --- designs and releases ----------------------------------------------------------------------------------------


def _make(stock: Stock) -> None:
    design = create_design(
        owner=handle(stock.owner), name=stock.name, slug=stock.slug, summary=stock.summary, licence=stock.licence,
        by=None, demo=True,
    )  # fmt: skip
    commits = _write(design, stock.versions)
    index_now(design=design, by=None)
    for source in stock.sources:
        declare_source(design=design, by=None, **source)
    for released in stock.releases:
        _release(design, released, commits[released.after - 1])
    change_design(design=design, by=None, tags=TAGS.get((stock.owner, stock.slug), ()))
    _date(design, stock.versions)


def _write(design: Design, versions: Sequence[Version]) -> list[str]:
    """The commits, oldest first."""
    return [
        write_files(
            design=design, files=version.files(), message=version.message, author=person(version.author), by=None,
            at=version.at,
        )
        for version in versions
    ]  # fmt: skip


def _release(design: Design, released: Released, commit: str) -> Release:
    made = releases.publish(
        design=design, version=released.version, name=released.name, notes=released.notes, by=None, ref=commit,
        at=released.at,
    )  # fmt: skip
    run = releases.run_of(made)
    if run is not None:
        do(run.pk)
    return made


def _date(design: Design, versions: Sequence[Version]) -> None:
    Design.objects.filter(pk=design.pk).update(pushed_at=versions[-1].at, created_at=versions[0].at)


# --- forks and changes -------------------------------------------------------------------------------------------


def _fork(fork: Fork) -> None:
    parent = of(fork.of)
    if parent is None:  # a person deleted it
        return
    made = fork_design(design=parent, owner=handle(fork.owner), by=None, slug=fork.slug, name=fork.name)
    change_design(design=made, by=None, summary=fork.summary, tags=fork.tags)
    _write(made, [version for version in fork.versions if version.at <= fork.offered_at])
    index_now(design=made, by=None)
    change = proposals.open_proposal(
        design=parent, source=made, source_branch=fork.branch, title=fork.title, body=fork.body, by=person(fork.owner)
    )
    _write(made, [version for version in fork.versions if version.at > fork.offered_at])
    index_now(design=made, by=None)
    change = follow_now(proposal=change, by=None)
    _talk(change, fork.remarks)
    for judged in fork.reviews:
        review = proposals.review(proposal=change, by=person(judged.author), verdict=judged.verdict, body=judged.body)
        Review.objects.filter(pk=review.pk).update(created_at=judged.at)
    if fork.merged is not None:
        who, at = fork.merged
        change = proposals.merge(proposal=change, by=person(who), at=at)
        index_now(design=parent, by=None)
        Design.objects.filter(pk=parent.pk).update(pushed_at=at)
    _date_change(change, fork)
    _date(made, fork.versions)


def _talk(change: Proposal, remarks: Sequence[Remark]) -> None:
    root: Comment | None = None
    for remark in remarks:
        answered = root if remark.answers else None
        comment = proposals.say(
            proposal=change,
            by=person(remark.author),
            body=remark.body,
            anchor=_anchor(change, remark),
            answers=answered,
        )
        Comment.objects.filter(pk=comment.pk).update(created_at=remark.at)
        root = answered or comment
        if remark.settled:
            resolve(comment=root, by=person(remark.author))


def _anchor(change: Proposal, remark: Remark) -> dict[str, object] | None:
    if not remark.path:
        return None
    if remark.point is not None:
        return {"path": remark.path, "point": list(remark.point)}
    if not remark.line:
        return {"path": remark.path}
    repository = git.of(change.design.repository)
    text = repository.read(repository.entry(change.head, remark.path).oid, limit=1_000_000).decode()
    number = next(number for number, line in enumerate(text.splitlines(), start=1) if remark.line in line)
    return {"path": remark.path, "line": number, "side": "new"}


def _date_change(change: Proposal, fork: Fork) -> None:
    """A change is as old as its versions say, not as the seeding."""
    times = [fork.offered_at, *(version.at for version in fork.versions if version.at > fork.offered_at)]
    versions = [{**kept, "at": at.isoformat()} for kept, at in zip(change.versions, times, strict=False)]
    last = max([*times, *(judged.at for judged in fork.reviews), *(remark.at for remark in fork.remarks)])
    Proposal.objects.filter(pk=change.pk).update(
        created_at=fork.offered_at, updated_at=fork.merged[1] if fork.merged else last, versions=versions
    )


# --- people ------------------------------------------------------------------------------------------------------


def _around() -> None:
    """Stars, maintainers, talk, collections."""
    for key, names in STARS.items():
        if (design := of(key)) is not None:
            for name in names:
                if not Star.objects.filter(design=design, user__username=name).exists():
                    star(design=design, by=person(name))
    for key, name in MAINTAINERS:
        if (design := of(key)) is not None and not design.collaborators.filter(user__username=name).exists():
            set_collaborator(design=design, person=person(name), role=Collaborator.Role.MAINTAINER, by=None)
    _said(TALK)
    for gathered in COLLECTIONS:
        _gather(gathered)


def _said(talk: Sequence[Said]) -> None:
    root: Comment | None = None
    for said in talk:
        design = of(said.design)
        if design is None:
            continue
        kept = Comment.objects.filter(
            design=design, proposal=None, author__username=said.author, body=said.body
        ).first()
        answered = root if said.answers else None
        if kept is None:
            kept = say(design=design, author=person(said.author), body=said.body, answers=answered)
            Comment.objects.filter(pk=kept.pk).update(created_at=said.at)
        root = answered or kept


def _gather(gathered: Gathered) -> None:
    owner = handle(gathered.owner)
    if Collection.objects.filter(owner=owner, name=gathered.name).exists():
        return
    by = person(gathered.owner)
    collection = create_collection(owner=owner, name=gathered.name, about=gathered.about, by=by)
    for key, note in gathered.designs:
        if (design := of(key)) is not None:
            add_design(collection=collection, design=design, note=note, by=by)


def _made(made: Made) -> None:
    """A make with its photos; a worker reads them like everybody's."""
    design = of(made.design)
    if design is None or Make.objects.filter(design=design, author__username=made.author, text=made.text).exists():
        return
    photos = [SimpleUploadedFile(f"{number}.jpg", draw(), "image/jpeg") for number, draw in enumerate(made.photos)]
    make = add_make(
        design=design, author=person(made.author), text=made.text, photos=photos,
        release=design.releases.filter(version=made.version).first(),
    )  # fmt: skip
    Make.objects.filter(pk=make.pk).update(created_at=made.at)
