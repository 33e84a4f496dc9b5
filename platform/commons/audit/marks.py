"""The mark of views that leave no trace."""

from collections.abc import Callable
from typing import Any, TypeVar

View = TypeVar("View", bound=Callable[..., Any])


def unaudited(view: View) -> View:
    """Marks a view, or a class of one, of which nothing is ever written down: the way to a ballot."""
    view.audited = False  # type: ignore[attr-defined]
    return view


def is_unaudited(view: Callable[..., Any]) -> bool:
    """Whether the view, as it stands among the addresses, has the mark."""
    return not getattr(getattr(view, "cls", view), "audited", True)
