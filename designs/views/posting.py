"""What pages that change something share: who asks, and a refusal as a message beside what was typed."""

from collections.abc import Iterator
from contextlib import contextmanager

from django.contrib import messages
from django.http import HttpRequest

from commons.errors import CityError, NotAllowed, NotFound


@contextmanager
def said_as_message(request: HttpRequest) -> Iterator[None]:
    """A refusal becomes a message on the page that follows; what may not be seen or done stays an error page."""
    try:
        yield
    except (NotFound, NotAllowed):
        raise
    except CityError as refusal:
        messages.error(request, str(refusal.sentence))


def number(text: str) -> int:
    """A number of a row as it was sent; 0, which no row has, for anything else."""
    return int(text) if text.isdecimal() and len(text) < 19 else 0
