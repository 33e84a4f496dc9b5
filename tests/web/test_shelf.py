"""What stays true is kept by all that it was made of, as long as there is room; rows bear a stamp."""

import threading

import pytest
from django.db import transaction

from commons.places.models import Place
from commons.shelf import Shelf, Stamp, asked_once, once


def test_what_stands_there_is_not_made_again() -> None:
    shelf, asked = Shelf[str](10), []

    def make(word: str) -> str:
        asked.append(word)
        return word.upper()

    assert [shelf.get("a", lambda: make("a")) for _ in range(3)] == ["A", "A", "A"]
    assert shelf.get("b", lambda: make("b")) == "B"
    assert asked == ["a", "b"]
    assert shelf.holds("a") and not shelf.holds("c")


def test_the_longest_unasked_makes_room() -> None:
    shelf = Shelf[int](30)
    for number in range(10):
        shelf.get(number, lambda number=number: number, lambda _made: 3)  # type: ignore[misc]
    assert all(shelf.holds(number) for number in range(10))
    shelf.get(0, lambda: -1, lambda _made: 3)
    shelf.get("new", lambda: 10, lambda _made: 3)
    assert shelf.holds(0) and shelf.holds("new") and not shelf.holds(1)


def test_what_is_too_large_is_given_and_not_kept() -> None:
    shelf = Shelf[str](100)
    assert shelf.get("large", lambda: "x" * 11, len) == "x" * 11
    assert not shelf.holds("large")
    assert shelf.get("small", lambda: "x" * 10, len) == "x" * 10
    assert shelf.holds("small")


def test_nothing_is_an_answer_and_a_fault_is_none() -> None:
    shelf, asked = Shelf[None](10), []
    for _ in range(2):
        assert shelf.get("none", lambda: asked.append(1)) is None  # type: ignore[func-returns-value]
    assert asked == [1]

    def fails() -> None:
        raise ValueError("no")

    with pytest.raises(ValueError, match="no"):
        shelf.get("fails", fails)
    assert not shelf.holds("fails")


def test_many_threads_find_the_same() -> None:
    shelf, found = Shelf[int](500), []

    def ask() -> None:
        found.extend(shelf.get(n % 97, lambda n=n: n % 97) == n % 97 for n in range(2000))  # type: ignore[misc]

    threads = [threading.Thread(target=ask) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert len(found) == 12_000 and all(found)


@pytest.mark.django_db(transaction=True)
def test_a_row_has_another_stamp_after_each_change_and_only_then() -> None:
    place = Place.objects.create(slug="kamppi", name="Kamppi", kind=Place.Kind.NEIGHBOURHOOD)

    def stamp() -> str:
        return Place.objects.annotate(stamp=Stamp(Place)).get(pk=place.pk).stamp  # type: ignore[no-any-return, attr-defined]

    first = stamp()
    assert stamp() == first
    Place.objects.filter(pk=place.pk).update(name="Kamppi")
    assert stamp() != first
    with transaction.atomic():
        seen = {stamp()}
        for name in ("Punavuori", "Kamppi"):
            Place.objects.filter(pk=place.pk).update(name=name)
            seen.add(stamp())
    assert len(seen) == 3, "also when one transaction writes it twice"


def test_within_a_step_the_same_is_asked_once_and_outside_each_time() -> None:
    asked: list[str] = []

    def make(word: str) -> str:
        asked.append(word)
        return word

    for _ in range(2):
        assert once("a", lambda: make("a")) == "a"
    for _ in range(2):
        with asked_once():
            assert [once(word, lambda word=word: make(word)) for word in ("a", "b", "a")] == ["a", "b", "a"]  # type: ignore[misc]
            with asked_once():
                assert once("a", lambda: make("inner")) == "inner"
            assert once("a", lambda: make("a")) == "a"
    assert asked == ["a", "a", "a", "b", "inner", "a", "b", "inner"]
