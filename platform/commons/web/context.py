"""What every page knows: the sections, the place it is about, today's sun."""

from typing import Any

from django.conf import settings
from django.http import HttpRequest

from commons import sockets


def page(request: HttpRequest) -> dict[str, Any]:
    """Context for the base layout."""
    return {"nav_entries": list(sockets.nav), "languages": settings.LANGUAGES, "demo_city": settings.DEMO}
