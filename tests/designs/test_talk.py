"""Comments: one level of threads, who may do what, who hears of it."""

import pytest

from commons.errors import CityError
from commons.notices.models import Notice
from commons.people.models import User
from commons.people.services import create_user
from designs.models import Collaborator, Comment, Design, Proposal, Watch
from designs.services import talk

pytestmark = pytest.mark.django_db


def heard(person: User) -> list[str]:
    return list(Notice.objects.filter(person=person).order_by("pk").values_list("kind", flat=True))


def test_a_thread_has_one_level(design: Design, maker: User, neighbour: User) -> None:
    first = talk.say(design=design, author=neighbour, body="  Does it float?\r\nReally? ")
    assert first.body == "Does it float?\nReally?"
    answer = talk.say(design=design, author=maker, body="Yes.", answers=first)
    nested = talk.say(design=design, author=neighbour, body="Good.", answers=answer)
    assert (answer.answers, nested.answers) == (first, first)
    assert heard(maker) == ["designs.comment"], "a second answer waits until the first notice is read"
    assert heard(neighbour) == ["designs.comment"]


def test_those_who_are_named_hear_it_once(design: Design, maker: User, neighbour: User) -> None:
    mia = create_user(username="mia")
    comment = talk.say(design=design, author=neighbour, body="@aila @mia @nobody see `@niko`")
    assert heard(maker) == heard(mia) == ["designs.mention"]
    assert heard(neighbour) == []
    talk.edit(comment=comment, by=neighbour, body="@aila @mia once more")
    assert heard(mia) == ["designs.mention"]


def test_nobody_hears_of_what_they_may_not_see(private: Design, maker: User, neighbour: User) -> None:
    talk.say(design=private, author=maker, body="@niko look")
    assert heard(neighbour) == []
    with pytest.raises(CityError) as refusal:
        talk.say(design=private, author=neighbour, body="Hello")
    assert refusal.value.code == "design:not-yours"
    Collaborator.objects.create(design=private, user=neighbour, role="reader")
    talk.say(design=private, author=maker, body="@niko look now")
    assert heard(neighbour) == ["designs.mention"]


def test_watchers_choose_what_they_hear(design: Design, maker: User, neighbour: User) -> None:
    mia, olli = create_user(username="mia"), create_user(username="olli")
    Watch.objects.create(design=design, user=mia, level="all")
    Watch.objects.create(design=design, user=olli, level="releases")
    Watch.objects.create(design=design, user=maker, level="nothing")
    talk.say(design=design, author=neighbour, body="Hello")
    assert (heard(mia), heard(olli), heard(maker)) == (["designs.comment"], [], [])


def test_own_words_can_be_changed_and_taken_away(design: Design, maker: User, neighbour: User) -> None:
    first = talk.say(design=design, author=neighbour, body="Frist")
    assert talk.edit(comment=first, by=neighbour, body="First").edited_at
    with pytest.raises(CityError):
        talk.edit(comment=first, by=maker, body="Mine")
    mia = create_user(username="mia")
    with pytest.raises(CityError):
        talk.remove(comment=first, by=mia)
    answer = talk.say(design=design, author=mia, body="Second", answers=first)
    talk.remove(comment=first, by=neighbour)
    first.refresh_from_db()
    assert first.body == "" and first.removed_at
    talk.remove(comment=answer, by=maker)
    assert not Comment.objects.exists()


def test_a_thread_is_settled_by_those_it_concerns(design: Design, maker: User, neighbour: User) -> None:
    change = Proposal.objects.create(
        design=design, number=1, title="Rounder", author=neighbour, source=design, source_branch="x",
        target_branch="main", base="0" * 40, head="1" * 40,
    )  # fmt: skip
    comment = talk.say(
        design=design, author=maker, body="Why?", proposal=change, anchor={"path": "cube.stl", "point": [1, 2, 3.5]}
    )
    assert comment.anchor == {"path": "cube.stl", "point": [1.0, 2.0, 3.5]}
    assert heard(neighbour) == ["designs.comment"]
    assert talk.resolve(comment=comment, by=neighbour).resolved_at
    assert talk.resolve(comment=comment, by=maker, resolved=False).resolved_at is None
    with pytest.raises(CityError):
        talk.resolve(comment=comment, by=create_user(username="mia"))
    with pytest.raises(CityError):
        talk.say(design=design, author=maker, body="Elsewhere", answers=comment)


@pytest.mark.parametrize(
    "anchor",
    [{"path": "../x"}, {"line": 1}, {"path": "a", "line": 0}, {"path": "a", "line": True}, {"path": 3},
     {"path": "a", "point": [1, 2]}, {"path": "a", "point": [1, 2, float("nan")]}, {"path": "a", "point": "abc"}],
)  # fmt: skip
def test_a_pin_needs_a_place(design: Design, neighbour: User, anchor: dict[str, object]) -> None:
    with pytest.raises(CityError) as refusal:
        talk.say(design=design, author=neighbour, body="x", anchor=anchor)
    assert refusal.value.code in {"design:bad-anchor", "design:bad-path"}


def test_words_have_limits(design: Design, neighbour: User) -> None:
    for body in ("", "  \n", "\x00", "x" * 20_001):
        with pytest.raises(CityError) as refusal:
            talk.say(design=design, author=neighbour, body=body)
        assert refusal.value.code == "design:nothing-said"
    for number in range(talk.MAX_IN_TEN_MINUTES):
        talk.say(design=design, author=neighbour, body=f"{number}")
    with pytest.raises(CityError) as refusal:
        talk.say(design=design, author=neighbour, body="more")
    assert refusal.value.status == 429


def test_an_archived_design_is_silent(design: Design, neighbour: User, maker: User) -> None:
    from django.utils import timezone

    comment = talk.say(design=design, author=neighbour, body="x")
    Design.objects.filter(pk=design.pk).update(archived_at=timezone.now())
    design.refresh_from_db()
    comment.refresh_from_db()
    for call in (
        lambda: talk.say(design=design, author=neighbour, body="y"),
        lambda: talk.edit(comment=comment, by=neighbour, body="y"),
        lambda: talk.remove(comment=comment, by=neighbour),
        lambda: talk.resolve(comment=comment, by=maker),
    ):
        with pytest.raises(CityError) as refusal:
            call()
        assert refusal.value.code == "design:archived"
