"""Who gets in where: each route, for everybody. The answers that are right stand in `tables/`.

The ordinary suite asks each row as the least that is let in, as one just outside, and where tokens are read with a dead
one; `make drills` asks as everybody. Designs, notices and reports have a matrix of their own, in five states of a
design (`tests/designs/test_authz_matrix.py`): every route stands in exactly one of the two.
`WRITE_ACCESS_TABLES=room:regex` (`make access-tables ASKED=…`) writes what is heard now for a person to read and judge.
"""

import os
import re
import statistics
from collections import defaultdict
from collections.abc import Iterator

import pytest
from django.contrib.auth.models import AnonymousUser
from django.http import HttpRequest
from rest_framework.permissions import AllowAny
from rest_framework.response import Response
from rest_framework.test import APIRequestFactory, force_authenticate
from rest_framework.views import APIView

from commons.people.models import User
from tests.authz import doors, tables
from tests.authz.asking import Heard, ask, words
from tests.authz.requests import Ask, asks, object_of, parameters
from tests.authz.roles import BY_TOKEN, DEAD, ORDER
from tests.authz.routes import Route, all_routes, class_of
from tests.authz.world import World
from tests.designs.test_authz_matrix import EXPECTED
from tests.figures_said import figure

pytestmark = pytest.mark.django_db

ADD = "write its rows with `make access-tables ASKED='{room}:{name}'`, and read them before you commit (docs/access.md)"


#: Routes that the drills ask, as a regular expression over names, for a machine that has no hours in one piece.
PART = re.compile(os.environ.get("ACCESS_ONLY", ""))


def in_part(name: str) -> bool:
    """Whether the drills ask the route this time."""
    return bool(PART.search(name))


def everything() -> Iterator[tuple[Route, str, Ask]]:
    """Every way of asking every route that has rows here."""
    for route in all_routes().values():
        if route.name in EXPECTED:
            continue
        for method in route.methods:
            for said in asks(route, method):
                yield route, method, said


def key_of(route: Route, method: str, said: Ask) -> tables.Key:
    return route.name, method, said.variant


def heard_by(world: World, route: Route, method: str, said: Ask, role: str) -> Heard:
    """What a role hears; repositories are mended where something was done to them."""
    heard = ask(world, route, method, said, role)
    if method != "GET" and heard.let_in and route.room == "designs" and world.designs is not None:
        world.designs.mend()
    return heard


# --- the tables are whole -----------------------------------------------------------------------------------------


def test_every_route_has_its_rows() -> None:
    rows = tables.read()
    wanted = {key_of(*each): each[0] for each in everything()}
    lacking = [
        f"{method} {wanted[name, method, variant].path} ({name}{f' [{variant}]' if variant else ''}) has no row: "
        + ADD.format(room=wanted[name, method, variant].room, name=name)
        for name, method, variant in sorted(set(wanted) - set(rows))
    ]
    assert not lacking, "\n".join(lacking)
    assert set(rows) <= set(wanted), f"these are no routes any more; take the rows away: {set(rows) - set(wanted)}"
    moved = [
        f"{name}: {row.path} is {wanted[row.key].path} now"
        for (name, *_), row in rows.items()
        if row.path != wanted[row.key].path
    ]
    assert not moved, "\n".join(moved)


def test_every_route_of_the_site_is_in_exactly_one_of_the_two() -> None:
    """A table, or the matrix of designs, which names the methods of its routes itself; no list exempts any."""
    routes = all_routes()
    rows = {(name, method) for name, method, _variant in tables.read()}
    matrix = {(name, method) for name, methods in EXPECTED.items() for method in methods}
    here, there = {name for name, _method in rows}, {name for name, _method in matrix}
    assert here | there == set(routes), (here | there) ^ set(routes)
    assert not here & there, here & there
    asked = matrix | {
        (route.name, method) for route in routes.values() if route.name not in EXPECTED for method in route.methods
    }
    assert not asked - rows - matrix, f"no expected answer: {sorted(asked - rows - matrix)}"
    figure("authz_routes", 100 * len(asked & (rows | matrix)) / len(asked), f"% of {len(asked)}")
    for kind, pattern in doors.KINDS.items():
        names = {name for name in routes if re.fullmatch(pattern, name)}
        assert names, kind
        figures(**{f"authz_{re.sub('[^a-z]+', '_', kind.lower())}": f"{len(names)} routes"})


def figures(**those: str) -> None:
    """Say several figures."""
    for name, value in those.items():
        figure(name, value)


def test_a_line_says_who_hears_what() -> None:
    text = "POST   /a/<int:pk>/  rooms:a [do it] -> 200: manager superuser; 403: stranger; login: rest"
    row = tables.read_line(text)
    assert row.key == ("rooms:a", "POST", "do it")
    assert (row.answers["manager"], row.answers["stranger"], row.answers["anonymous"]) == ("200", "403", "login")
    assert tables.read_line(row.written()) == row
    for wrong in (text.replace("manager", "nobody"), text.replace("; login: rest", ""), "GET /a/ b"):
        with pytest.raises(ValueError, match=r"no role|no rest|no row"):
            tables.read_line(wrong)


# --- what is heard ------------------------------------------------------------------------------------------------


def border(row: tables.Row) -> list[str]:
    """The weakest that is let in; of those that are not, the strongest below it, else of all; and a dead token. Of the
    many pages of the administration only the strongest that is kept out.
    """
    dead = ["expired"] if row.path.startswith("/api/") else []
    inside = [role for role in ORDER if row.answers[role][0] in "23"]
    outside = [role for role in ORDER if role not in inside]
    if row.name.startswith("admin:") and outside:
        return outside[-1:]
    if not inside:
        return [ORDER[-1], *dead]
    below = [role for role in outside if ORDER.index(role) < ORDER.index(inside[0])]
    return [inside[0], *(below or outside)[-1:], *dead]


def compare(world: World, roles_of: "dict[tables.Key, list[str]]") -> list[str]:
    """What is otherwise than the tables say."""
    rows, found, asked = tables.read(), [], 0
    for route, method, ask_ in everything():
        row = rows.get(key_of(route, method, ask_))
        for role in roles_of.get(row.key, []) if row else []:
            assert row is not None
            asked += 1
            heard = heard_by(world, route, method, ask_, role)
            if heard.status != row.answers[role]:
                found.append(f"{row.key} as {role}: {heard.status}, the table says {row.answers[role]}")
            if heard.let_in and method != "GET" and not heard.wrote and not named(row, doors.WRITES_NOTHING):
                found.append(f"{row.key} as {role}: let in with {heard.status}, and wrote nothing: a better body")
            if heard.status[0] in "45l" and (touched := heard.wrote - MAY_BE_WRITTEN) and method != "GET":
                found.append(f"{row.key} as {role}: refused with {heard.status}, and wrote {sorted(touched)}")
    figure("authz_unlike", f"+{len(found)}", "answers")
    figure("authz_heard", f"+{asked}", "answers")
    return found


def named(row: tables.Row, those: dict[str, str]) -> bool:
    """Whether one of those regular expressions names the row."""
    words = f"{row.name} [{row.variant}]" if row.variant else row.name
    return any(re.fullmatch(pattern, words) for pattern in those)


#: What an answer that refuses may write: who was here, how often, and a file of readings that could not be read, which
#: is kept with what is wrong with it.
MAY_BE_WRITTEN = frozenset(
    {"django_session", "usersessions_usersession", "axes_accessattempt", "people_apitoken", "energy_meterfile"}
)


def test_the_borders_are_where_the_tables_say(world: World) -> None:
    found = compare(world, {key: border(row) for key, row in tables.read().items()})
    assert not found, f"{len(found)} answers:\n" + "\n".join(found)


@pytest.mark.drill
def test_everybody_hears_what_the_tables_say(world: World) -> None:
    found = compare(world, {key: list(ORDER) for key, row in tables.read().items() if in_part(row.name)})
    assert not found, f"{len(found)} answers:\n" + "\n".join(found)


# --- rules besides the tables --------------------------------------------------------------------------------------


def let_in(row: tables.Row, role: str) -> bool:
    return row.answers[role][0] in "23"


def unsafe() -> list[tables.Row]:
    return [row for row in tables.read().values() if row.method != "GET"]


def test_nobody_without_an_account_changes_anything_but_what_is_named() -> None:
    found = {row.name for row in unsafe() if let_in(row, "anonymous")}
    assert found == set(doors.ANYBODY), "name it with its reason in doors.ANYBODY, or shut it"


def test_a_stranger_changes_nothing_of_others_but_what_is_named() -> None:
    found = {row.name for row in unsafe() if let_in(row, "stranger")} - set(doors.ANYBODY)
    assert found == set(doors.SIGNED_IN), "name it with its reason in doors.SIGNED_IN, or shut it"


def test_every_unsafe_row_lets_somebody_in() -> None:
    """A row that refuses everybody proves nothing of who may: it has a better body, or its reason in doors.NOBODY."""
    idle = [row for row in unsafe() if not any(let_in(row, role) for role in ORDER)]
    nameless = [f"{row.method} {row.name} [{row.variant}]" for row in idle if not named(row, doors.NOBODY)]
    figures(authz_unsafe=f"{len(unsafe())} rows", authz_unproven=f"{len(idle)} rows")
    assert not nameless, nameless


def test_dead_credentials_are_never_taken() -> None:
    """A token that ran out or was taken back, and a device that was let out, hear 401 wherever tokens are read."""
    routes = all_routes()
    found = [
        f"{row.key}: {role} hears {row.answers[role]}"
        for row in tables.read().values()
        for role in DEAD
        if (routes[row.name].by_api or routes[row.name].by_git)
        and row.answers[role] != "401"
        and row.name not in doors.READ_NO_TOKENS
    ]
    assert not found, "\n".join(found)


def test_a_view_that_names_no_policy_lets_nobody_in() -> None:
    class Forgotten(APIView):
        """A view whose author has not said who may call it."""

        def get(self, request: HttpRequest) -> Response:
            return Response({})

    for user in (AnonymousUser(), User(username="root", is_staff=True, is_superuser=True)):
        request = APIRequestFactory().get("/")
        force_authenticate(request, user=user)
        assert Forgotten.as_view()(request).status_code in {401, 403}


def test_every_view_of_the_api_names_its_policy() -> None:
    silent = []
    for route in all_routes().values():
        cls = class_of(route.view)
        if cls is None or not issubclass(cls, APIView):
            continue
        ours = [base.__dict__ for base in cls.__mro__ if not base.__module__.startswith("rest_framework")]
        own = next((said["permission_classes"] for said in ours if "permission_classes" in said), None)
        if not own or (AllowAny in own and route.name not in doors.ALLOW_ANY):
            silent.append(f"{route.name} ({cls.__module__}.{cls.__name__})")
    assert not silent, f"say `permission_classes = requires(…)`: {silent}"


def hidden(route: Route, said: Ask) -> str:
    """The last parameter that names an object which not everybody may know of; empty where there is none."""
    for kind, name in reversed(parameters(route)):
        named = object_of(route, said, kind, name)
        if named and not named.startswith("="):
            return "" if named in doors.KNOWN_TO_ALL else name
    return ""


def test_what_is_not_theirs_is_as_if_it_were_not_there(world: World) -> None:
    """The same status, headers and words, whether it is somebody else's or nothing at all."""
    found, asked = [], 0
    for row, route, said, name in of_others():
        asked += 1
        there, nothing = (words(ask(world, route, row.method, said, "stranger", missing=m)) for m in ("", name))
        if there != nothing:
            found.append(f"{row.key}: {there[:2]} for somebody else's, {nothing[:2]} for nothing")
    figure("authz_private_unlike", len(found), f"of {asked} rows")
    assert asked > 60, asked
    assert not found, "\n".join(found)


def of_others() -> Iterator[tuple[tables.Row, Route, Ask, str]]:
    """Rows that a stranger is not let in by, with the parameter of what is not theirs."""
    rows = tables.read()
    for route, method, said in everything():
        row, name = rows.get(key_of(route, method, said)), hidden(route, said)
        if row is not None and name and route.room != "streams" and not let_in(row, "stranger"):
            yield row, route, said, name


ODD = ("GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS", "TRACE", "PROPFIND")


@pytest.mark.drill
def test_odd_methods_change_nothing(world: World) -> None:
    """A method that no row names writes nothing, for nobody, and breaks nothing."""
    rows, found, asked = tables.read(), [], 0
    for route in all_routes().values():
        if route.room == "streams" or not in_part(route.name):
            continue
        for method in sorted(set(ODD) - set(route.methods)):
            for role in ("anonymous", "stranger", "superuser"):
                asked += 1
                heard = ask(world, route, method, Ask(), role)
                touched = heard.wrote - MAY_BE_WRITTEN
                same = rows.get((route.name, "GET", "")) if method == "HEAD" else None
                known = same.answers[role] if same else "501"
                fine = heard.status in {known, "login"} or heard.status < "500"
                if not fine or (touched and not (method == "HEAD" and "GET" in route.methods)):
                    found.append(f"{method} {route.path} as {role}: {heard.status}, wrote {sorted(touched)}")
    figure("authz_odd_methods", f"+{asked}", "asked")
    figure("authz_odd_methods_done", f"+{len(found)}", "answers")
    assert not found, "\n".join(found)


#: How often each is asked: to tell what is theirs, to look for a difference, and to be sure of one.
FEW_TIMES, TIMES, MANY_TIMES = 20, 60, 200
#: How unlike the medians may be: a fifth, or three times what two answers to nothing at all differ by.
FIFTH, NOISE = 0.2, 3.0


def clocked(world: World, route: Route, said: Ask, role: str, missing: str, times: int) -> tuple[float, float, float]:
    """The median seconds of answers to GET: to the role, to a stranger who asks for nothing, and to that one again.

    The three are asked in turn and each begins as often as the others, so that what else the machine does, and what
    an answer leaves behind for the next, falls on all alike.
    """
    ways = [(role, ""), ("stranger", missing), ("stranger", missing)]
    took: list[list[float]] = [[] for _way in ways]
    for n in range(times):
        for at in (n % 3, (n + 1) % 3, (n + 2) % 3):
            who, what = ways[at]
            took[at].append(ask(world, route, "GET", said, who, missing=what).took)
    one, other, control = map(statistics.median, took)
    return one, other, control


def unlike(one: float, other: float, control: float) -> bool:
    """Whether a clock tells the two apart; `control` is another measurement of the other."""
    return abs(one - other) > max(FIFTH * min(one, other), NOISE * abs(other - control))


def read_by_others() -> Iterator[tuple[Route, Ask, str, str]]:
    """What a stranger may not read, the private design too: the parameter that names it, and somebody who may."""
    for row, route, said, name in of_others():
        if row.method == "GET" and in_part(row.name):
            yield route, said, name, next((role for role in ORDER if let_in(row, role)), "")
    for route in all_routes().values():
        said = asks(route, "GET")[0]
        of_it = any(object_of(route, said, kind, name) == "design slug" for kind, name in parameters(route))
        if route.name in EXPECTED and "GET" in route.methods and of_it and in_part(route.name):
            yield route, said, "slug", "owner"


@pytest.mark.drill
def test_what_is_not_theirs_takes_as_long_as_what_is_not_there(world: World) -> None:
    """The medians of sixty answers, and where they differ of two hundred more. The same clock does tell what is theirs
    from what is not there.
    """
    found, asked, told = [], 0, 0
    for route, said, name, insider in read_by_others():
        asked += 1
        took = clocked(world, route, said, "stranger", name, TIMES)
        if unlike(*took) and unlike(*(took := clocked(world, route, said, "stranger", name, MANY_TIMES))):
            there, nothing, _again = (1000 * each for each in took)
            found.append(f"{route.name} [{said.variant}]: {there:.2f} ms for others', {nothing:.2f} ms for nothing")
        if insider:
            told += unlike(*clocked(world, route, said, insider, name, FEW_TIMES))
    figure("authz_timing_told", f"+{len(found)}", "rows")
    figure("authz_timing_asked", f"+{asked}", f"rows; {told} insiders told apart")
    assert told > asked // 2, f"this clock tells too little apart: {told} of {asked}"
    assert not found, "\n".join(found)


#: Who has a tie to the things of a room; the others are taken for strangers while a table is written. `make drills`
#: asks as everybody, and so finds where that was wrong.
TIES = {
    "people": set(ORDER),
    "runs": set(ORDER),
    "owndata": set(ORDER),
    "decisions": set(ORDER),
    "labs": {"kiosk", "customer", "fellow", "trainer", "manager", "owner", "steward"},
    "designs": {"reader", "fellow", "maintainer", "manager", "owner"},
    "energy": {"viewer", "other-household", "household", "steward"},
    "twin": {"city-steward", "owner", "narrow", "reading", "device"},
    "streams": set(ORDER),
}
#: Rooms whose pages are the same for all who are signed in and are no staff.
FEW = {"account", "administration"}
GROUND = {"owner", "manager", "fellow", "city-steward", "customer"}
ALWAYS = {"anonymous", "expired", "device-revoked", "stranger", "neighbour", "staff", "superuser"}


def taken_for(route: Route, role: str) -> str:
    """The role whose answer is also that of this one: on pages a token is not looked at, and most are strangers."""
    if route.room in FEW and not route.by_api:
        nobody = role in BY_TOKEN or role in {"anonymous", "kiosk"}
        return "anonymous" if nobody else role if role in {"staff", "superuser"} else "stranger"
    if role in BY_TOKEN and not (route.by_api or route.by_git or route.room in {"designs", "streams"}):
        return "anonymous"
    if role == "revoked":
        return "expired"
    if role in BY_TOKEN or role in ALWAYS | TIES.get(route.room, GROUND):
        return role
    return "anonymous" if role == "kiosk" else "stranger"


def answers_of(world: World, route: Route, method: str, said: Ask) -> dict[str, str]:
    """What everybody hears."""
    heard: dict[str, str] = {}
    for role in ORDER:
        same = taken_for(route, role)
        if same not in heard:
            heard[same] = heard_by(world, route, method, said, same).status
    return {role: heard[taken_for(route, role)] for role in ORDER}


if "WRITE_ACCESS_TABLES" in os.environ:

    def test_write_the_tables(world: World) -> None:
        """Rows that were asked for are written as they are heard; rows of routes that are gone fall away."""
        wanted = [one.partition(":")[::2] for one in os.environ["WRITE_ACCESS_TABLES"].split()]
        before = tables.read()
        by_room: dict[str, list[tuple[Route, str, Ask]]] = defaultdict(list)
        for route, method, said in everything():
            by_room[route.room].append((route, method, said))
        for name, ways in sorted(by_room.items(), key=lambda room: (room[0] in FEW, room[0])):
            patterns = [pattern or ".*" for room, pattern in wanted if re.fullmatch(room or ".*", name)]
            if not patterns:
                continue
            rows = []
            for route, method, said in ways:
                if any(re.fullmatch(pattern, route.name) for pattern in patterns):
                    answers = answers_of(world, route, method, said)
                    rows.append(tables.Row(method, route.path, route.name, said.variant, answers))
                elif (key := key_of(route, method, said)) in before:
                    rows.append(before[key])
            tables.write(name, rows)
