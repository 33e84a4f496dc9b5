"""Who gets in where: every route of designs, notices and reports, for everybody, in every state of a design.

`EXPECTED` says of each route and method who is let in. A route that it does not name fails the first test. Somebody who
may not see a design hears exactly what is said where there is none; a call that is refused writes nothing, in no table
and no repository; one that is let in does what it says, so that no refusal is a refusal of a bad request.
"""

import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.http import HttpResponse
from django.urls import URLPattern, reverse
from django.utils import timezone

from commons.notices import urls as notice_urls
from commons.reports import urls as report_urls
from commons.web.api import Throttle
from designs import urls
from designs.models import Design, Proposal
from tests.designs.authz_world import Thing, World, build, written

pytestmark = pytest.mark.django_db

METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")
STATES = ("public", "private", "archived", "hidden", "deleted")
PEOPLE = ("anonymous", "stranger", "reader", "member", "maintainer", "manager", "owner", "staff")
TOKENS = ("token-read", "token-other", "token-revoked", "token-expired")
PUSHERS, MANAGERS = {"owner", "manager", "maintainer"}, {"owner", "manager"}
#: Who sees a design in each state, beside the public that sees all others.
SEEN_BY = {
    "private": {"owner", "manager", "member", "maintainer", "reader", "staff"},
    "hidden": {"owner", "manager", "staff"},
    "deleted": set(),
}


def sees(role: str, state: str) -> bool:
    return state not in SEEN_BY or role in SEEN_BY[state]


# --- who may ------------------------------------------------------------------------------------------------------

Right = Callable[[str, str], bool]


def everybody(role: str, state: str) -> bool:
    """The route is about no design."""
    return True


def readers(role: str, state: str) -> bool:
    return sees(role, state)


def signed(role: str, state: str) -> bool:
    return role != "anonymous" and sees(role, state)


def talkers(role: str, state: str) -> bool:
    return signed(role, state) and state != "archived"


def pushers(role: str, state: str) -> bool:
    return role in PUSHERS and sees(role, state) and state != "archived"


def managers(role: str, state: str) -> bool:
    return role in MANAGERS and sees(role, state)


def unlockers(role: str, state: str) -> bool:
    """The owner's person holds the lock."""
    return role == "owner" and pushers(role, state)


def author(role: str, state: str) -> bool:
    """The maintainer wrote what there is to change."""
    return role == "maintainer" and talkers(role, state)


def writer(role: str, state: str) -> bool:
    """Whose words it is, also where nothing new may be said."""
    return role == "maintainer" and signed(role, state)


def writer_or_manager(role: str, state: str) -> bool:
    return role in {"maintainer", *MANAGERS} and signed(role, state)


def author_or_manager(role: str, state: str) -> bool:
    return role in {"maintainer", *MANAGERS} and talkers(role, state)


def collaborators(role: str, state: str) -> bool:
    return role in {"maintainer", "reader"} and sees(role, state)


def managers_or_reader(role: str, state: str) -> bool:
    """The reader ends their own role."""
    return role in {"reader", *MANAGERS} and sees(role, state)


def moderators(role: str, state: str) -> bool:
    return role == "staff"


def boss(role: str, state: str) -> bool:
    """Something that is the owner's own."""
    return role == "owner"


def bosses(role: str, state: str) -> bool:
    """Something of the organisation, whatever the state of the design."""
    return role in MANAGERS


def insiders(role: str, state: str) -> bool:
    """People who are signed in; about no design."""
    return role != "anonymous"


# --- what is asked ------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Call:
    """A call and who is let in. `changes` says that it writes rows when it is let in; `sure` that it must succeed."""

    who: Right
    body: Any = None
    query: str = ""
    changes: bool = True
    sure: bool = True
    over: tuple[tuple[str, Any], ...] = ()


def get(who: Right, query: str = "", **over: Any) -> list[Call]:
    return [Call(who, query=query, changes=False, over=tuple(over.items()))]


def do(who: Right, body: Any = None, **more: Any) -> list[Call]:
    over = more.pop("over", {})
    return [Call(who, body=body, over=tuple(over.items()), **more)]


def upload() -> SimpleUploadedFile:
    return SimpleUploadedFile("new.txt", b"new")


COMMENT, REMARK = {"pk": "comment"}, {"pk": "remark"}
LARGE_BODY = {"operation": "download", "objects": [{"oid": "$large", "size": 700}]}
NEW = "b9c6ee8a45d5a8e2f6d0d4a7a4a2a3d1f4b2c6e7a8b9c0d1e2f3a4b5c6d7e8f9"
SOURCE = {"relation": "adapted", "title": "A thing", "licence": "MIT", "url": "https://example.org/y"}
ABOUT = {"name": "Lamp", "summary": "s", "licence": "MIT", "visibility": "public", "default_branch": "main"}

EXPECTED: dict[str, dict[str, list[Call]]] = {
    # Pages.
    "rooms:designs": {"GET": get(everybody)},
    "rooms:design_new": {
        "GET": get(insiders),
        "POST": do(insiders, {"name": "Brand new", "licence": "MIT", "visibility": "public"}),
    },
    "rooms:okh_check": {"GET": get(everybody), "POST": do(everybody, {"text": "okhv: '1.0'"}, changes=False)},
    "rooms:design": {"GET": get(readers)},
    "rooms:design_file": {"GET": get(readers)},
    "rooms:design_changes": {"GET": get(readers)},
    "rooms:design_change_new": {
        "GET": get(talkers, "branch=larger"),
        "POST": do(talkers, {"branch": "larger", "target": "old", "title": "t"}, sure=False),
    },
    "rooms:design_change": {"GET": get(readers)},
    "rooms:design_change_merge": {"GET": get(signed), "POST": do(pushers, {"method": "merge", "message": "m"})},
    "rooms:design_change_edit": {
        "GET": get(author_or_manager),
        "POST": do(author_or_manager, {"title": "Other words", "body": "b"}),
    },
    "rooms:design_change_comment": {
        "GET": get(writer_or_manager, **REMARK), "POST": do(author, {"do": "edit", "body": "Other"}, over=REMARK),
    },
    "rooms:design_change_act": {
        "POST": [
            *do(talkers, {"body": "Said"}, over={"verb": "=say"}),
            *do(talkers, {"verdict": "remark", "body": "Judged"}, over={"verb": "=review"}, sure=False),
            *do(author_or_manager, {}, over={"verb": "=close"}),
            *do(pushers, {}, over={"verb": "=reopen"}, sure=False),
            *do(pushers, {}, over={"verb": "=update"}, sure=False),
            *do(pushers, {}, over={"verb": "=newest"}, sure=False),
            *do(pushers, {}, over={"verb": "=undo"}, sure=False),
            *do(pushers, {}, over={"verb": "=drop-branch"}, sure=False),
            *do(pushers, {}, over={"verb": "=bring-branch-back"}, sure=False),
        ],
    },
    "rooms:design_add": {
        "GET": get(talkers), "POST": do(talkers, lambda: {"files": upload(), "message": "m"}),
    },
    "rooms:design_write_new": {
        "GET": get(talkers), "POST": do(talkers, {"path": "n.txt", "text": "new", "message": "m"}),
    },
    "rooms:design_write": {
        "GET": get(talkers), "POST": do(talkers, {"path": "README.md", "text": "new", "message": "m", "seen": ""},
                                        sure=False),
    },
    "rooms:design_move": {"POST": do(pushers, {"to": "READTOO.md"})},
    "rooms:design_remove": {"GET": get(talkers), "POST": do(talkers, {"seen": ""}, sure=False)},
    "rooms:design_history": {"GET": get(readers)},
    "rooms:design_talk": {"GET": get(readers)},
    "rooms:design_say": {"POST": do(talkers, {"body": "Hello"})},
    "rooms:design_comment": {
        "POST": [
            *do(author, {"do": "edit", "body": "Other"}, over=COMMENT),
            *do(author_or_manager, {"do": "remove"}, over=COMMENT),
            *do(author_or_manager, {"do": "resolve"}, over=COMMENT),
        ],
    },
    "rooms:design_makes": {"GET": get(readers)},
    "rooms:design_make_add": {"POST": do(talkers, {"text": "I made it"})},
    "rooms:design_make_delete": {"POST": do(writer, {}, over={"pk": "make"}, sure=False)},
    "rooms:design_star": {"POST": do(signed, {"star": "1"})},
    "rooms:design_watch": {"POST": do(signed, {"level": "all"})},
    "rooms:design_collect": {"GET": get(signed), "POST": do(signed, {"collection": "$shelf"}, sure=False)},
    "rooms:design_settings": {
        "GET": get(managers),
        "POST": [
            *do(managers, {"do": "rename", "slug": "lamp-two"}),
            *do(managers, {"do": "delete", "typed": "lamp"}),
            *do(managers, {"do": "invite", "person": "the-stranger", "role": "maintainer"}),
            *do(managers, {"do": "dismiss", "person": "the-reader"}),
            *do(managers, {"do": "offer", "to": "the-neighbour"}),
            *do(managers, {"do": "archive"}, sure=False),
            *do(managers, {"do": "unarchive"}, sure=False),
            *do(managers, {"do": "rules", "merge_needs_approval": "1"}),
            *do(managers, {"do": "about", **ABOUT, "tags": "x"}),
            *do(managers, {"do": "withdraw"}, changes=False),
        ],
    },
    "rooms:design_leave": {"POST": do(collaborators, {})},
    "rooms:my_stars": {"GET": get(insiders)},
    "rooms:design_restore": {"POST": do(bosses, {}, over={"pk": "#deleted"})},
    "rooms:design_offer": {
        "POST": [
            *do(bosses, {"do": "take"}, over={"pk": "#offer"}),
            *do(bosses, {"do": "refuse"}, over={"pk": "#offer"}),
        ],
    },
    "rooms:collections": {"GET": get(everybody)},
    "rooms:collection_new": {
        "GET": get(insiders), "POST": do(insiders, {"name": "Mine", "visibility": "public"}),
    },
    "rooms:collection": {"GET": get(everybody, slug="#collection")},
    "rooms:collection_edit": {
        "GET": get(bosses, slug="#collection"),
        "POST": [
            *do(bosses, {"do": "words", "name": "N", "about": "", "visibility": "private"},
                over={"slug": "#collection"}),
            *do(bosses, {"do": "delete"}, over={"slug": "#collection"}),
        ],
    },
    "rooms:design_compare": {"GET": get(readers)},
    "rooms:design_bom": {"GET": get(readers)},
    "rooms:design_manifest": {"GET": get(readers)},
    "rooms:design_fork": {"GET": get(signed), "POST": do(signed, {"name": "Fork", "slug": "a-fork"}, sure=False)},
    "rooms:design_rights": {
        "GET": get(readers),
        "POST": do(pushers, {"relation": "adapted", "title": "T", "licence": "MIT", "url": "https://example.org/z"}),
    },
    "rooms:design_source_remove": {"POST": do(pushers, {}, over={"source": "source"})},
    "rooms:design_releases": {"GET": get(readers)},
    "rooms:design_release_new": {"GET": get(pushers), "POST": do(pushers, {"version": "2.0.0", "notes": "n"})},
    "rooms:design_release": {"GET": get(readers)},
    "rooms:design_release_pack": {"POST": do(pushers, {}, changes=False)},
    "rooms:design_forks": {"GET": get(readers)},
    # Notices and reports.
    "rooms:notices": {"GET": get(insiders)},
    "rooms:notices_read": {"POST": do(insiders, {}, changes=False)},
    "rooms:notice_settings": {"GET": get(insiders), "POST": do(insiders, {"when": "never"})},
    "rooms:notices_mail": {"POST": do(insiders, {"when": "never"})},
    "rooms:notice": {"GET": get(lambda role, state: role == "owner" and sees(role, state), pk="#notice")},
    "rooms:notices_unsubscribe": {"GET": get(lambda role, state: False, word="=nobody"),
                                  "POST": do(lambda role, state: False, {}, over={"word": "=nobody"})},
    "rooms:reports": {"GET": get(moderators)},
    "rooms:report_new": {
        "GET": get(signed, "kind=designs.design&key=$here"),
        "POST": do(signed, {"kind": "designs.design", "key": "$here", "reason": "spam", "words": ""}),
    },
    "rooms:report_counts": {"GET": get(everybody)},
    "rooms:report_case": {"GET": get(lambda role, state: role in {"staff", "owner"}, pk="#case")},
    "rooms:report_decide": {"POST": [
        *do(moderators, {"do": "hide", "words": "Because"}, over={"pk": "#case"}),
        *do(moderators, {"do": "dismiss", "words": "Because"}, over={"pk": "#case"}),
        *do(moderators, {"do": "warn", "words": "Because"}, over={"pk": "#case"}),
    ]},
    "rooms:report_appeal": {"POST": do(boss, {"words": "No"}, over={"pk": "#case"}, sure=False)},
    "rooms:my_reports": {"GET": get(insiders)},
    # The API.
    "api:designs": {"GET": get(everybody), "POST": do(insiders, {"name": "From outside", "licence": "MIT"})},
    "api:design": {
        "GET": get(readers), "PATCH": do(managers, {"summary": "Other"}), "DELETE": do(managers),
    },
    "api:design_files": {
        "GET": get(readers), "POST": do(pushers, lambda: {"files": upload(), "message": "m"}, sure=False),
    },
    "api:design_file": {"PUT": do(pushers, b"new readme", sure=False), "DELETE": do(pushers, sure=False)},
    "api:design_star": {"GET": get(readers), "PUT": do(signed), "DELETE": do(signed, sure=False)},
    "api:design_makes": {"GET": get(readers), "POST": do(talkers, {"text": "Made"})},
    "api:design_comments": {"GET": get(readers), "POST": do(talkers, {"body": "Said"})},
    "api:design_comment": {
        "PATCH": [
            *do(author, {"body": "Other"}, over=COMMENT), *do(author_or_manager, {"resolved": True}, over=COMMENT),
        ],
        "DELETE": do(author_or_manager, over=COMMENT),
    },
    "api:design_people": {
        "GET": get(managers), "POST": do(managers, {"person": "the-stranger", "role": "maintainer"}),
    },
    "api:design_person": {"DELETE": do(managers_or_reader, over={"name": "=the-reader"}, sure=False)},
    "api:collections": {"GET": get(everybody)},
    "api:design_diff": {"GET": get(readers, "base=$base&head=$head")},
    "api:design_bom": {"GET": get(readers)},
    "api:design_okh_toml": {"GET": get(readers)},
    "api:design_okh_yaml": {"GET": get(readers)},
    "api:design_fork": {"GET": get(readers), "POST": do(signed, {"slug": "a-fork"}, sure=False)},
    "api:design_lineage": {"GET": get(readers), "POST": do(pushers, SOURCE)},
    "api:design_source": {"DELETE": do(pushers, over={"source": "source"})},
    "api:design_releases": {"GET": get(readers), "POST": do(pushers, {"version": "2.0.0"})},
    "api:design_release": {"GET": get(readers)},
    "api:proposals": {
        "GET": get(readers),
        "POST": do(talkers, {"title": "t", "source_branch": "larger", "target_branch": "old"}, sure=False),
    },
    "api:proposal": {
        "GET": get(readers),
        "PATCH": [*do(author_or_manager, {"title": "Other"}), *do(author_or_manager, {"state": "closed"})],
    },
    "api:proposal-merge": {"POST": do(pushers, {})},
    # The change of the world is open, so that this answers 409 to who may push.
    "api:proposal-branch": {"DELETE": do(pushers, sure=False), "PUT": do(pushers, sure=False)},
    "api:proposal-comments": {"GET": get(readers), "POST": do(talkers, {"body": "Said"})},
    "api:proposal-reviews": {
        "GET": get(readers), "POST": do(talkers, {"verdict": "remark", "body": "Hm"}, sure=False),
    },
    # The design of the world follows nothing, so that these answer 404 to its owner too: who is let in is not proven.
    "api:design_import": {"POST": do(insiders, {}, sure=False)},
    "api:design_mirror": {
        "GET": do(managers, sure=False, changes=False), "PATCH": do(managers, {}, sure=False),
        "DELETE": do(managers, sure=False),
    },
    "api:design_mirror_fetch": {"POST": do(managers, {}, sure=False)},
    "api:provenance": {"GET": get(everybody, "blob=$blob")},
    "api:notices": {"GET": get(insiders), "POST": do(insiders, {}, changes=False)},
    "api:reports": {
        "GET": get(insiders), "POST": do(signed, {"kind": "designs.design", "key": "$here", "reason": "spam"}),
    },
    # git, large files, bytes.
    "git-info-refs": {
        "GET": [*get(readers, "service=git-upload-pack"), *get(pushers, "service=git-receive-pack")],
    },
    "git-rpc": {"POST": [
        *do(readers, b"0000", changes=False, over={"service": "=git-upload-pack"}),
        *do(pushers, b"0000", changes=False, over={"service": "=git-receive-pack"}),
    ]},
    "lfs-batch": {"POST": [
        *do(readers, LARGE_BODY, changes=False), *do(pushers, LARGE_BODY | {"operation": "upload"}, changes=False),
    ]},
    "lfs-verify": {"POST": do(pushers, {"oid": "$large", "size": 700}, changes=False)},
    "lfs-object": {"GET": get(readers, oid="large"), "PUT": do(pushers, b"$", over={"oid": f"={NEW}"}, sure=False)},
    "lfs-locks": {"GET": get(readers), "POST": do(pushers, {"path": "bom.csv"})},
    "lfs-locks-verify": {"POST": do(pushers, {}, changes=False)},
    "lfs-unlock": {"POST": [
        *do(unlockers, {}, over={"number": "lock"}),
        *do(managers, {"force": True}, over={"number": "lock"}, sure=False),
    ]},
    "design-board": {"GET": do(readers, changes=False, sure=False, over={"folder": "path", "kind": "=picture"})},
    "design-made": {
        "GET": do(readers, changes=False, sure=False, over={"oid": "blob", "key": "=" + "0" * 64, "kind": "=png"})
    },
    "design-layer": {
        "GET": do(readers, changes=False, sure=False, over={"oid": "blob", "number": "=1"})
    },
    "design-preview": {"GET": [*get(readers, oid="blob", kind="=png"), *get(readers, oid="blob", kind="=glb")]},
    "releases-feed": {"GET": get(everybody)},
    "design-releases-feed": {"GET": get(readers)},
    "design-release-archive": {"GET": get(readers)},
    "design-make-photo": {"GET": get(readers, pk="make")},
    "design-compared": {"GET": get(readers, kind="=after.png")},
    "design-bom-csv": {"GET": get(readers)},
    "design-okh": {"GET": [*get(readers, ending="=toml"), *get(readers, ending="=yml")]},
    "design-archive": {"GET": get(readers)},
    "design-raw": {"GET": get(readers)},
}  # fmt: skip


def routes() -> Iterator[tuple[str, URLPattern]]:
    """Every route of the modules, with the name that finds it."""
    for module in (urls, notice_urls, report_urls):
        for listed, space in (("urlpatterns", "rooms:"), ("api_urlpatterns", "api:"), ("bare_urlpatterns", "")):
            for pattern in getattr(module, listed, []):
                assert isinstance(pattern, URLPattern) and pattern.name, f"name {pattern} so that it can be tested"
                yield f"{space}{pattern.name}", pattern


ROUTES = dict(routes())


def test_every_route_is_listed() -> None:
    """A new route says here who may use it."""
    assert set(ROUTES) - set(EXPECTED) == set(), "say in EXPECTED who is let in"
    assert set(EXPECTED) - set(ROUTES) == set(), "these are no routes any more"
    assert len(ROUTES) == sum(1 for _route in routes()), "two routes have one name"


# --- asking -------------------------------------------------------------------------------------------------------


def surface(name: str) -> str:
    if name.startswith(("git-", "lfs-")):
        return "git"
    return "api" if name.startswith("api:") else "page" if name.startswith("rooms:") else "file"


def address(name: str, call: Call, thing: Thing, world: World, slug: str = "") -> str:
    """The address of a call; `over` gives parameters: =literal, #number of the world, or the thing's."""
    over, kwargs = dict(call.over), {}
    for parameter in ROUTES[name].pattern.converters or re.compile(str(ROUTES[name].pattern)).groupindex:
        said = over.get(parameter, parameter)
        if said.startswith("="):
            kwargs[parameter] = said[1:]
        else:
            kwargs[parameter] = world.numbers[said[1:]] if said.startswith("#") else thing.kwargs[said]
    if slug and "slug" in kwargs and over.get("slug") is None:
        kwargs["slug"] = slug
    query = filled(call.query, thing, world)
    return reverse(name, kwargs=kwargs) + (f"?{query}" if query else "")


def filled(body: Any, thing: Thing, world: World) -> Any:
    """$names in a body or query, put in."""
    if callable(body):
        return body()
    if isinstance(body, dict):
        return {key: filled(value, thing, world) for key, value in body.items()}
    if isinstance(body, list):
        return [filled(value, thing, world) for value in body]
    if isinstance(body, str) and "$" in body:
        values = {**thing.kwargs, "here": thing.design.pk, "shelf": 0}
        return re.sub(r"\$(\w+)", lambda m: str(values[m[1]]), body)
    return body


def ask(
    world: World, name: str, method: str, call: Call, url: str, role: str, *, thing: Thing | None = None
) -> HttpResponse:
    """Make the call as that role: by session on pages and the API, by token where git speaks, `token-…` by token."""
    where, headers = surface(name), {}
    client = world.clients["anonymous"]
    if role.startswith("token-") or (where == "git" and role in world.tokens):
        headers["Authorization"] = f"Bearer {world.tokens[role]}"
    elif role in world.clients:
        client = world.clients[role]
    body = filled(call.body, thing or world.here, world)
    more: dict[str, Any] = {}
    if isinstance(body, bytes):
        kind = f"application/x-{dict(call.over)['service'][1:]}-request" if name == "git-rpc" else "application/x-bytes"
        more = {"data": body, "content_type": kind}
    elif isinstance(body, dict) and where in {"api", "git"} and name != "api:design_files":
        more = {"data": json.dumps(body), "content_type": "application/json"}
    elif isinstance(body, dict):
        more = {"data": body}
    response = getattr(client, method.lower())(url, headers=headers, **more)
    if response.streaming:
        response._said = b"".join(response.streaming_content)
    else:
        response._said = response.content
    return response


def effective(role: str, name: str, method: str, call: Call) -> str:
    """Whom a role counts as: a token that may not, or that is not looked at there, is nobody."""
    if not role.startswith("token-"):
        return role
    reads = call.who is readers if surface(name) == "git" else method == "GET"
    return "owner" if role == "token-read" and surface(name) != "page" and reads else "anonymous"


TOKEN_WORDS = re.compile(rb'name="csrfmiddlewaretoken" value="[^"]*"|"X-CSRFToken": "[^"]*"| nonce="[^"]*"')


#: What an earlier call of the same session left to be told once.
TOASTS = re.compile(rb'<div class="toast [^"]*">.*?</button></div>', re.DOTALL)


def said(response: HttpResponse, *names: str) -> tuple[int, str, bytes]:
    """What an answer says, without the names that were asked and a form's token."""
    body: bytes = TOASTS.sub(b"", TOKEN_WORDS.sub(b"", response._said))  # type: ignore[attr-defined]
    body = b"".join(body.split())
    there = response.headers.get("Location", "")
    for one in names:
        body, there = body.replace(one.encode(), b"~"), there.replace(one, "~")
    return response.status_code, there, body


class Faults(list[str]):
    """What was found, all of it, so that one run tells everything."""

    def check(self, good: bool, words: str) -> None:
        if not good:
            self.append(words)


@pytest.fixture
def world(db: None, tmp_path: Path, settings: Any, monkeypatch: pytest.MonkeyPatch) -> World:
    settings.LFS_DIR = tmp_path / "lfs"
    monkeypatch.setattr(Throttle, "allow_request", lambda *_args: True)
    return build(tmp_path / "kept")


def put(world: World, state: str) -> None:
    """Bring the design into a state."""
    now = timezone.now()
    Design.objects.filter(pk=world.here.design.pk).update(
        visibility="private" if state == "private" else "public",
        archived_at=now if state == "archived" else None,
        hidden_at=now if state == "hidden" else None,
        hidden_reason="Because." if state == "hidden" else "",
        deleted_at=now if state == "deleted" else None,
    )


def calls() -> Iterator[tuple[str, str, Call]]:
    for name, methods in EXPECTED.items():
        for method, asked in methods.items():
            for call in asked:
                yield name, method, call


def asked_by(name: str, state: str) -> list[str]:
    """Everybody where most depends on who asks; in the other states one of each kind."""
    if state in {"public", "private"}:
        return [*PEOPLE, *(TOKENS if surface(name) != "page" else ())]
    return ["anonymous", "reader", "maintainer", "owner", "staff"]


def weakest(may: list[str], state: str) -> list[str]:
    """Whom to let in: the first that may; where only some see it, each kind of relation that lets them."""
    if state in {"public", "archived"} or "anonymous" in may:
        return may[:1]
    kinds = {"reader", "member", "maintainer", "token-read"}
    return [role for role in may if role in kinds] or may[:1]


@pytest.mark.parametrize("state", STATES)
def test_who_gets_in(world: World, state: str) -> None:
    put(world, state)
    found, before = Faults(), world.refs()
    allowed = []
    for name, method, call in calls():
        roles = asked_by(name, state)
        may = [role for role in roles if call.who(effective(role, name, method, call), state)]
        allowed += [(name, method, call, role) for role in weakest(may, state)]
        for role in roles:
            if role not in may:
                found.check(*_refused(world, state, name, method, call, role))
    assert world.refs() == before, "a call that was refused changed a repository"
    for name, method, call, role in allowed:
        found.check(*_let_in(world, state, name, method, call, role))
    assert not found, f"{len(found)} of the matrix:\n" + "\n".join(found)


def _words(state: str, name: str, method: str, call: Call, role: str, response: Any, more: str) -> str:
    body = call.body if isinstance(call.body, dict) else ""
    return f"{state} {role} {method} {name} {dict(call.over)} {body}: {response.status_code} {more}"


def _refused(world: World, state: str, name: str, method: str, call: Call, role: str) -> tuple[bool, str]:
    url = address(name, call, world.here, world)
    with world.undone(), written() as tables:
        response = ask(world, name, method, call, url, role)
    words = _words(state, name, method, call, role, response, f"should be refused; wrote {sorted(tables)}")
    fine = not tables and not 200 <= response.status_code < 300 and response.status_code < 500
    if method == "GET":
        fine = fine and response.status_code in {302, 401, 403, 404, *({409} if state == "archived" else ())}
    if fine and not sees(effective(role, name, method, call), state) and "slug" in url_parameters(name, call):
        same, status = _as_where_there_is_nothing(world, name, method, call, role, said(response, "lamp"))
        if not same:
            return False, words + f"; where there is nothing: {status}"
    return fine, words


#: What was heard under the address of no design. It hangs on no state, so another state need not ask again.
NOTHING: dict[tuple[str, str, int, str], tuple[int, str, bytes]] = {}


def _as_where_there_is_nothing(
    world: World, name: str, method: str, call: Call, role: str, heard: tuple[int, str, bytes]
) -> tuple[bool, int]:
    key = (name, method, id(call), role)
    if NOTHING.get(key) != heard:
        nothing = address(name, call, world.here, world, slug="lump")
        NOTHING[key] = said(ask(world, name, method, call, nothing, role), "lump")
    return NOTHING[key] == heard, NOTHING[key][0]


def url_parameters(name: str, call: Call) -> set[str]:
    named = ROUTES[name].pattern.converters or re.compile(str(ROUTES[name].pattern)).groupindex
    return set(named) - set(dict(call.over))


def _let_in(world: World, state: str, name: str, method: str, call: Call, role: str) -> tuple[bool, str]:
    url = address(name, call, world.here, world)
    with world.undone(), written() as tables:
        response = ask(world, name, method, call, url, role)
    if method != "GET":
        world.mend()
    gone = state == "deleted" and name == "rooms:report_decide"  # there is nothing to hide any more
    if not call.sure or gone:
        return response.status_code < 500, _words(state, name, method, call, role, response, "broke")
    if state == "archived" and response.status_code == 409 and not tables:  # it is theirs, and open it is theirs again
        return True, ""
    fine = response.status_code < 400 and "/account/" not in response.headers.get("Location", "")
    fine = fine and bool(tables or not call.changes or method == "GET")
    return fine, _words(state, name, method, call, role, response, f"should be let in; wrote {sorted(tables)} ")


def test_what_belongs_to_another_design_is_not_found(world: World) -> None:
    """A release, change, comment, make, photo, lock, object or commit of a design is nothing under another's address,
    though its number is right and the one who asks may do everything here."""
    Proposal.objects.filter(design=world.other.design).update(number=77)
    world.other.kwargs["number"] = 77
    own = {key: world.here.kwargs[key] for key in ("owner", "slug", "path", "ref")}
    mixed = Thing(world.here.design, world.other.kwargs | own)
    found, tried, before = Faults(), set(), world.refs()
    for name, method, call in calls():
        url, usual = (address(name, call, thing, world) for thing in (mixed, world.here))
        same = url == usual and filled(call.body, mixed, world) == filled(call.body, world.here, world)
        if same or callable(call.body) or name in {"lfs-batch", "api:provenance"}:
            continue
        tried.add(name)
        with world.undone(), written() as tables:
            response = ask(world, name, method, call, url, "owner", thing=mixed)
        fine = not tables and 400 <= response.status_code < 500 and b"Qwvchair" not in said(response)[2]
        found.check(fine, _words("foreign", name, method, call, "owner", response, f"wrote {sorted(tables)}"))
    assert world.refs() == before
    assert len(tried) > 20, tried
    assert not found, "\n".join(found)
    batch = next(call for name, _method, call in calls() if name == "lfs-batch")
    answer = ask(world, "lfs-batch", "POST", batch, address("lfs-batch", batch, mixed, world), "owner", thing=mixed)
    (told,) = answer.json()["objects"]  # type: ignore[attr-defined]
    assert told["error"]["code"] == 404 and "actions" not in told


@pytest.mark.parametrize("state", ["public", "private"])
def test_other_methods_do_nothing(world: World, state: str) -> None:
    """A method that the table does not name changes nothing, and tells no more than where there is nothing."""
    put(world, state)
    found, before = Faults(), world.refs()
    for name, methods in EXPECTED.items():
        call = Call(everybody, over=next(iter(methods.values()))[0].over)
        for method in sorted({*METHODS, "OPTIONS", "HEAD"} - set(methods)):
            for role in ("anonymous", "owner"):
                url = address(name, call, world.here, world)
                with world.undone(), written() as tables:
                    response = ask(world, name, method, call, url, role)
                words = _words(state, name, method, call, role, response, f"wrote {sorted(tables)}")
                reads = method == "HEAD" and "GET" in methods  # the same as GET, which may start a comparison
                found.check((reads or not tables) and response.status_code < 500, words)
                if state == "private" and role == "anonymous" and "slug" in url_parameters(name, call):
                    missing = ask(world, name, method, call, address(name, call, world.here, world, "lump"), role)
                    found.check(said(response, "lamp") == said(missing, "lump"), words + " and where there is nothing")
    assert world.refs() == before
    assert not found, "\n".join(found)
