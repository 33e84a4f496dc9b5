"""The doors that stand open, each with its reason. What is not named here is shut to those who have no tie to it."""

#: Rooms whose routes have no table here, and where they are asked instead.
ELSEWHERE: dict[str, str] = {
    "designs": "tests/designs/test_authz_matrix.py: every route, in five states of a design",
    "account": "allauth's own pages",
    "administration": "Django's own pages, for staff alone; tests/people/test_admin.py",
    "notices": "tests/designs/test_authz_matrix.py",
    "reports": "tests/designs/test_authz_matrix.py",
    "twin": "its table is still to be written and read; tests/twin asks part of it",
    "people": "its table is still to be written and read; tests/people asks part of it",
    "runs": "its table is still to be written and read; tests/runs asks part of it",
    "mine": "its table is still to be written and read; tests/person asks part of it",
    "places": "its table is still to be written and read: what everybody may see",
    "site": "its table is still to be written and read: what everybody may see; tests/site opens each page",
    "owndata": "its table is still to be written and read; tests/owndata asks part of it",
    "watching": "its table is still to be written and read; tests/watching asks part of it",
    "web": "the look of pages, which everybody chooses",
    "streams": "their table is still to be written and read; tests/devices/test_live.py asks part of it",
}

#: Unsafe requests that somebody without an account may make.
ANYBODY: dict[str, str] = {
    "rooms:lab_kiosk": "says what is on a lab's screen; only a paired screen acts, by addresses of its own",
    "rooms:verify": "checks a badge that is sent; nothing here changes, and the check is forgotten after a day",
}

#: Unsafe requests that everybody with an account may make: of their own things, or where all are asked in.
SIGNED_IN: dict[str, str] = {
    "api:calendars": "a calendar of one's own",
    "api:community-found": "founds a community, which is then theirs to look after",
    "api:community-join": "comes with the code of an invitation",
    "api:machine_faults": "whoever stands before a machine may say that it is broken",
    "api:orders": "asks a lab that takes orders",
    "api:seat": "takes or leaves a seat of one's own in a session that is announced",
    "api:verify_badge": "checks a badge that is sent",
    "rooms:at_machine": "the label on a machine: whoever reads it may say that it is broken",
    "rooms:course_session": "takes or leaves a seat of one's own",
    "rooms:energy_found": "founds a community, which is then theirs to look after",
    "rooms:energy_join": "comes with the code of an invitation",
    "rooms:lab_join": "asks to join, takes that back, leaves: about oneself alone",
    "rooms:my_badges": "brings a badge of one's own",
    "rooms:my_calendars": "calendars of one's own",
    "rooms:my_kiosk_pass": "one's own number for the screens of labs",
    "rooms:order_new": "asks a lab that takes orders",
}

#: Views of the API that let everybody in without a scope.
ALLOW_ANY: dict[str, str] = {
    "schema": "the document of the API is everybody's",
    "api:device-enrol": "the code is the proof",
    "api:decision_ballot": "a secret ballot comes without a name; its blindly signed token is the proof",
}

#: Addresses below /api/ that look at no token: pages for readers, and what machines ask before they have one.
READ_NO_TOKENS: dict[str, str] = {
    "api:decision_ballot": "a secret ballot comes without a name; its blindly signed token is the proof",
    "api:device-enrol": "a device that has no token yet comes with a code that lets it in once",
    "api:lab_calendar": "programs of calendars come with a key in the address",
    "api:machine_calendar": "programs of calendars come with a key in the address",
    "api:my_calendar": "programs of calendars come with a key in the address",
}

#: Objects that everybody may know of, so that “not yours” need not look like “not there”.
KNOWN_TO_ALL = frozenset(
    {
        "lab", "machine", "machine.id", "street", "district", "place", "organisation", "course.owner", "course.slug",
        "lesson", "badge", "job", "label", "building", "motion", "body.kind", "body.key",
        "released.owner", "released.slug",
        "the customer", "member", "list.key", "list.number", "passport", "import.run", "profile",
    }
)  # fmt: skip
