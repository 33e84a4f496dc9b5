"""Every test begins in English, whatever page the one before it asked for."""

from collections.abc import Iterator

import pytest
from django.utils import translation


@pytest.fixture(autouse=True)
def in_english() -> Iterator[None]:
    """The language of a request stays active in its thread; put it back."""
    with translation.override("en"):
        yield
