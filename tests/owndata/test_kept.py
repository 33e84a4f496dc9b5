"""Every table is declared: how it speaks of people, or why it does not. A new column that names somebody fails here."""

import html
import re
from collections.abc import Iterator
from typing import Any

import pytest
from django.apps import apps
from django.db import models
from django.test import Client

from commons import kept
from commons.kept import Closing, Kept
from commons.owndata import closing
from commons.people.models import Handle, User

#: Columns of text with such a name may hold somebody's name, address or words about them.
TELLING = re.compile(
    r"(^|_)(by|email|username|payer|buyer|address|phone|author|authors|actor|ip|ip_address|user_agent)$"
)
TEXT = (models.CharField, models.TextField, models.JSONField, models.GenericIPAddressField)


def tables() -> list[type[models.Model]]:
    return [model for model in apps.get_models(include_auto_created=True) if not model._meta.proxy]


def declared() -> dict[str, Kept]:
    return {one.model: one for one in kept.everything()}


def people(model: type[models.Model]) -> Iterator[tuple[str, str]]:
    """Columns that lead to an account, with the tie that says so."""
    for column in model._meta.concrete_fields:
        if column.related_model is User:
            yield column.name, column.name
        elif column.related_model is Handle:
            yield column.name, f"{column.name}__user"


def undeclared(names: dict[str, Kept], others: dict[str, str]) -> list[str]:
    """What neither list speaks of."""
    found = []
    for model in tables():
        label = model._meta.label
        if label not in names and label not in others:
            found.append(f"{label}: say in kept.py what it keeps of people, or why it keeps nothing")
            continue
        ties = names[label].ties if label in names else {}
        found += [f"{label}.{name}: no tie “{tie}”" for name, tie in people(model) if tie not in ties]
        if label in names:
            continue
        for column in model._meta.concrete_fields:
            telling = isinstance(column, TEXT) and TELLING.search(column.name)
            if telling and f"{label}.{column.name}" not in others:
                found.append(f"{label}.{column.name}: it may name somebody")
    return found


def test_every_table_says_what_it_keeps_of_people() -> None:
    assert undeclared(declared(), kept.not_personal()) == []


def test_the_walk_sees_what_is_left_out() -> None:
    names, others = declared(), kept.not_personal()
    del names["labs.Booking"]
    assert any("labs.Booking" in line for line in undeclared(names, others))
    loose = names | {"designs.Make": Kept("designs.Make", "", {})}
    assert "designs.Make.author: no tie “author”" in undeclared(loose, others)
    del others["energy.GridConnection"]
    assert any("energy.GridConnection" in line for line in undeclared(names, others))


def test_nothing_is_declared_twice_or_of_nothing() -> None:
    names, others = [one.model for one in kept.everything()], kept.not_personal()
    assert len(names) == len(set(names))
    assert set(names).isdisjoint(others)
    labels = {model._meta.label for model in tables()}
    assert set(names) <= labels
    for name in others:
        label = ".".join(name.split(".")[:2])
        assert label in labels, name
        if name != label:
            apps.get_model(label)._meta.get_field(name.rpartition(".")[2])


@pytest.mark.django_db
def test_declarations_can_be_asked() -> None:
    person = User.objects.create(username="nobody-yet")
    for one in kept.everything():
        assert {column.name for column in one.table._meta.concrete_fields} >= one.hidden | set(one.names), one.model
        assert one.of(person).count() == (one.model == "people.User"), one.model
        assert Closing.BOOKS not in one.ties.values() or one.why, f"{one.model} stays without a reason"


def test_what_is_unlinked_can_be() -> None:
    for one in kept.everything():
        for tie, fate in one.own():
            column = one.table._meta.get_field(tie)
            if fate is Closing.UNLINKED:
                assert column.null, f"{one.model}.{tie} cannot be empty"


@pytest.mark.django_db
def test_the_page_says_all_that_is_kept(client: Client) -> None:
    """Whoever comes reads of every table, who sees it and what becomes of it."""
    page = html.unescape(client.get("/known/").content.decode())
    for about, tables in kept.by_app():
        assert str(about.title) in page
        assert str(about.seen) in page
        for one in tables:
            assert f"<span>{one.title}</span>" in page, one.model
            assert not one.why or str(one.why) in page
    assert sum(len(tables) for _about, tables in kept.by_app()) == len(kept.everything())
    days = closing.backup_days()
    assert f"Backups know you for {days} days more." in page
    assert 'href="/known/"' in client.get("/").content.decode(), "the footer of every page leads to it"


def test_backups_are_said_to_last_as_long_as_they_do(settings: Any) -> None:
    settings.BACKUP_KEEP, settings.BACKUP_EVERY_HOURS = 7, 24.0
    assert closing.backup_days() == 7
    settings.BACKUP_KEEP, settings.BACKUP_EVERY_HOURS = 30, 6.0
    assert closing.backup_days() == 8
