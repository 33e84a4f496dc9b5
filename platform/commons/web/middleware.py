"""Two small layers: refusals become answers, and POSTs with an Idempotency-Key happen once."""

from typing import Any

from django.http import Http404, HttpRequest, HttpResponse, HttpResponseNotAllowed, UnreadablePostError
from django.urls import Resolver404, resolve
from django.utils import timezone
from django.utils.translation import gettext as _

from commons.errors import BadInput, CityError
from commons.web import idempotent
from commons.web.middleware_types import GetResponse
from commons.web.problems import answer, is_api, problem, problem_response

PAGE_METHODS = ("GET", "HEAD", "OPTIONS", "POST")
#: Addresses that programs ask, whose views say themselves what they take.
OF_PROGRAMS = ("/api/", "/ogc/", "/sensorthings/")
#: How a page's form is sent.
FORMS = ("application/x-www-form-urlencoded", "multipart/form-data")


class problem_json:  # noqa: N801 a middleware reads like a function in settings
    """A `CityError` raised by any view becomes a page or a problem document; so do the API's 404s and 500s."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if "\x00" in request.path or "%00" in request.META.get("QUERY_STRING", ""):
            return answer(request, BadInput(_("An address cannot hold a NUL character.")))
        response = self.get_response(request)
        bare = is_api(request) and response.status_code >= 400 and "json" not in response.get("Content-Type", "")
        if bare:
            return _as_problem(response)
        return response

    def process_view(self, request: HttpRequest, view: Any, _args: Any, _kwargs: Any) -> HttpResponse | None:
        """A method that a page does not know is refused for every page at once, and so is a NUL in a form, as it is in
        an address: no table can keep it.
        """
        if not _knows(view, request):
            return HttpResponseNotAllowed(PAGE_METHODS)
        if request.content_type in FORMS and not getattr(view, "csrf_exempt", False) and _holds_nul(request):
            return answer(request, BadInput(_("A form cannot hold a NUL character. Take it out and send it again.")))
        return None

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponse | None:
        if isinstance(exception, CityError):
            return answer(request, exception)
        if isinstance(exception, Http404) and is_api(request):
            return problem_response(problem(404, _("Not found"), _("There is nothing at this address.")))
        return None


def _knows(view: Any, request: HttpRequest) -> bool:
    """Whether a page takes the method; one that is a function and says nothing would take any for reading."""
    method, path = str(request.method), request.path
    if method in PAGE_METHODS or path.startswith(OF_PROGRAMS) or ".git/" in path:
        return True
    return hasattr(getattr(view, "view_class", None), method.lower())


def _holds_nul(request: HttpRequest) -> bool:
    """Whether a name or a text of a form has one. Who has hung up has nothing to be told."""
    try:
        fields = request.POST.lists()
    except UnreadablePostError:
        return False
    return any("\x00" in text for name, texts in fields for text in (name, *map(str, texts)))


def _as_problem(response: HttpResponse) -> HttpResponse:
    sentences = {
        400: _("This request cannot be read."),
        405: _("This address does not do that."),
        413: _("This is too large."),
        404: _("There is nothing at this address."),
        403: _("This request was refused; a form's token may be missing or old."),
        500: _("Something broke on our side and was written down."),
    }
    status = response.status_code
    made: HttpResponse = problem_response(
        problem(status, response.reason_phrase, sentences.get(status, response.reason_phrase))
    )
    for name in ("Retry-After", "Allow", "WWW-Authenticate"):
        if name in response:
            made[name] = response[name]
    return made


class idempotency:  # noqa: N801
    """Lets `commons.web.idempotent` answer a POST that carries an Idempotency-Key.

    A view whose answers must leave no trace says `remembers_answers = False`.
    """

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        key = request.headers.get("Idempotency-Key")
        if key is None or request.method != "POST" or not is_api(request):
            return self.get_response(request)
        if not idempotent.concerns(request) or not _remembers(request):
            return self.get_response(request)
        return idempotent.once(request, key, self.get_response)


class local_time:  # noqa: N801
    """Pages show the time of the place they are about (the layout's context activates it); afterwards UTC again."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        try:
            return self.get_response(request)
        finally:
            timezone.deactivate()


def _remembers(request: HttpRequest) -> bool:
    try:
        view = resolve(request.path_info).func
    except Resolver404:
        return False
    return bool(getattr(getattr(view, "cls", view), "remembers_answers", True))
