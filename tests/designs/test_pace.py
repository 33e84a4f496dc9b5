"""One person begins only so much in an hour; the refusal says so, and when to try again."""

import pytest
from django.test import Client

from commons.people.models import User
from commons.runs import services as runs
from commons.runs.models import Run
from designs.errors import TooMany
from designs.models import Comment, Design, Proposal, Review
from designs.services import fork_design, import_later, pace, proposals
from designs.services.imports import Wish
from designs.services.talk import MAX_IN_TEN_MINUTES

pytestmark = pytest.mark.django_db


def test_imports_end_at_their_limit(
    client: Client, maker: User, neighbour: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    for _n in range(pace.IMPORTS):
        runs.start(kind="designs.import", inputs={}, title="Importing", owner=maker)
    wanted = Wish("https://git.example.org/a.git", maker.handle, "A", "a", "MIT", "public")
    with pytest.raises(TooMany, match="20 designs in an hour"):
        import_later(wanted=wanted, by=maker)
    assert Run.objects.filter(kind="designs.import", owner=maker).count() == pace.IMPORTS
    pace.check_imports(neighbour)
    Run.objects.update(created_at="2026-01-01T00:00Z")
    pace.check_imports(maker)


def test_forks_end_at_their_limit_with_the_time_to_wait(client: Client, design: Design, neighbour: User) -> None:
    Design.objects.bulk_create(
        Design(owner=neighbour.handle, slug=f"f{n}", name="F", licence="MIT", forked_from=design, created_by=neighbour)
        for n in range(pace.FORKS)
    )
    client.force_login(neighbour)
    answer = client.post("/api/v1/designs/aila/test-cube/fork/", {"slug": "more"}, content_type="application/json")
    assert (answer.status_code, answer.json()["code"]) == (429, "design:too-many")
    assert int(answer["Retry-After"]) > 0 and "30 forks in an hour" in answer.json()["detail"]
    page = client.post("/designs/aila/test-cube/fork/", {"name": "More", "slug": "more"})
    assert page.status_code == 422 and "30 forks in an hour" in page.content.decode()
    assert not Design.objects.filter(slug="more").exists()
    with pytest.raises(TooMany):
        fork_design(design=design, owner=neighbour.handle, by=neighbour, slug="more")


def test_changes_and_reviews_end_at_their_limits(design: Design, maker: User, neighbour: User) -> None:
    made = Proposal.objects.bulk_create(
        Proposal(design=design, number=n, title="T", author=neighbour, source=design, source_branch=f"b{n}",
                 target_branch="main", base="0" * 40, head="1" * 40)
        for n in range(1, pace.CHANGES + 1)
    )  # fmt: skip
    with pytest.raises(TooMany, match="40 changes in an hour"):
        proposals.open_proposal(design=design, source=design, source_branch="main", title="T", by=neighbour)
    Review.objects.bulk_create(
        Review(proposal=made[0], author=maker, verdict="remark", body="x", commit="1" * 40)
        for _n in range(pace.REVIEWS)
    )
    with pytest.raises(TooMany, match="120 reviews in an hour"):
        proposals.review(proposal=made[0], by=maker, verdict="remark", body="y")


def test_too_many_comments_and_reports_say_when_to_come_back(client: Client, design: Design, neighbour: User) -> None:
    Comment.objects.bulk_create(Comment(design=design, author=neighbour, body="x") for _n in range(MAX_IN_TEN_MINUTES))
    client.force_login(neighbour)
    answer = client.post("/api/v1/designs/aila/test-cube/comments/", {"body": "y"}, content_type="application/json")
    assert answer.status_code == 429 and int(answer["Retry-After"]) > 0
    page = client.post("/designs/aila/test-cube/talk/say/", {"body": "y"})
    assert page.status_code == 429 and "a lot of comments" in page.content.decode()
