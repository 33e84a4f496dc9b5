"""Addresses of the room: pages in `urlpatterns`, the API in `api_urlpatterns`; a module for each noun.

The catalogue comes last: a machine's address is anything under its lab's that is no page of the lab.
"""

from django.urls import URLPattern, URLResolver

from labs.urls import (
    bookings,
    catalogue,
    floor,
    imports,
    interlocks,
    jobs,
    learning,
    make,
    money,
    passports,
    profile,
    rules,
    standing,
    sunshine,
    week,
)

PARTS = (
    standing, sunshine, bookings, floor, imports, interlocks, jobs, learning, money, passports, rules, make, week,
    profile, catalogue,
)  # fmt: skip

urlpatterns: list[URLPattern | URLResolver] = [address for part in PARTS for address in part.pages]
api_urlpatterns: list[URLPattern | URLResolver] = [address for part in PARTS for address in part.api]
bare_urlpatterns: list[URLPattern | URLResolver] = [*learning.bare]
