"""Where the result of a run is shown: the room that did the work says so in the result itself."""

from django.utils.http import url_has_allowed_host_and_scheme

from commons.runs.models import Run


def result_url(run: Run) -> str:
    """The address in `result["url"]`, if the run is done and it is one of this site's; else empty."""
    url = (run.result or {}).get("url", "") if run.status == Run.Status.DONE else ""
    inside = isinstance(url, str) and url.startswith("/") and url_has_allowed_host_and_scheme(url, allowed_hosts=None)
    return url if inside else ""
