"""Who is signed in, for views that nobody else reaches."""

from django.http import HttpRequest

from commons.people.models import User


def person_of(request: HttpRequest) -> User:
    """The person of a page's session; only behind login_required."""
    assert isinstance(request.user, User)  # noqa: S101 login_required saw to it
    return request.user
