"""Good requests of the rooms, so that a refusal is a refusal of the person and not of the request.

`{name}` is put in from the world (`tests/authz/world.py`). A key ends with the variant's name where one address does
several things.
"""

import datetime as dt
import json
from typing import Any

from django.core.files.uploadedfile import SimpleUploadedFile
from django.utils import timezone

from tests.labs.conftest import tomorrow
from tests.twin.conftest import small_town
from twin.forms_traffic import TrafficForm

Body = Any
#: Route, method: variant: (body, objects of the address that are others than usual).
BODIES: dict[tuple[str, str], dict[str, Body]] = {}


def upload(name: str, body: bytes) -> SimpleUploadedFile:
    """A file of a form; made anew for each request, since a request reads it."""
    return SimpleUploadedFile(name, body)


def post(name: str, *bodies: Body, method: str = "POST") -> None:
    """The good bodies of a route; of several each is named by what it does."""
    if len(bodies) == 1:
        BODIES[name, method] = {"": bodies[0]}
    else:
        BODIES[name, method] = {str(body.get("do") or body.get("answer") or next(iter(body))): body for body in bodies}


def when(hour: int, day: int = 1) -> str:
    """A time of the day after tomorrow and later, as the API takes it."""
    return (tomorrow(hour) + dt.timedelta(days=day)).isoformat()


def on(day: int = 2) -> str:
    """A day to come."""
    return tomorrow(12, hours=24 * day).date().isoformat()


# --- labs: bookings -----------------------------------------------------------------------------------------------

TIMES = {"start": when(10), "end": when(11)}
post("api:bookings", {"machine": "{machine.id}", **TIMES})
post("api:booking", {"start": when(12), "end": when(13)}, method="PATCH")
post("api:booking_decline", {"reason": "No"})
post("api:booking_excuse", {"reason": "Was ill"})
post("api:closures", {**TIMES, "reason": "Cleaning"})
post("api:waitlist", {"machine": "{machine.id}", "earliest": when(9), "latest": when(15), "minutes": 60})
post("api:calendars", {})
post("api:booking_commands", {"kind": "pause"})
post("api:flexible_bookings", {"machine": "{machine.id}", "hours": 1, "deadline": when(20, 3)})
post("rooms:book", {"start": when(14), "end": when(15)})
post("rooms:book_all", {"machine": "{machine.id}", "start": when(14), "end": when(15)})
post(
    "rooms:booking",
    {"do": "cancel", "scope": "one"},
    {"do": "approve"},
    {"do": "decline"},
    {"do": "excuse", "reason": "Ill"},
    {"do": "move", "start_day": on(), "start_at": "14:00", "end_day": on(), "end_at": "15:00"},
    {"do": "check-in"},
    {"do": "end"},
)
post("rooms:booking_command", {"do": "pause"}, {"do": "send", "file": "0" * 64})
post(
    "rooms:lab_bookings",
    {
        "do": "close",
        "machine": "{machine.id}",
        "kind": "maintenance",
        "start": f"{on()}T10:00",
        "end": f"{on()}T11:00",
    },
    {"do": "reopen", "machine": "{machine.id}"},
)
post("rooms:my_calendars", {"of": "me"}, {"do": "remove", "key": "{feed}"}, {"do": "renew", "key": "{feed}"})
post("rooms:book_flexible", {"hours": "1", "day": on(3), "at": "20:00"})

# --- labs: the floor ----------------------------------------------------------------------------------------------

post("api:machine_faults", {"what": "It smokes", "severity": "note"})
post("api:fault_close", {"status": "fixed", "remedy": "Oil"})
post("api:lab_log", {"kind": "note", "text": "Swept"})
post(
    "rooms:fault",
    {"do": "fix", "remedy": "Oil"},
    {"do": "dismiss", "remedy": "Nothing"},
    {"do": "down"},
    {"do": "keep", "keeper": "{the trainer}"},
    {"do": "expect", "until_day": on(), "until_at": "10:00"},
)
post("rooms:lab_faults", {"machine": "{machine.id}", "what": "It smokes", "severity": "note"})
post(
    "rooms:lab_log",
    {"do": "write", "kind": "note", "text": "Swept", "when": "2026-01-05T10:00"},
    {"do": "amend", "entry": "{log}", "text": "More"},
)
post("rooms:lab_labels", {"renew": "{machine.id}"})
post(
    "rooms:at_machine",
    {"do": "fault", "what": "It smokes", "severity": "note"},
    {"do": "check-in", "booking": "{booking}"},
    {"do": "end", "booking": "{booking}"},
)
post("rooms:kiosk_touch", {})
post(
    "rooms:lab_kiosk",
    {"do": "badge", "badge": "04A2B3C4"},
    {"do": "book", "machine": "{ender.id}", "minutes": "30"},
    {"do": "fault", "machine": "{machine.id}", "what": "It smokes", "severity": "note"},
    {"do": "out"},
)
post("rooms:kiosk_pin", {"name": "{the customer}", "pin": "739152"})
post("rooms:pair_kiosk", {"code": "{kiosk.code}"})
post("rooms:my_kiosk_pass", {"do": "pin", "pin": "739152"}, {"do": "badge", "badge": "04A2B3C4"}, {"do": "remove"})
post("api:machine_interlock", {"driver": "none"}, method="PUT")
post("api:machine_interlock_lock", {"reason": "Smoke"})
post("api:machine_mendings", {"person": "{the trainer}", "minutes": 30, "reason": "Belt"})
post(
    "rooms:lab_interlock",
    {"do": "set", "driver": "none", "hold_s": "180", "grace_s": "60"},
    {"do": "lock", "reason": "Smoke"},
    {"do": "free"},
    {"do": "remove"},
    {"do": "lend", "person": "{the trainer}", "minutes": "30", "reason": "Belt"},
    {"do": "take-back", "mending": "{mending}"},
    {"do": "ask"},
)
post("rooms:mending", {"do": "power"}, {"do": "end"})
post("api:lab_maintenance", {"machine": "{machine.id}", "name": "Oil", "every_days": 10})
post("api:lab_maintenance_plan", {"when_due": "close"}, method="PATCH")
post("api:lab_maintenance_done", {"note": "Done"})
post(
    "rooms:lab_maintenance",
    {"do": "plan", "machine": "{machine.id}", "name": "Oil", "every_days": "10", "when_due": "warn"},
    {"do": "done", "plan": "{plan}"},
    {"do": "end", "plan": "{plan}"},
    {"do": "close", "plan": "{plan}"},
)

# --- labs: the desk -----------------------------------------------------------------------------------------------

post(
    "rooms:lab_desk",
    {"do": "badge", "badge": "{badge.id}", "person": "{a stranger}"},
    {"do": "machine", "name": "Mill", "cls": "3d-printer", "required_badges": ["{badge.id}"]},
    {"do": "state", "machine": "{machine.id}", "state": "down"},
    {"do": "kiosk", "name": "Wall"},
    {"do": "end-kiosk", "kiosk": "{kiosk}"},
    {"do": "code", "machine": "{machine.id}"},
)
post(
    "rooms:lab_settings",
    {"do": "lab", "name": "Fablab", "access": "public", "status": "active"},
    {"do": "hours", "always": "on"},
    {"do": "exception", "first": on(), "last": on(), "note": "Closed"},
    {"do": "circuit", "name": "A", "limit_w": "2000"},
    {"do": "backer", "name": "The bank", "part": "partner"},
)
post(
    "rooms:lab_people",
    {"do": "accept", "joining": "{joining}"},
    {"do": "decline", "joining": "{joining}"},
    {"do": "invite", "person": "{a stranger}", "role": "member"},
    {"do": "role", "person": "{the trainer}", "role": "member"},
    {"do": "end", "person": "{the trainer}"},
)
post("rooms:lab_join", {"do": "ask", "note": "Please"}, {"do": "leave"}, {"do": "withdraw"})
post(
    "rooms:lab_consumables",
    {"do": "add", "name": "Screws", "unit": "pcs", "low": "0"},
    {"do": "used", "consumable": "{part}", "amount": "1"},
    {"do": "counted", "consumable": "{part}", "amount": "5"},
)
post(
    "rooms:machine_edit",
    {
        "do": "facts",
        "name": "Prusa",
        "cls": "3d-printer",
        "process": "fff",
        "buffer_before_min": "0",
        "buffer_after_min": "0",
        "longest_h": "24",
    },
    {"do": "manual", "title": "How", "url": "https://example.org/m"},
    {"do": "drop-photo", "number": "{photo.id}"},
    {"do": "drop-manual", "number": "{manual.id}"},
)
post("rooms:lab_okw", {"text": "{}"})
post("rooms:labs_import", {"text": "{}"})
post("rooms:lab_import", {"do": "confirm", "leave_out": "on"}, {"do": "again"}, {"do": "forget"})
post("api:lab_import_confirm", {"leave_out": True})
MEMBERS = b"id,name,email\n1,Bo,bo@example.org\n"
BODIES["rooms:lab_imports", "POST"] = {"": lambda: {"members": upload("members.csv", MEMBERS)}}
BODIES["api:lab_imports", "POST"] = {"": lambda: {"members": upload("members.csv", MEMBERS)}}
post("api:lab_rules", {"name": "longest_h", "value": "3"})
post("api:lab_rules_preview", {"name": "longest_h", "value": "3"})
post(
    "rooms:lab_rules",
    {"do": "try", "name": "longest_h", "value": "3"},
    {"do": "set", "name": "longest_h", "value": "3"},
    {"do": "end", "rule": "{rule}"},
)
post("api:lab_money", {"mode": "money"}, method="PATCH")
post("api:lab_money", {"per_hour": "3"})
post("api:lab_wallets", {"person": "{the customer}", "what": "top-up", "amount": "5"})
post("api:lab_invoices", {"person": "{the customer}"})
post(
    "rooms:lab_money",
    {"do": "till", "mode": "money", "currency": "EUR", "tax_pct": "24", "credit": "0", "no_show_fee": "0"},
    {
        "do": "tariff",
        "per_hour": "10",
        "per_booking": "0",
        "per_kwh": "0",
        "minimum": "0",
        "scope": "lab",
        "role": "everybody",
    },
    {"do": "post", "person": "{the customer}", "what": "top-up", "sum_": "30", "memo": "receipt 7"},
    {"do": "bill", "person": "{the customer}"},
    {"do": "end", "tariff": "{tariff}"},
)
post(
    "rooms:lab_trust",
    {"do": "scope", "scope": "own"},
    {"do": "rule", "giver": "{other lab.id}", "believes": "1"},
    {"do": "remove", "rule": "{trust.rule}"},
    {"do": "key"},
)
post(
    "rooms:lab_slicing",
    {"do": "files", "keep_days": "0"},
    {"do": "retire", "number": "{profile.id}"},
    {
        "do": "add",
        "number": "{machine.id}",
        "name": "Coarse",
        "settings": lambda: upload("a.ini", b"layer_height = 0.2\n"),
    },
)
post(
    "rooms:lab_meters",
    {"do": "forget", "device": "{plug}"},
    {"do": "drop", "number": "{meter.number}"},
    {"do": "tie", "device": "{meter.device}", "of": "machine:{ender.id}"},
    {"do": "add", "name": "Plug", "of": "agent"},
)
post("api:lab_meter", {"machine": "{machine.id}"}, method="PUT")

# --- labs: orders, jobs, learning ---------------------------------------------------------------------------------

ORDER = {"design": "{released.owner}/{released.slug}", "version": "1.0", "lab": "{lab}"}
post("api:orders", ORDER)
post("api:order_step", {"text": "Hello"})
BODIES["api:order_step", "POST"] = {
    "say": {"text": "Hello"},
    "accept": {},
    "withdraw": {},
    "decline": {},
    "queue": {},
    "quote": {"hours": "1", "price": "2", "currency": "EUR"},
}
post("rooms:order_new", {"lab": "{lab}", "version": "1.0", "quantity": "1"})
post(
    "rooms:order",
    {"do": "say", "text": "Hello"},
    {"do": "withdraw"},
    {"do": "decline"},
    {"do": "accept"},
    {"do": "quote", "hours": "1", "price": "2", "currency": "EUR"},
)
post("api:job_claim", {"design": "{released.owner}/{released.slug}"}, method="PUT")
post("rooms:job_say", {"design": "{released.owner}/{released.slug}"}, {"do": "withdraw"})
SENT = b"G28\n"
BODIES["rooms:job_send", "POST"] = {"": lambda: {"file": upload("clamp.gcode", SENT)}}
post("api:booking_slices", {"path": "body.stl"})
post("rooms:slice_start", {"file": "{sliced.file}"})
post("api:passport_entries", {"kind": "repaired", "performedAction": "Glued"})
post(
    "rooms:passport",
    {"do": "add", "kind": "repaired", "performedAction": "Glued"},
    {"do": "correct", "material": "PLA"},
)
post("api:lab_passports", {"productOverview": {"productName": {"type": "String", "value": "Clamp"}}})
post("rooms:lab_courses", {"design": "{course.owner}/{course.slug}"})
post(
    "rooms:teaching",
    {"do": "session", "day": on(), "begins": "10:00", "ends": "11:00", "places": "4", "trainer": "{the trainer.id}"},
    {"do": "sign", "person": "{the customer}"},
    {"do": "renew", "days": "30"},
    {"do": "keep"},
    {"do": "stop"},
)
post("rooms:sign", {"seen": ["0", "1"]})
post(
    "rooms:course_session",
    {"do": "join"},
    {"do": "leave"},
    {"do": "mark", "came": "{the customer.id}"},
    {"do": "cancel", "reason": "Ill"},
)
post("rooms:sign_off", {"do": "confirm"}, {"do": "withdraw"})
post("rooms:my_badges", {"document": "{}"})
post(
    "rooms:share_badge",
    {},
)
post("rooms:verify", {"document": "{}"})
post("api:verify_badge", {"credential": {"a": 1}})
post("api:device_jobs", lambda: {"seq": 90, "ts": timezone.now().isoformat(), "event": "started", "job": "j9"})
SLICED = b"G28\n; made in a test\n"
BODIES["api:device_job_file", "POST"] = {"": lambda: SLICED}
DRAFT = {"name": "Corner lab", "place": "kamppi", "machine": {"name": "Saw", "class": "3d-printer"}, "access": "public"}
post("api:lab_drafts", DRAFT)
post("api:lab_draft", {"about": "A corner"}, method="PATCH")
post("api:lab_draft_makers", {"person": "{a stranger}"})
post("rooms:lab_new", {"name": "Corner lab", "access": "public", "always": "on"})
post(
    "rooms:lab_draft",
    {"do": "save", "name": "Corner lab", "access": "public", "always": "on"},
    {"do": "share", "person": "{a stranger}"},
    {"do": "discard"},
    {"do": "publish"},
)
post("api:lab_ties", {"kind": "community", "target": "{street}"})
post("api:lab_tie_answer", {"answer": "confirm"}, {"answer": "decline"}, {"answer": "end"})
post(
    "rooms:lab_standing",
    {"do": "ask", "kind": "community", "target": "{street}"},
    {"do": "confirm", "tie": "{tie}"},
    {"do": "decline", "tie": "{tie}"},
    {"do": "end", "tie": "{tie}"},
)
BODIES["rooms:lesson", "POST"] = {"": "{lesson answers}"}
post("api:device_circuit", {"circuit": "A"}, method="PUT")

# --- energy -------------------------------------------------------------------------------------------------------

post("api:community-found", {"name": "New street", "place": "kamppi"})
post("rooms:energy_found", {"name": "New street", "place": "{place.id}", "kind": "local", "public": "on"})
post("api:community-join", {"code": "{invitation}", "name": "New home"})
post("rooms:energy_join", {"code": "{invitation}", "name": "New home"})
post("api:community-runs", {"control": "none"})
post("rooms:community_simulate", {"control": "none"})
post("api:community-grid-runs", {"control": "none"})
post("api:community-grid-places", [{"member": "h00", "node": "1"}], method="PUT")
BODIES["api:community-grid-places", "PUT"] = {"": [{"member": "h00", "node": "1"}]}
post("rooms:community_grid_check", {"control": "none"})
post("rooms:community_grid_connect", {"node-h00": "1"})
post("api:community-versions", {"start": "2026-06-01", "end": "2026-06-08"})
post("api:community-weather", {"url": "https://example.org/weather.json"}, method="PUT")
post("rooms:community_weather", {"url": "https://example.org/weather.json"})
post("api:community-invitations", {"name": "Bo"})
post(
    "rooms:community_participants",
    {"do": "invite", "i-name": "Bo", "i-kind": "home"},
    {"do": "enter", "e-name": "School", "e-kind": "public"},
    {"do": "print", "invitation": "{invitation.id}"},
    {"do": "take-back", "invitation": "{invitation.id}"},
    {"do": "version", "v-start": "2026-06-01", "v-last": "2026-06-08", "v-fill": "zero"},
)
post(
    "rooms:participant",
    {"do": "meter", "number": "XY12345", "direction": "use"},
    {"do": "asset", "kind": "solar", "kwp": "5"},
    {"do": "dwelling", "people": "2"},
    {"do": "allow", "person": "{a stranger}"},
    {"do": "disallow", "person": "{the viewer}"},
    {"do": "stewards", "see": "1"},
    {"do": "vouch", "number": "{meter}"},
    {"do": "leave", "on": on()},
    {"do": "device", "number": "{meter}", "device": "{device}"},
    {"do": "model"},
)
post("api:participant-leave", {"on": on()})
post("api:participant-meters", {"number": "XY12345", "direction": "use"})
post("api:meter-proof", {})
post("api:participant-assets", {"kind": "solar", "kwp": 5})
post("api:participant-tariffs", {"tariff": "City power", "since": on(40)})
post("rooms:participant_tariff", {"tariff": "{tariff of street}", "since": on(40)}, {"take-back": "{choice}"})
MAPPING = {
    "delimiter": ",", "decimal": ".", "header_line": 1, "time": 0, "clock": None, "time_format": "iso", "zone": "local",
    "is_end": False, "values": [{"column": 1, "direction": "use", "unit": "kWh", "counter": False}], "meter": None,
    "status": None, "not_measured": [], "left_out": False, "wraps_kwh": None,
}  # fmt: skip
CSV = b"time,kwh\n" + b"".join(b"2026-06-01T0%d:00Z,1\n" % hour for hour in range(10))
BODIES["api:community-files", "POST"] = {"": lambda: {"file": upload("m.csv", CSV), "mapping": json.dumps(MAPPING)}}
BODIES["api:participant-files", "POST"] = {"": lambda: {"file": upload("m.csv", CSV), "mapping": json.dumps(MAPPING)}}
BODIES["rooms:community_bring", "POST"] = {"": lambda: {"file": upload("m.csv", CSV)}}
BODIES["rooms:participant_bring", "POST"] = {"": lambda: {"file": upload("m.csv", CSV)}}
post("rooms:meter_file", {"do": "discard"}, {"do": "keep"})
TARIFF = {
    "name": "Other power",
    "currency": "EUR",
    "valid_from": on(60),
    "energy_price": "0.2",
    "grid_fee": "0.05",
    "levies": "0.02",
    "base_fee": "6",
    "tax_pct": "25.5",
    "feed_in_price": "0.08",
}
post("rooms:community_tariff_add", TARIFF)
post("rooms:community_rules_add", {"law": "at-local", "key": "dynamic", "price": "0.1", "valid_from": on(60)})
BODIES["rooms:community_prices_add", "POST"] = {
    "": lambda: {"name": "Spot", "currency": "EUR", "file": upload("p.csv", b"time,price\n2026-06-01T00:00Z,50\n")}
}
post("rooms:community_bills_make", {"month": "2026-06"})
post("rooms:community_worth_ask", {"who": "{participant}"})

# --- the city -----------------------------------------------------------------------------------------------------

BODIES["rooms:district-new", "POST"] = {
    "": lambda: {
        "slug": "village",
        "sources": upload("v.geojson", json.dumps({"type": "FeatureCollection", "features": small_town()}).encode()),
        "licence": "CC-BY-4.0",
        "attribution": "The village",
    }
}
MEASURES = [{"kind": "home_battery", "share_percent": 50}]
post("api:district-scenarios", {"title": "Other", "measures": MEASURES})
post("api:scenario", {"title": "Other"}, method="PATCH")
post("api:scenario-fork", {"title": "Mine"})
post("api:scenario-runs", {"depth": "quick"})
post("rooms:scenario_fork", {"title": "Mine"})
post("rooms:scenario_say", {"body": "Hm"})
post("rooms:scenario", {"do": "run", "depth": "quick"})
post("api:district-offers", {"layer": "buildings", "action": "change", "key": "tower", "changes": {"name": "T"}})
post("api:district-decision", {"do": "accept", "answer": ""}, {"do": "refuse", "answer": "No"}, {"do": "withdraw"})
post("rooms:twin-offer", {"do": "accept"}, {"do": "refuse", "answer": "No"}, {"do": "withdraw"})
post("rooms:twin-correct", {"name": "Tower"})
post("rooms:twin-undo", {"version": "1"})
post("api:district-undo", {"version": 1})
post("api:district-traffic", {"method": "equilibrium"})
post("api:district-sandboxes", {"title": "Mine"})
post("rooms:district-sandboxes", {"title": "Mine", "hours": "48"})
post("ogc-execution", {"inputs": {"district": "town", "measures": MEASURES}})

# --- the ground floor ---------------------------------------------------------------------------------------------

DECISION = {
    "body": "labs.lab:fablab",
    "title": "Tea for all",
    "text": "Green, and in the kitchen.",
    "method": "majority",
    "options": [{"title": "Tea"}],
}
post("api:decisions", DECISION)
post("api:decision_vote", {"choice": "1"})
post("api:decision_token", {"blinded": "AAAA"})
post("api:decision_ballot", {"token": "AAAA", "signature": "AAAA", "choice": "1"})
post("rooms:decision_vote", {"choice": "1"})
post("rooms:decision_stop", {"reason": "Against the charter"})
post("rooms:decision_delegate", {"to": "{the trainer}"})
post(
    "rooms:decision_new",
    {
        "kind": "labs.lab",
        "key": "fablab",
        "title": "Tea for all",
        "text": "Green, and in the kitchen.",
        "method": "majority",
        "option-1": "Tea",
    },
)
post("rooms:profile", {"name": "Somebody"})
post("rooms:new_token", {"name": "t", "scopes": "designs:read"})
post("rooms:new_organisation", {"handle": "newguild", "name": "Guild", "kind": "association"})
post("rooms:set_member", {"person": "{a stranger}", "role": "member"})
post("rooms:first_hour", {"path": "maker"})
post("api:device-enrol", {"code": "{enrolment.code}", "kind": "machine"})
READING = {"seq": 77, "ts": tomorrow(10, hours=-72).isoformat(), "channel": "power_w", "value": 5.0}
post("api:telemetry", lambda: {"readings": [READING]})
post("api:device-command", {"state": "done", "sentence": ""})
post("theme", {"theme": "dark"})
# --- people -------------------------------------------------------------------------------------------------------

post("rooms:remove_member", {})
post("set_language", {"language": "fi", "next": "/"})
post("rooms:close_account", {"name": "{me}", "sure": "on"})
post("api:close-account", {"name": "{me}"})
post("account_login", {"login": "of-household", "password": "wrong"})

# --- the city -----------------------------------------------------------------------------------------------------

post(
    "rooms:scenario_new",
    {"do": "run", "title": "Sun", "question": "", "m-0-kind": "home_battery", "m-0-share_percent": "50"},
)
post("rooms:scenario", {"do": "run", "m-0-kind": "home_battery", "m-0-share_percent": "60"}, {"do": "deepen"})
post("rooms:twin-add", {"kind": "pharmacy", "lat": "60.1652", "lon": "24.931", "reason": "It opened"})
post("rooms:twin-conflict", {"do": "keep"}, {"do": "take"})
post("api:district-conflict", {"do": "keep"}, {"do": "take"})
BODIES["rooms:district-traffic", "POST"] = {
    "": lambda: {
        name: field.initial
        for name, field in TrafficForm(assumptions={}).fields.items()
        if field.initial is not None
    }
}
