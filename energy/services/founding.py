"""Founding a community: it gets people of its own to look after it."""

import re

from django.db import transaction
from django.utils.translation import gettext as _

from commons.people import policies as people_policies
from commons.people import services as people
from commons.people.models import Membership, Organisation, User
from commons.places.models import Place
from energy import policies
from energy.errors import AlreadyIn, BadCommunity, NotSteward
from energy.models import Community

#: Pages of the room that stand beside those of communities.
RESERVED = frozenset({"new", "join", "mine", "found"})


@transaction.atomic
def found_community(
    *,
    by: User,
    name: str,
    place: Place,
    kind: str = Community.Kind.NEIGHBOURHOOD,
    slug: str = "",
    organisation: Organisation | None = None,
    public: bool = True,
) -> Community:
    """A new community. Without an organisation one of the same address is founded, and `by` owns it: its stewards,
    managers and owners look after the community. Raises NotSteward, BadCommunity, AlreadyIn, HandleTaken,
    NotYourOrganisation."""
    if not policies.may_found(by):
        raise NotSteward(_("Sign in to found a community."))
    name = " ".join(name.split())
    slug = slug or re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")[:39].strip("-")
    if not name or not re.fullmatch(r"[a-z0-9][a-z0-9-]{1,38}", slug):
        raise BadCommunity(_("Give a name, and an address of a–z, digits and hyphens (2 to 39)."))
    if slug in RESERVED:
        raise BadCommunity(_("“%(slug)s” is the address of a page; choose another.") % {"slug": slug})
    if kind not in Community.Kind.values:
        raise BadCommunity(_("“%(kind)s” is not a kind of community.") % {"kind": kind[:20]})
    if Community.objects.filter(slug=slug).exists():
        raise AlreadyIn(_("There is a community “%(slug)s” already; choose another address.") % {"slug": slug})
    if organisation is None:
        organisation = people.create_organisation(
            handle=slug, name=name[:120], kind=Organisation.Kind.COMMUNITY, founder=by
        )
    else:
        people_policies.check_may_manage(by, organisation)
    return Community.objects.create(
        slug=slug, name=name[:160], kind=kind, place=place, organisation=organisation, public=public
    )


def stewards(community: Community) -> list[User]:
    """Who looks after it."""
    rows = Membership.objects.filter(organisation=community.organisation_id, role__in=policies.STEWARDS)
    return [row.user for row in rows.select_related("user").order_by("pk") if row.user.is_active]
