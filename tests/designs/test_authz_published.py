"""What becomes private stays so: forks of it, and the work that was done while it was public."""

from collections.abc import Callable

import pytest
from django.test import Client

from commons.people.models import User
from commons.runs import services as runs
from commons.runs.models import Run
from designs.models import Collaborator, Design
from designs.services import fork_design, index_later
from designs.services.about import change_design
from designs.services.collaborators import set_collaborator
from designs.services.hiding import hide_design
from designs.services.lifecycle import remove

pytestmark = pytest.mark.django_db


def test_a_reader_cannot_publish_what_they_may_only_read(
    client: Client, private: Design, maker: User, neighbour: User
) -> None:
    """A fork of a private design is private, and no form nor call of its owner makes it public."""
    set_collaborator(design=private, person=neighbour, role=Collaborator.Role.READER, by=maker)
    fork = fork_design(design=private, owner=neighbour.handle, by=neighbour)
    client.force_login(neighbour)
    answer = client.patch(f"/api/v1/designs/niko/{fork.slug}/", {"visibility": "public"}, "application/json")
    assert (answer.status_code, answer.json()["code"]) == (403, "design:not-yours")
    words = {"do": "about", "name": fork.name, "licence": "MIT", "visibility": "public", "default_branch": "main"}
    assert client.post(f"/designs/niko/{fork.slug}/settings/", words).status_code == 403
    fork.refresh_from_db()
    assert fork.visibility == "private"
    assert Client().get(f"/designs/niko/{fork.slug}/").status_code == 404


def test_a_design_that_becomes_private_leaves_its_pool(design: Design, maker: User, neighbour: User) -> None:
    """It shares no objects with forks that stay public, and theirs still hold all they had."""
    fork = fork_design(design=design, owner=neighbour.handle, by=neighbour)
    design.refresh_from_db()
    assert design.pool
    change_design(design=design, by=maker, visibility="private")
    design.refresh_from_db()
    fork.refresh_from_db()
    assert (design.pool, design.visibility) == ("", "private")
    assert fork.pool and fork.visibility == "public"


def _hide(design: Design, person: User) -> None:
    hide_design(str(design.pk), "Because.")


def _private(design: Design, person: User) -> None:
    change_design(design=design, by=person, visibility="private")


def _delete(design: Design, person: User) -> None:
    remove(design=design, by=person, typed=design.slug)


@pytest.mark.parametrize("end", [_hide, _private, _delete])
def test_public_work_is_not_told_of_any_more(
    client: Client, design: Design, maker: User, end: Callable[[Design, User], None]
) -> None:
    """The title of a run names its design: the list of runs says it no longer, and says nothing of later ones."""
    index_later(design=design, by=maker)
    more = runs.start(
        kind="designs.diff", inputs={}, title=f"Comparing shapes of {design.name}", public=True, owner=None,
        subject=f"designs.design:{design.pk}:diff",
    )  # fmt: skip
    other = runs.start(kind="designs.diff", inputs={}, title="Another", public=True, subject="designs.design:10:diff")
    assert "Test cube" in client.get("/api/v1/runs/").content.decode()
    end(design, maker)
    design.refresh_from_db()
    Run.objects.filter(kind="designs.index").update(status=Run.Status.DONE)
    index_later(design=design, by=maker)
    assert "Test cube" not in client.get("/api/v1/runs/").content.decode()
    assert client.get(f"/api/v1/runs/{more.pk}/").status_code == 404
    assert client.get(f"/api/v1/runs/{other.pk}/").status_code == 200
