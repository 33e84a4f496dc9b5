"""From which network address a request comes, also where a proxy stands before the city."""

import ipaddress

from django.conf import settings
from django.http import HttpRequest


def client_ip(request: HttpRequest) -> str:
    """The caller's address: what the nearest of our own proxies saw, or who is connected; empty where nobody knows.

    Whatever a caller writes into the header themselves stands further left and is not read.
    """
    if settings.PROXIES:
        hops = [hop.strip() for hop in request.META.get("HTTP_X_FORWARDED_FOR", "").split(",") if hop.strip()]
        if hops and (seen := _address(hops[-min(settings.PROXIES, len(hops))])):
            return seen
    return _address(str(request.META.get("REMOTE_ADDR") or ""))


def _address(text: str) -> str:
    try:
        return str(ipaddress.ip_address(text.strip("[]")))
    except ValueError:
        return ""
