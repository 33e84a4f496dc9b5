"""What is asked of each route: the objects that its address names, and bodies that are good enough to be let in with.

A route whose parameters have no object here is asked for `nothing`, which nobody finds. To prove who may do something,
give it an object and a good body; `VARIANTS` asks one route more than once, for what one address does in several ways.
"""

import re
from dataclasses import dataclass, field
from typing import Any

from tests.authz.bodies import BODIES
from tests.authz.routes import Route
from tests.authz.world import World
from tests.designs.test_authz_matrix import EXPECTED, Call

MISSING: dict[str, Any] = {
    "uuid": "3b241101-e2bb-4255-8caf-4136c566a962", "int": 424242, "slug": "nothing", "str": "nothing",
    "path": "nothing.txt",
}  # fmt: skip
HEX = {"oid": "0" * 40, "blob": "0" * 40, "key": "0" * 64, "photo": "0" * 32 + "-large", "name": "0" * 32}

#: Room: parameter: the object of the world that it names. A name with `:` is that of one kind of parameter.
OBJECTS: dict[str, dict[str, str]] = {
    "designs": {
        name: f"design {name}"
        for name in (
            "owner", "slug", "number", "path", "version", "source", "make", "photo", "comment", "blob", "large", "lock",
            "base", "head", "old", "new", "ref",
        )
    } | {"oid": "design large", "ending": "=toml", "kind": "=png"},
    "people": {"name": "organisation", "person": "member", "pk": "token"},
    "places": {"slug": "place"},
    "dashboards": {"slug": "place", "tab": "=energy", "what": "=energy", "form": "=json"},
    "notices": {"pk": "notice"},
    "reports": {"pk": "case"},
    "runs": {"pk": "run"},
    "decisions": {"number": "motion", "kind": "body.kind", "key": "body.key"},
    "devices": {"command": "command"},
    "streams": {"uuid": "run"},
    "site": {"slug": "place", "form": "=json", "page": "=1", "kind": "=designs"},
    "activity": {"kind": "=place", "key": "place"},
    "labs": {
        "lab": "lab", "machine": "machine", "machine:int": "machine.id", "booking": "booking", "entry": "waiting",
        "fault": "fault", "code": "label", "pk": "import", "mending": "mending", "plan": "plan", "job": "job",
        "job:str": "job.name", "slice": "slice", "sha256": "profile", "owner": "course.owner", "slug": "course.slug",
        "lesson": "lesson", "teaching": "teaching", "person": "the customer", "session": "session", "badge": "badge",
        "sign_off": "sign_off", "credential": "credential", "key": "badge.key", "key:int": "list.key",
        "number": "invoice", "order": "order", "do": "=accept", "wallet": "wallet", "tariff": "tariff",
        "passport": "passport", "device": "device", "rule": "rule", "feed": "feed", "run": "run", "kind": "=people",
        "draft": "draft", "tie": "tie", "flexible": "flexible", "name": "photo",
    },
    "energy": {"slug": "street", "pk": "participant", "number": "bill", "kind": "=tariff"},
    "twin": {
        "slug": "district", "key": "building", "layer": "=buildings", "pk": "scenario", "number": "=1",
        "run_id": "import.run", "ending": "=csv", "name": "=town", "inputs_hash": "=" + "0" * 64,
    },
}  # fmt: skip

#: Routes, as a regular expression over the whole name, whose parameters are other objects than their room's.
OTHERWISE: tuple[tuple[str, dict[str, str]], ...] = (
    (r"rooms:machine_manual", {"number": "manual"}),
    (r"rooms:flexible_(keep|take_back)", {"booking": "flexible.booking"}),
    (r"rooms:(make|order_new)", {"owner": "released.owner", "slug": "released.slug"}),
    (r"status-list", {"number": "list.number"}),
    (r"rooms:community_(terms_back)", {"pk": "terms"}),
    (r"rooms:community_bills_check", {"number": "settlement"}),
    (r"rooms:(meter_letter)|api:meter-proof", {"number": "meter"}),
    (r"rooms:meter_file", {"pk": "meter.file"}),
    (r"rooms:simulation_again", {"number": "=1"}),
    (r"rooms:(twin-offer)|api:district-(offer|decision)", {"pk": "offer"}),
    (r"rooms:twin-conflict|api:district-conflict", {"pk": "conflict"}),
    (r"api:participant-tariff", {"number": "choice"}),
    (r"rooms:end_session", {"pk": "session row"}),
    (r"rooms:own_data_file|api:own-data-file", {"pk": "export"}),
    (r"sign_in_link", {"secret": "sign-in"}),
    (r"api_error", {"room": "=labs", "reason": "=overlap"}),
    (r"sitemap_file", {"kind": "=designs", "page": "=1"}),
    (r"rooms:person|api:person|rooms:set_member", {"name": "organisation"}),
    (r"rooms:district-sandbox.*|api:district-sandbox", {"pk": "sandbox"}),
    (r"rooms:scenario_unsay", {"number": "scenario.comment"}),
    (r"ogc-(process|execution)", {"name": "=run-scenario-deep"}),
    (r"ogc-(job|results)", {"name": "ogc.job"}),
    (r"api:lab_meter", {"device": "meter.device"}),
    (r"ogc-.*", {"name": "=town.buildings", "key": "building"}),
    (r"api:place-coverage", {"slug": "place"}),
    (r"stream:lab", {"key": "lab"}),
    (r"stream:machine", {"key": "machine.id"}),
    (r"stream:energy", {"key": "street"}),
    (r"stream:energymine", {"key": "own meters"}),
    (r"stream:district", {"key": "district"}),
    (r"stream:device", {"key": "device"}),
    (r"measure(_file)?", {"slug": "=coverage"}),
    (r"dataset", {"slug": "=designs", "form": "=csv"}),
    (r"data_catalogue", {"form": "=ttl"}),
    (r"admin:.*", {"object_id": "=1", "app_label": "=people"}),
)


@dataclass(frozen=True)
class Ask:
    """One way of asking a route: its name in the table, the body, the query, and other objects for the address."""

    variant: str = ""
    body: Any = None
    query: str = ""
    over: dict[str, str] = field(default_factory=dict)


def _of_designs() -> dict[tuple[str, str], list[Ask]]:
    """The good requests of the older matrix of designs, which has them for every route of the room, of notices and of
    reports."""
    found: dict[tuple[str, str], list[Ask]] = {}
    for name, methods in EXPECTED.items():
        for method, calls in methods.items():
            found[name, method] = [
                Ask(
                    _variant(call, number) if len(calls) > 1 else "",
                    _body(call.body),
                    _dollars(call.query),
                    _over(call),
                )
                for number, call in enumerate(calls, 1)
            ]
    return found


def _variant(call: Call, number: int) -> str:
    body = call.body if isinstance(call.body, dict) else {}
    over = {key: value[1:] for key, value in call.over if value.startswith("=")}
    said = body.get("do") or body.get("operation") or over.get("verb") or over.get("service") or over.get("kind")
    return str(said or next(iter(body), "") or over.get("ending") or number)


def _over(call: Call) -> dict[str, str]:
    return {name: said if said.startswith("=") else f"design {said}" for name, said in call.over}


def _dollars(text: str) -> str:
    return re.sub(r"\$(\w+)", r"{design \1}", text)


def _body(body: Any) -> Any:
    if isinstance(body, dict):
        return {key: _body(value) for key, value in body.items()}
    if isinstance(body, list):
        return [_body(value) for value in body]
    return _dollars(body) if isinstance(body, str) else body


VARIANTS: dict[tuple[str, str], list[Ask]] = _of_designs() | {
    key: [
        Ask(variant, body, over={"do": f"={variant}"} if key[0] == "api:order_step" else {})
        for variant, body in bodies.items()
    ]
    for key, bodies in BODIES.items()
}


def asks(route: Route, method: str) -> list[Ask]:
    """The ways in which a route is asked with a method."""
    return VARIANTS.get((route.name, method)) or [Ask()]


PARAMETER = re.compile(r"<(?:(\w+):)?(\w+)>")
GROUP = re.compile(r"\(\?P<(\w+)>((?:[^()]|\([^()]*\))*)\)")


def object_of(route: Route, ask: Ask, kind: str, name: str) -> str | None:
    """The object of the world that a parameter names; one that begins with `=` is the text itself."""
    special = next((more for pattern, more in OTHERWISE if re.fullmatch(pattern, route.name)), {})
    named = OBJECTS.get(route.room, {}) | special | ask.over
    return named.get(f"{name}:{kind}") or named.get(name)


def address(route: Route, ask: Ask, world: World, missing: str = "") -> str:
    """The address that is asked; the parameter `missing` is of nothing that there is."""

    def value(kind: str, name: str, inside: str = "") -> str:
        if name == missing:
            return str(MISSING.get(kind, HEX.get(name, "nothing")))
        said = object_of(route, ask, kind, name)
        if said is None:
            return str(MISSING[kind] if kind in MISSING and not inside else _fitting(name, inside))
        return said[1:] if said.startswith("=") else str(world.names[said])

    path = route.path
    if "(?P<" in path:
        path = GROUP.sub(lambda m: value("group", m[1], m[2]), path)
        path = re.sub(r"\\Z|[\^$]|\\", "", path)
    path = PARAMETER.sub(lambda m: value(m[1] or "str", m[2]), path)
    query = filled(ask.query, world)
    return path + (f"?{query}" if query else "")


def _fitting(name: str, inside: str) -> str:
    """A text that a group of a regular expression takes."""
    if "|" in inside and "[" not in inside:
        return inside.split("|", maxsplit=1)[0]
    if "40" in inside:
        return "0" * 40
    if "64" in inside:
        return "0" * 64
    return HEX.get(name, "1" if "0-9" in inside else "nothing")


def parameters(route: Route) -> list[tuple[str, str]]:
    """Kind and name of each parameter of an address, from the left."""
    return [(m[1] or "str", m[2]) for m in PARAMETER.finditer(GROUP.sub(lambda m: f"<str:{m[1]}>", route.path))]


def filled(body: Any, world: World) -> Any:
    """`{names}` of the world put into a body or a query, a mapping as it is; what is callable is called."""
    if callable(body):
        return filled(body(), world)
    if isinstance(body, dict):
        return {key: filled(value, world) for key, value in body.items()}
    if isinstance(body, list):
        return [filled(value, world) for value in body]
    if isinstance(body, str) and isinstance(whole := world.names.get(body.strip("{}")), dict):
        return whole
    if isinstance(body, str) and "{" in body:
        return re.sub(r"\{([^{}\"]+)\}", lambda m: str(world.names[m[1]]), body)
    return body


__all__ = ["Ask", "address", "asks", "filled", "parameters"]
