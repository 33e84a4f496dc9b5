"""Django's `migrate`, with its model states redrawn only as far as a step can change them."""

import gc
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from django.core.management.commands.migrate import Command as DjangoCommand
from django.db.migrations.state import ModelState, ProjectState

Methods = dict[str, Callable[..., None]]


def _add_model(self: Any, model_state: ModelState) -> None:
    """A new model is drawn alone: no other can point to it yet. Django draws anew all that are joined with it, which
    is every model of the city, since they all lead to a person."""
    key = model_state.app_label, model_state.name_lower
    self.models[key] = model_state
    if self._relations is not None:
        self.resolve_model_relations(key)
    if "apps" in self.__dict__:  # hasattr would draw them
        self.apps.render_multiple([model_state])


def _append_option(self: Any, app_label: str, model_name: str, option_name: str, obj: Any) -> None:
    """An index or a constraint more changes a model's own list, and no relation."""
    state = self.models[app_label, model_name]
    state.options[option_name] = [*state.options[option_name], obj]
    if "apps" in self.__dict__:
        setattr(self.apps.get_model(app_label, model_name)._meta, option_name, list(state.options[option_name]))


@contextmanager
def quick_states() -> Iterator[None]:
    """Migrations of an empty database in a third of the time; `tests/ground/test_migrations.py` compares the tables."""
    ours: Methods = {"add_model": _add_model, "_append_option": _append_option}
    djangos = {name: getattr(ProjectState, name) for name in ours}
    thresholds = gc.get_threshold()
    _set(ours)
    gc.set_threshold(100_000, 50, 50)  # model classes are cycles, made by the thousand
    try:
        yield
    finally:
        gc.set_threshold(*thresholds)
        _set(djangos)


def _set(methods: Methods) -> None:
    for name, method in methods.items():
        setattr(ProjectState, name, method)


class Command(DjangoCommand):
    def handle(self, *args: Any, **options: Any) -> None:
        with quick_states():
            super().handle(*args, **options)
