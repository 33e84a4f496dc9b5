"""No list, count, search, feed or notice tells of a design to somebody who may not see it."""

from pathlib import Path
from typing import Any

import pytest
from django.test import Client

from commons.notices.services import tell
from designs.models import Collection, CollectionItem, Comment, Design, PartUse, Source
from tests.designs.authz_world import World, build
from tests.designs.test_authz_matrix import put

pytestmark = pytest.mark.django_db

#: Everything that lists designs; `{blob}` and the like are of the design that is hidden.
LISTS = (
    "/", "/designs/", "/designs/?q=zyxlamp", "/designs/?q=zyxlmap", "/designs/?owner=works", "/designs/?tag=zyxtag",
    "/designs/?sort=new", "/designs/?format=stl", "/designs/?licence=MIT", "/designs/?fits=500x500x500",
    "/designs/?has_release=1", "/api/v1/designs/", "/api/v1/designs/?q=zyxlamp", "/api/v1/designs/?owner=works",
    "/api/v1/provenance/?blob={blob}", "/api/v1/provenance/?sha256={sha256}", "/designs/releases.atom",
    "/designs/the-neighbour/chair/", "/designs/the-neighbour/chair/forks/", "/designs/the-neighbour/chair/rights/",
    "/designs/the-neighbour/chair/bom/", "/designs/the-neighbour/chair/changes/", "/designs/the-neighbour/chair/talk/",
    "/designs/the-neighbour/chair/makes/", "/designs/the-neighbour/chair/files/cube.stl",
    "/api/v1/designs/the-neighbour/chair/", "/api/v1/designs/the-neighbour/chair/fork/",
    "/api/v1/designs/the-neighbour/chair/lineage/", "/api/v1/designs/the-neighbour/chair/proposals/",
    "/api/v1/designs/the-neighbour/chair/bom/", "/designs/the-neighbour/chair/okh.toml",
    "/designs/the-neighbour/chair/okh.yml", "/designs/the-neighbour/chair/changes/2/",
    "/api/v1/designs/the-neighbour/chair/proposals/2/",
    "/collections/", "/collections/the-neighbour/mixed/", "/api/v1/collections/",
    "/me/", "/me/notices/", "/me/stars/", "/api/v1/people/me/notices/", "/people/works/", "/labs/", "/reports/counts/",
)  # fmt: skip
WORDS = ("zyxlamp", "/designs/works/lamp", "works/lamp", "zyxtag")


@pytest.fixture
def world(db: None, tmp_path: Path, settings: Any) -> World:
    """Chair is tied to Lamp in every way there is: fork, source, part, change, collection, star, notice."""
    settings.LFS_DIR = tmp_path / "lfs"
    made = build(tmp_path / "kept")
    lamp, chair, people = made.here.design, made.other.design, made.people
    Design.objects.filter(pk=lamp.pk).update(
        name="Zyxlamp", forked_from=chair, forked_at=made.other.kwargs["base"], tags=["zyxtag"]
    )
    Source.objects.create(
        design=chair, relation="adapted", title="Zyxlamp", licence="MIT", linked=lamp, was_public=False,
        url="http://localhost/designs/works/lamp/",
    )  # fmt: skip
    PartUse.objects.create(design=lamp, used=chair, owner="the-neighbour", slug="chair", name="Zyxlamp seat")
    change = chair.proposals.get()
    change.pk, change.number, change.source, change.source_branch = None, 2, lamp, "main"
    change.title, change.body = "From elsewhere", ""
    change.save()
    mixed = Collection.objects.create(owner=people["neighbour"].handle, slug="mixed", name="Mixed")
    for n, design in enumerate((lamp, chair), 1):
        CollectionItem.objects.create(collection=mixed, design=design, position=n, note="Fine")
    stranger = people["stranger"]
    for design in (lamp, chair):
        design.stars.create(user=stranger)
    tell(people=[stranger], kind="designs.comment", text="Somebody wrote about Zyxlamp", url="/designs/works/lamp/")
    return made


def told(client: Client, world: World) -> dict[str, list[str]]:
    """The addresses that answer, and the words of the design that each of them says."""
    sha256 = world.here.design.file_versions.filter(path="cube.stl").first().blob.sha256  # type: ignore[union-attr]
    found = {}
    for path in LISTS:
        response = client.get(path.format(sha256=sha256, **world.here.kwargs), follow=True)
        assert response.status_code < 500, path
        text = response.content.decode().lower().replace("zyxlmap", "")
        if "tag=zyxtag" in path:
            text = text.replace("zyxtag", "")
        asked = text.count("q=zyxlamp") + text.count('value="zyxlamp"')
        found[path] = [] if response.status_code >= 400 else [
            word for word in WORDS if word in text and not ("q=zyx" in path and word == "zyxlamp" and asked)
        ] + (["card"] if "q=zyx" in path and "works/lamp" in text else [])  # fmt: skip
    return found


@pytest.mark.parametrize("state", ["private", "hidden", "deleted"])
@pytest.mark.parametrize("role", ["anonymous", "stranger"])
def test_lists_are_silent_about_what_may_not_be_seen(world: World, state: str, role: str) -> None:
    put(world, state)
    assert {path: words for path, words in told(world.clients[role], world).items() if words} == {}


def test_lists_tell_of_it_to_those_who_may_see_it(world: World) -> None:
    """Or the test above could not fail."""
    silent = {path for path, words in told(world.clients["stranger"], world).items() if not words}
    assert len(silent) < len(LISTS) // 2, silent


def test_a_hidden_remark_is_not_in_its_form(world: World) -> None:
    """The form to edit a remark shows its words to who wrote them alone."""
    Comment.objects.filter(pk=world.here.kwargs["remark"]).update(hidden_at=world.here.design.created_at)
    path = f"/designs/works/lamp/changes/1/comments/{world.here.kwargs['remark']}/"
    assert b"Zyxlamp remark" in world.clients["maintainer"].get(path).content
    for role in ("stranger", "reader", "manager"):
        response = world.clients[role].get(path)
        assert response.status_code == 404 and b"Zyxlamp remark" not in response.content
    for path in (
        "/designs/works/lamp/changes/1/", "/api/v1/designs/works/lamp/proposals/1/comments/",
    ):  # fmt: skip
        assert b"Zyxlamp remark" not in world.clients["stranger"].get(path).content
