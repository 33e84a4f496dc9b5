"""Who asks: every role of the tables, from the weakest to the strongest, with what it is in the world of the tests."""

ROLES: dict[str, str] = {
    "anonymous": "nobody: no session, no token",
    "expired": "the superuser's token of all scopes, which ran out yesterday",
    "revoked": "the superuser's token of all scopes, which was taken back",
    "device-revoked": "a device that was let in, and out again",
    "device": "the device of the lab's first machine, by its own token",
    "kiosk": "the lab's screen by the door, at which nobody has signed in",
    "narrow": "a token of staff that may vote and nothing else",
    "reading": "a token of staff that reads designs, bookings and energy, and writes nothing",
    "stranger": "signed in, with no tie to anything here",
    "neighbour": "runs a lab, a community and a design of their own: the manager of the other house",
    "customer": "nobody of the lab, but books there: booking, wallet, invoice, order, fault and badge are theirs",
    "reader": "may read the private design",
    "fellow": "a plain member of the lab, and of the organisation that owns the design",
    "trainer": "teaches in the lab",
    "manager": "manages the lab",
    "maintainer": "maintains the design",
    "viewer": "may see the household's figures, because it allows it",
    "other-household": "another home of the same community",
    "household": "the home whose meters, bills and assets are asked for",
    "steward": "keeps the community's books",
    "city-steward": "a steward of the city: districts, reports",
    "owner": "owns the design, runs, notices, tokens, scenarios that are asked for",
    "staff": "staff of the site, without rights in the administration",
    "superuser": "staff with all rights",
}
ORDER = tuple(ROLES)

#: Who comes with a bearer token, not with a session.
BY_TOKEN = frozenset({"expired", "revoked", "device", "device-revoked", "narrow", "reading"})
#: Whose credentials are dead: they are nobody where credentials are not looked at, and 401 where they are.
DEAD = frozenset({"expired", "revoked", "device-revoked"})
