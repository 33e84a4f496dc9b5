"""Housekeeping: other names and owners, archive, delete and back; who may, and what happens when two do it at once."""

import datetime as dt
import threading
from collections.abc import Callable

import pytest
from django.db import connection
from django.test import Client
from django.utils import timezone

from commons.errors import CityError
from commons.notices.models import Notice
from commons.people.models import User
from commons.people.services import create_organisation, create_user, set_role
from designs import git, queries
from designs.models import Collaborator, Design, OldAddress, Transfer
from designs.policies import may_push
from designs.queries.deleted import deleted_of
from designs.services import create_design, write_files
from designs.services.about import change_design
from designs.services.collaborators import remove_collaborator, set_collaborator
from designs.services.lifecycle import archive, purge, remove, restore, unarchive
from designs.services.renaming import rename
from designs.services.transfers import offer, refuse, take
from tests.designs.conftest import make

pytestmark = pytest.mark.django_db


def refused(call: Callable[[], object]) -> str:
    with pytest.raises(CityError) as refusal:
        call()
    return refusal.value.code


# --- addresses ---------------------------------------------------------------------------------------------------


def test_an_old_address_leads_to_the_new_one(client: Client, design: Design, maker: User) -> None:
    rename(design=design, by=maker, slug="Better Cube")
    for path in ("", "history/", "files/cube.stl?ref=main", "raw/main/README.md", "archive/main.zip"):
        answer = client.get(f"/designs/aila/test-cube/{path}")
        assert (answer.status_code, answer["Location"]) == (301, f"/designs/aila/better-cube/{path}")
    assert client.get("/fi/designs/aila/test-cube/")["Location"] == "/fi/designs/aila/better-cube/"
    answer = client.get("/api/v1/designs/aila/test-cube/files/")
    assert (answer.status_code, answer["Location"]) == (301, "/api/v1/designs/aila/better-cube/files/")
    assert client.get("/designs/aila/better-cube/").status_code == 200


def test_a_new_design_overtakes_an_old_address(client: Client, design: Design, maker: User) -> None:
    rename(design=design, by=maker, slug="better-cube")
    create_design(owner=maker.handle, name="Test cube", licence="MIT", by=maker, visibility="private")
    assert client.get("/designs/aila/test-cube/").status_code == 404, "a private one too, and it does not show"
    assert not OldAddress.objects.exists()


def test_renaming_back_ends_the_redirect(client: Client, design: Design, maker: User) -> None:
    rename(design=design, by=maker, slug="better-cube")
    rename(design=design, by=maker, slug="test-cube")
    assert client.get("/designs/aila/test-cube/").status_code == 200
    assert client.get("/designs/aila/better-cube/")["Location"] == "/designs/aila/test-cube/"


def test_strangers_do_not_learn_of_private_designs_by_old_addresses(
    client: Client, private: Design, maker: User, neighbour: User
) -> None:
    old = f"/designs/aila/{private.slug}/"
    rename(design=private, by=maker, slug="hidden-cube")
    missing = client.get("/designs/aila/nothing/")
    assert client.get(old).status_code == missing.status_code == 404
    client.force_login(neighbour)
    assert client.get(old).status_code == 404
    client.force_login(maker)
    assert client.get(old).status_code == 301


def test_names_are_the_owners_to_give(design: Design, maker: User, neighbour: User) -> None:
    other = make(maker, name="Other")
    assert refused(lambda: rename(design=other, by=maker, slug="test-cube")) == "design:name-taken"
    assert refused(lambda: rename(design=other, by=maker, slug="new")) == "design:bad-name"
    assert refused(lambda: rename(design=other, by=neighbour, slug="mine")) == "design:not-yours"
    set_collaborator(design=other, person=neighbour, role="maintainer", by=maker)
    assert refused(lambda: rename(design=other, by=neighbour, slug="mine")) == "design:not-yours"


@pytest.mark.django_db(transaction=True)
def test_of_two_renames_to_one_name_one_succeeds(maker: User) -> None:
    designs = [make(maker, name=name) for name in ("One", "Two")]
    start, codes = threading.Barrier(2), []

    def go(design: Design) -> None:
        try:
            start.wait(20)
            rename(design=design, by=maker, slug="same")
            codes.append("done")
        except CityError as refusal:
            codes.append(refusal.code)
        finally:
            connection.close()

    threads = [threading.Thread(target=go, args=[design]) for design in designs]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert sorted(codes) == ["design:name-taken", "done"]
    assert Design.objects.filter(slug="same").count() == 1
    assert OldAddress.objects.count() == 1


# --- what it says about itself ------------------------------------------------------------------------------------


def test_what_is_given_changes_and_nothing_else(design: Design, maker: User) -> None:
    changed = change_design(design=design, by=maker, tags=[" 3D Print", "3d_print", "#Kitchen", "Lämpö", ""])
    assert changed.tags == ["3d-print", "kitchen", "lämpö"]
    assert (changed.name, changed.licence, changed.slug) == ("Test cube", "MIT", "test-cube")
    assert refused(lambda: change_design(design=design, by=maker, tags=[str(n) for n in range(13)])) == "design:bad-tag"
    assert refused(lambda: change_design(design=design, by=maker, tags=["!!!"])) == "design:bad-tag"
    assert refused(lambda: change_design(design=design, by=maker, name="X", licence="Nonsense 9")) == (
        "design:bad-licence"
    )
    design.refresh_from_db()
    assert design.name == "Test cube", "a refusal changes nothing"


def test_another_branch_is_shown_and_cloned(
    design: Design, maker: User, django_capture_on_commit_callbacks: Callable[..., object]
) -> None:
    repository = git.of(design.repository)
    assert refused(lambda: change_design(design=design, by=maker, default_branch="next")) == "design:no-such-version"
    write_files(design=design, files={"next.txt": b"x"}, message="Next", author=maker, by=maker, branch="next")
    with django_capture_on_commit_callbacks(execute=True):  # type: ignore[attr-defined]
        change_design(design=design, by=maker, default_branch="next")
    assert (repository.path / "HEAD").read_text().strip() == "ref: refs/heads/next"


# --- owners ------------------------------------------------------------------------------------------------------


def test_a_design_changes_hands_when_both_want(client: Client, design: Design, maker: User, neighbour: User) -> None:
    transfer = offer(design=design, to=neighbour.handle, by=maker)
    assert Notice.objects.get(person=neighbour).kind == "designs.offered"
    design.refresh_from_db()
    assert design.owner == maker.handle, "nothing moves before it is taken"
    assert refused(lambda: take(transfer=transfer, by=maker)) == "design:no-such-offer"
    moved = take(transfer=transfer, by=neighbour)
    assert moved.owner == neighbour.handle
    assert client.get("/designs/aila/test-cube/")["Location"] == "/designs/niko/test-cube/"
    assert not may_push(maker, moved) and may_push(neighbour, moved)
    assert refused(lambda: take(transfer=transfer, by=neighbour)) == "design:no-such-offer"


def test_a_hand_over_to_a_taken_name_is_refused_in_words(design: Design, maker: User, neighbour: User) -> None:
    make(neighbour, name="Test cube")
    assert refused(lambda: offer(design=design, to=neighbour.handle, by=maker)) == "design:name-taken"
    other = make(maker, name="Other")
    transfer = offer(design=other, to=neighbour.handle, by=maker)
    make(neighbour, name="Other")
    assert refused(lambda: take(transfer=transfer, by=neighbour)) == "design:name-taken"
    other.refresh_from_db()
    assert other.owner == maker.handle


def test_offers_are_refused_withdrawn_and_replaced(design: Design, maker: User, neighbour: User) -> None:
    mia = create_user(username="mia")
    first = offer(design=design, to=neighbour.handle, by=maker)
    second = offer(design=design, to=mia.handle, by=maker)
    assert refused(lambda: take(transfer=first, by=neighbour)) == "design:no-such-offer"
    refuse(transfer=second, by=mia)
    assert not Transfer.objects.filter(ended_at=None).exists()
    third = offer(design=design, to=mia.handle, by=maker)
    refuse(transfer=third, by=maker)
    assert refused(lambda: take(transfer=third, by=mia)) == "design:no-such-offer"
    assert refused(lambda: offer(design=design, to=maker.handle, by=maker)) == "design:already-theirs"


def test_to_an_organisation_of_ones_own_it_goes_at_once(design: Design, maker: User, neighbour: User) -> None:
    guild = create_organisation(handle="guild", name="Guild", kind="association", founder=maker)
    offer(design=design, to=guild.handle, by=maker)
    design.refresh_from_db()
    assert design.owner == guild.handle
    set_role(organisation=guild, user=neighbour, role="member")
    assert not may_push(neighbour, design)


def test_who_offers_and_loses_it_offers_nothing(design: Design, maker: User, neighbour: User) -> None:
    guild = create_organisation(handle="guild", name="Guild", kind="association", founder=maker)
    offer(design=design, to=guild.handle, by=maker)
    design.refresh_from_db()
    mia = create_user(username="mia")
    set_role(organisation=guild, user=mia, role="manager")
    transfer = offer(design=design, to=neighbour.handle, by=mia)
    set_role(organisation=guild, user=mia, role="member")
    assert refused(lambda: take(transfer=transfer, by=neighbour)) == "design:no-such-offer"


# --- people who work on it ----------------------------------------------------------------------------------------


def test_roles(private: Design, maker: User, neighbour: User) -> None:
    assert refused(lambda: queries.find(owner="aila", slug=private.slug, visitor=neighbour)) == "design:not-found"
    set_collaborator(design=private, person=neighbour, role="reader", by=maker)
    assert queries.find(owner="aila", slug=private.slug, visitor=neighbour) == private
    assert not may_push(neighbour, private)
    set_collaborator(design=private, person=neighbour, role="maintainer", by=maker)
    assert may_push(neighbour, private)
    assert Notice.objects.filter(person=neighbour).count() == 1
    assert refused(lambda: set_collaborator(design=private, person=maker, role="reader", by=maker)) == (
        "design:already-theirs"
    )
    mia = create_user(username="mia")
    assert refused(lambda: set_collaborator(design=private, person=mia, role="reader", by=neighbour)) == (
        "design:not-yours"
    )
    remove_collaborator(design=private, person=neighbour, by=neighbour)
    assert not Collaborator.objects.exists()


# --- the end, and back ---------------------------------------------------------------------------------------------


def test_an_archived_design_is_read_only(design: Design, maker: User, neighbour: User) -> None:
    assert refused(lambda: archive(design=design, by=neighbour)) == "design:not-yours"
    held = archive(design=design, by=maker)
    assert not may_push(maker, held)
    assert refused(lambda: rename(design=held, by=maker, slug="x1")) == "design:archived"
    assert refused(lambda: change_design(design=held, by=maker, name="X")) == "design:archived"
    assert refused(lambda: write_files(design=held, files={"a": b""}, message="", author=maker, by=maker))
    assert may_push(maker, unarchive(design=held, by=maker))


def test_deleted_is_gone_for_everybody_and_can_come_back(
    client: Client, design: Design, maker: User, neighbour: User
) -> None:
    staff = create_user(username="chief", is_staff=True)
    assert refused(lambda: remove(design=design, by=maker, typed="cube")) == "design:name-not-typed"
    assert refused(lambda: remove(design=design, by=neighbour, typed="test-cube")) == "design:not-yours"
    remove(design=design, by=maker, typed=" aila/test-cube ")
    for person in (None, neighbour, maker, staff):
        assert refused(lambda p=person: queries.find(owner="aila", slug="test-cube", visitor=p)) == "design:not-found"
    assert client.get("/designs/aila/test-cube/").status_code == 404
    assert client.get("/designs/aila/test-cube.git/info/refs?service=git-upload-pack").status_code == 401
    assert queries.origins(blob=design.file_versions.first().blob.oid, visible_to=maker) == []  # type: ignore[union-attr]
    assert refused(lambda: create_design(owner=maker.handle, name="Test cube", licence="MIT", by=maker)) == (
        "design:name-taken"
    )
    assert list(deleted_of(maker)) == [design] and not list(deleted_of(neighbour))
    assert refused(lambda: restore(design=design, by=neighbour)) == "design:not-yours"
    restore(design=design, by=maker)
    assert client.get("/designs/aila/test-cube/").status_code == 200


@pytest.mark.django_db(transaction=True)
def test_after_thirty_days_it_is_taken_away(maker: User, neighbour: User) -> None:
    design = make(maker)
    fork = create_design(owner=neighbour.handle, name="Cube of Niko", licence="MIT", by=neighbour)
    Design.objects.filter(pk=fork.pk).update(forked_from=design)
    remove(design=design, by=maker, typed="test-cube")
    path = git.of(design.repository).path
    assert purge(now=timezone.now() + dt.timedelta(days=29)) == 0
    assert path.exists()
    assert purge(now=timezone.now() + dt.timedelta(days=31)) == 1
    assert not path.exists()
    fork.refresh_from_db()
    assert fork.forked_from is None
    create_design(owner=maker.handle, name="Test cube", licence="MIT", by=maker)
