"""The doors that stand open, each with its reason. What is not named here is shut to those who have no tie to it."""

#: Unsafe requests that somebody without an account may make.
ANYBODY: dict[str, str] = {
    "account_login": "the way in",
    "account_logout": "the way out",
    "account_reset_password": "a letter to an address that is known, and the same words for one that is not",
    "account_reset_password_from_key": "comes with the key of a letter",
    "account_signup": "an account of one's own",
    "admin:login": "the way in of staff",
    "admin:logout": "the way out",
    "api": "sends on to the documentation",
    "api:device-enrol": "comes with a code that lets a device in once",
    "api:district-scenarios": "everybody may ask what would be; who has no account gets a key to change it with",
    "api:scenario-fork": "a copy of one's own",
    "api:scenario-runs": "everybody may have a scenario reckoned",
    "ogc-execution": "everybody may ask what would be, in the words of a standard",
    "rooms:pair_kiosk": "comes with the code of the desk, which works once",
    "rooms:scenario": "has a scenario reckoned, or makes a copy of one's own",
    "rooms:scenario_fork": "a copy of one's own",
    "rooms:scenario_new": "everybody may ask what would be",
    "sensorthings": "sends on to where the standard begins",
    "set_language": "the language that one reads in",
    "sign_in_link": "comes with the secret of the link, which works once",
    "theme": "how pages look",
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
    "account_confirm_login_code": "whoever is signed in already is sent on",
    "account_email": "addresses of one's own",
    "account_change_password": "a password of one's own",
    "account_set_password": "a password of one's own",
    "api:close-account": "closes one's own account",
    "api:community-runs": "a run of one's own over figures that everybody may see",
    "api:district-offers": "whoever has an account may say what is wrong in the city",
    "api:district-sandboxes": "a sandbox of one's own",
    "api:district-traffic": "a run of one's own",
    "api:lab_drafts": "begins a draft of a lab of one's own",
    "api:own-data": "a file of one's own data",
    "mfa_authenticate": "whoever is signed in already is sent on",
    "mfa_login_webauthn": "whoever is signed in already is sent on",
    "mfa_activate_totp": "a second factor of one's own",
    "mfa_add_webauthn": "a passkey of one's own",
    "mfa_generate_recovery_codes": "codes of one's own",
    "rooms:close_account": "closes one's own account",
    "rooms:community_simulate": "a run of one's own over figures that everybody may see",
    "rooms:district-sandboxes": "a sandbox of one's own",
    "rooms:district-traffic": "a run of one's own",
    "rooms:end_other_sessions": "browsers of one's own",
    "rooms:first_hour": "one's own first hour",
    "rooms:lab_new": "begins a draft of a lab of one's own",
    "rooms:lesson": "one's own answers",
    "rooms:new_organisation": "founds an organisation, which is then theirs",
    "rooms:new_token": "a token of one's own",
    "rooms:own_data": "a file of one's own data",
    "rooms:profile": "one's own name and neighbourhood",
    "rooms:scenario_say": "whoever has an account may say something",
    "rooms:twin-add": "whoever has an account may say what is missing in the city",
    "rooms:twin-correct": "whoever has an account may say what is wrong in the city",
    "usersessions_list": "browsers of one's own",
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
    "api": "sends on to the documentation",
    "docs": "a page that shows the document of the API",
    "sensorthings": "sends on to where the standard begins",
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
        "session", "badge.key", "scenario", "scenario.comment", "ogc.job",
    }
)  # fmt: skip

#: Unsafe requests that let somebody in and yet write no row, as a regular expression over rows (`name [variant]`).
WRITES_NOTHING: dict[str, str] = {
    r"admin:.*": "Django's own forms, sent empty: who comes to them is what the row says",
    r"(account|mfa)_.*|usersessions_list": "allauth's own forms, sent empty: who comes to them is what the row says",
    r"api|sensorthings": "sends on to another address",
    r"api:telemetry|api:device_jobs": "kept by statements past this watch; tests/devices reads what is kept",
    r"set_language|theme": "a cookie of one's own browser",
    r"rooms:kiosk_touch": "somebody is still there",
    r"rooms:end_other_sessions": "nobody has another browser here",
    r"rooms:my_kiosk_pass \[remove\]": "takes a pass away that nobody here has",
    r"rooms:lab_join \[(leave|withdraw)\]": "most have not joined and have not asked",
    r"rooms:teaching \[sign\]": "sends on to the page on which it is signed",
    r"rooms:district-map": "a small district has no files that could be made anew",
    r"rooms:meter_file \[keep\]": "shows the form that asks what the columns mean",
    r"rooms:lab_rules \[try\]|api:lab_rules_preview": "says what a rule would mean",
}

#: Unsafe requests that nobody is let in with, as a regular expression over rows (`name [variant]`).
NOBODY: dict[str, str] = {
    r"(account|mfa)_.*|usersessions_list": "allauth's own forms want a password or a key; see tests/people",
    r"admin:.*": "Django's own forms, sent empty, of things that are not there",
    r"api:community-grid-(runs|places)|rooms:community_grid_(check|connect)": "no grid is known here; see tests/energy",
    r"rooms:decision_delegate": "a lab's charter lets nobody vote for another; tests/decisions has one that does",
    r"api:decision_(token|ballot)": "no vote here is secret; tests/decisions votes so",
    r"api:community-files": "a file of many meters names them in its own columns; tests/energy reads such files",
    r"rooms:simulation_again": "nothing was simulated yet; tests/energy does it again",
    r"rooms:participant \[device\]": "connects a device of one's own; tests/energy has one",
}

#: What the issue of access is about, and the routes that are of it, as a regular expression over names.
KINDS: dict[str, str] = {
    "git smart HTTP": r"git-.*",
    "Git LFS": r"lfs-.*",
    "raw files": r"design-raw|.*_file|.*-file",
    "previews": r"design-(preview|made|layer|board|compared)|.*-?picture|.*_photo|district-plan|rooms:district-plan",
    "archives": r"design-(release-)?archive|rooms:design_release_pack",
    "feeds": r".*feed.*|.*calendar.*",
    "exports": r".*(csv|export|entries|okh|okw|interfacer|own.data|catalogue?|dataset|receipt|scenario_files).*",
    "event streams": r"stream:.*",
    "pages": r"rooms:.*|home|place|search",
    "API": r"api:.*|ogc-.*|sensorthings.*",
}
