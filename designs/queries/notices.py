"""Which notices of this room still lead to what a person may see."""

import re

from django.db.models import Q

from commons.people.models import User
from designs.models import Design, OldAddress
from designs.policies import seen_by

_ADDRESS = re.compile(r"^/designs/(?P<owner>[-\w]+)/(?P<slug>[-\w]+)/")


def visible_urls(person: User, urls: set[str]) -> set[str]:
    """Addresses of designs that the person may see, old ones among them, and all that are not of one design."""
    asked = {url: (m["owner"], m["slug"]) for url in urls if (m := _ADDRESS.match(url))}
    wanted = set(asked.values())
    named = Q(pk=None)
    for owner, slug in wanted:
        named |= Q(owner__name=owner, slug=slug)
    if not wanted:
        return set(urls)
    seen = set(Design.objects.filter(named).filter(seen_by(person)).values_list("owner__name", "slug"))
    for old in OldAddress.objects.filter(named, design__in=Design.objects.filter(seen_by(person))).select_related(
        "owner"
    ):
        seen.add((old.owner.name, old.slug))
    return {url for url in urls if url not in asked or asked[url] in seen}
