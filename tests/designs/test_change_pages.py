"""Changes as people and programs meet them: pages without script, and the API."""

import json
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from commons.people.models import User
from commons.people.services import create_token, create_user
from designs.models import Comment, Design, Proposal
from designs.services import proposals
from tests.designs.conftest import cube_stl, make
from tests.designs.test_changes import fork, offer, repository, stock, write

pytestmark = pytest.mark.django_db(transaction=True)


def signed_in(person: User) -> Client:
    client = Client()
    client.force_login(person)
    return client


def api(person: User, *scopes: str) -> dict[str, str]:
    token = create_token(user=person, name="t", scopes=list(scopes) or ["designs:write"])[1]
    return {"HTTP_AUTHORIZATION": f"Bearer {token}"}


def at(design: Design, rest: str = "") -> str:
    return f"/designs/{design.owner.name}/{design.slug}/changes/{rest}"


@pytest.fixture
def forked(design: Design, neighbour: User) -> Design:
    made = fork(design, neighbour)
    write(made, neighbour, {"cube.stl": cube_stl(14), "README.md": b"# Cube\n\nLarger.\n"}, message="A larger cube")
    return made


@pytest.fixture
def change(design: Design, forked: Design, neighbour: User) -> Proposal:
    return offer(design, forked, neighbour, title="Larger <cube>")


def test_from_a_fork_to_a_merge_with_forms_alone(design: Design, forked: Design, maker: User, neighbour: User) -> None:
    theirs, ours = signed_in(neighbour), signed_in(maker)
    page = theirs.get(reverse("rooms:design", args=[forked.owner.name, forked.slug])).content.decode()
    link = f"{at(design, 'new/')}?source={forked.owner.name}/{forked.slug}&amp;branch=main"
    assert "1 commit ahead of" in page and link in page
    form = theirs.get(link.replace("&amp;", "&"))
    assert form.context["title"] == "A larger cube" and not form.context["offer"].shows_more
    sent = {"source": f"{forked.owner.name}/{forked.slug}", "branch": "main", "target": "main"}
    refused = theirs.post(at(design, "new/"), {**sent, "title": " ", "body": "I tried it."})
    assert refused.status_code == 422 and "I tried it." in refused.content.decode()
    made = theirs.post(at(design, "new/"), {**sent, "title": "Larger", "body": "I **tried** it."})
    assert made.headers["Location"] == at(design, "1/")
    page = theirs.get(at(design, "1/")).content.decode()
    assert "<strong>tried</strong>" in page and "Accept and merge" not in page
    again = theirs.get(reverse("rooms:design", args=[forked.owner.name, forked.slug])).content.decode()
    assert "Offered as change 1" in again

    said = {"body": "Why 14 @niko?", "path": "cube.stl", "x": "1", "y": "2,5", "z": "3"}
    ours.post(at(design, "1/say/"), said)
    comment = Comment.objects.get()
    assert comment.anchor == {"path": "cube.stl", "point": [1.0, 2.5, 3.0]}
    page = theirs.get(at(design, "1/")).content.decode()
    assert "on cube.stl at 1, 2.5, 3 mm" in page and reverse("rooms:person", args=["niko"]) in page
    theirs.post(at(design, "1/say/"), {"body": "It fits.", "answers": str(comment.pk)})
    ours.post(at(design, f"1/comments/{comment.pk}/"), {"do": "resolve"})
    comment.refresh_from_db()
    assert comment.resolved_at is not None and comment.replies.count() == 1
    empty = ours.post(at(design, "1/review/"), {"verdict": "ask", "body": ""})
    assert empty.status_code == 422 and "Say what you ask for." in empty.content.decode()

    ask = ours.get(at(design, "1/merge/"))
    head = Proposal.objects.get().head
    assert f'value="{head}"' in ask.content.decode()
    assert theirs.post(at(design, "1/merge/"), {"method": "merge", "head": head}).status_code == 403
    assert ours.post(at(design, "1/merge/"), {"method": "squash", "head": head}).status_code == 302
    assert stock(repository(design), "show", "main:README.md") == "# Cube\n\nLarger."
    page = Client().get(at(design, "1/")).content.decode()
    assert "Merged" in page and "Sign in to say something" in page and "<textarea" not in page
    assert ours.get(at(design, "1/merge/")).headers["Location"] == at(design, "1/")
    twice = ours.post(at(design, "1/merge/"), {"method": "merge"})
    assert twice.status_code == 409 and 'name="method"' not in twice.content.decode()


def test_a_merged_branch_is_deleted_and_brought_back(design: Design, maker: User, neighbour: User) -> None:
    write(design, maker, {"lid.stl": cube_stl(3)}, branch="lid")
    proposals.merge(proposal=offer(design, design, neighbour, branch="lid"), by=maker)
    page, ours, theirs = at(design, "1/"), signed_in(maker), signed_in(neighbour)
    assert "Delete the branch" in ours.get(page).content.decode()
    assert "drop-branch" not in theirs.get(page).content.decode()
    assert ours.post(f"{page}drop-branch/").headers["Location"] == page
    assert "Bring the branch back" in ours.get(page).content.decode()
    call = f"/api/v1/designs/{design.owner.name}/{design.slug}/proposals/1/branch/"
    assert Client().put(call, **api(neighbour)).status_code == 403
    assert Client().put(call, **api(maker)).status_code == 200
    assert stock(repository(design), "rev-parse", "lid") == Proposal.objects.get().head
    assert Client().delete(call, **api(maker)).status_code == 200
    again = Client().delete(call, **api(maker))
    assert (again.status_code, again.json()["code"]) == (409, "design:change-over")


@pytest.mark.parametrize(
    "sent",
    [
        {"body": "x", "answers": "²"}, {"body": "x", "answers": "9" * 40},
        {"body": "x", "path": "cube.stl", "line": "²"},
        {"body": "x", "path": "cube.stl", "x": "nan", "y": "1", "z": "1"}, {"body": "x", "line": "3"}, {"body": "\x00"},
        {"body": "x", "path": "cube.stl", "x": "1e999", "y": "1", "z": "1"},
        {"body": "x", "path": "../etc", "line": "1"},
    ],
)  # fmt: skip
def test_nonsense_is_refused_in_words(change: Proposal, design: Design, maker: User, sent: dict[str, str]) -> None:
    refused = signed_in(maker).post(at(design, "1/say/"), sent)
    assert refused.status_code in {302, 400, 404, 422}
    assert refused.status_code != 302 or Comment.objects.get().answers is None


def test_the_list_counts_and_filters(change: Proposal, design: Design, maker: User) -> None:
    page = Client().get(at(design)).content.decode()
    assert "Larger &lt;cube&gt;" in page and "Larger <cube>" not in page and "Open 1" in page
    assert '<span class="count">1</span>' in page
    proposals.close(proposal=change, by=maker)
    assert "No change is open" in Client().get(at(design)).content.decode()
    assert "Larger" in Client().get(at(design) + "?state=closed").content.decode()


def test_the_owner_says_if_an_agreement_is_needed(
    change: Proposal, design: Design, maker: User, neighbour: User
) -> None:
    settings = reverse("rooms:design_settings", args=[design.owner.name, design.slug])
    signed_in(neighbour).post(settings, {"do": "rules", "merge_needs_approval": "1"})
    design.refresh_from_db()
    assert not design.merge_needs_approval
    signed_in(maker).post(settings, {"do": "rules", "merge_needs_approval": "1"})
    refused = signed_in(maker).post(at(design, "1/merge/"), {"method": "merge"})
    assert refused.status_code == 409 and "agree" in refused.content.decode()
    signed_in(maker).post(settings, {"do": "rules"})
    assert signed_in(maker).post(at(design, "1/merge/"), {"method": "merge"}).status_code == 302


def test_a_conflict_says_how_to_settle_it(change: Proposal, design: Design, maker: User) -> None:
    write(design, maker, {"README.md": b"# Another\n"})
    page = signed_in(maker).get(at(design, "1/merge/")).content.decode()
    assert "README.md" in page and "git merge FETCH_HEAD" in page and "Merge into main" not in page
    refused = signed_in(maker).post(at(design, "1/merge/"), {"method": "merge"})
    assert refused.status_code == 409 and "README.md" in refused.content.decode()


def test_what_is_private_is_not_there(maker: User, neighbour: User) -> None:
    design = make(maker, name="Secret", visibility="private")
    write(design, maker, {"a.txt": b"a\n"}, branch="work")
    offer(design, design, maker, branch="work")
    stranger = create_user(username="stranger")
    paths = ["", "new/", "1/", "1/merge/", "1/edit/", "1/comments/1/"]
    for client, known in ((Client(), False), (signed_in(stranger), True)):
        for path in paths:
            there, nowhere = client.get(at(design, path)), client.get(at(design, path).replace("secret", "nowhere"))
            assert there.status_code == nowhere.status_code in ({404} if known else {302, 404}), path
            assert "Secret" not in there.content.decode()
        said = client.post(at(design, "1/say/"), {"body": "x"})
        assert said.status_code == (404 if known else 302) and not Comment.objects.exists()
    for rest in ("", "1/", "1/comments/", "1/reviews/"):
        url = f"/api/v1/designs/{design.owner.name}/{design.slug}/proposals/{rest}"
        assert Client().get(url).status_code == 404
        assert Client().get(url, **api(stranger)).status_code == 404
        assert Client().get(url, **api(maker)).status_code == 200


def test_a_private_source_is_not_named(maker: User, neighbour: User) -> None:
    design = make(maker)
    source = fork(design, maker, slug="hidden-name")
    Design.objects.filter(pk=source.pk).update(visibility="private")
    source.refresh_from_db()
    write(source, maker, {"a.txt": b"a\n"})
    form = signed_in(maker).get(at(design, f"new/?source={source.owner.name}/{source.slug}&branch=main"))
    assert "is private" in form.content.decode()
    offer(design, source, maker)
    for client in (Client(), signed_in(neighbour)):
        assert "hidden-name" not in client.get(at(design, "1/")).content.decode()
    url = f"/api/v1/designs/{design.owner.name}/{design.slug}/proposals/1/"
    assert Client().get(url).json()["source"] == {"owner": None, "slug": None, "branch": None}
    assert Client().get(url, **api(maker)).json()["source"]["slug"] == "hidden-name"


def test_the_api_offers_talks_judges_and_merges(design: Design, forked: Design, maker: User, neighbour: User) -> None:
    base = f"/api/v1/designs/{design.owner.name}/{design.slug}/proposals/"

    def send(person: User, path: str, body: dict[str, Any], method: str = "post") -> Any:
        call = getattr(Client(), method)
        return call(base + path, json.dumps(body), content_type="application/json", **api(person))

    assert Client().post(base, {}, content_type="application/json").status_code in {401, 403}
    read_only = Client().post(base, "{}", content_type="application/json", **api(neighbour, "designs:read"))
    assert read_only.status_code == 403
    offered = {"title": "Larger", "source": f"{forked.owner.name}/{forked.slug}", "source_branch": "main"}
    made = send(neighbour, "", offered)
    assert made.status_code == 201 and made.json()["number"] == 1
    assert {f["path"]: f["change"] for f in made.json()["files"]} == {"README.md": "changed", "cube.stl": "changed"}
    again = send(neighbour, "", offered)
    assert (again.status_code, again.json()["code"], again.json()["number"]) == (409, "design:already-offered", 1)
    listed = Client().get(base, {"state": "open"}).json()
    assert [p["title"] for p in listed["results"]] == ["Larger"] and set(listed) == {"next", "previous", "results"}

    said = send(maker, "1/comments/", {"body": "Hm", "anchor": {"path": "README.md", "line": 3, "side": "new"}})
    assert said.status_code == 201 and said.json()["anchor"]["line"] == 3
    assert send(maker, "1/comments/", {"body": "x", "anchor": {"path": "nowhere"}}).status_code == 422
    assert send(neighbour, "1/comments/", {"body": "Yes", "answers": said.json()["id"]}).status_code == 201
    assert len(Client().get(base + "1/comments/").json()["results"]) == 2
    assert send(neighbour, "1/reviews/", {"verdict": "approve"}).status_code == 403
    assert send(maker, "1/reviews/", {"verdict": "approve"}).status_code == 201
    assert Client().get(base + "1/").json()["approved"] is True

    assert send(neighbour, "1/", {"title": "Larger cube"}, "patch").json()["title"] == "Larger cube"
    assert send(neighbour, "1/", {"state": "closed"}, "patch").json()["state"] == "closed"
    assert send(neighbour, "1/", {"state": "merged"}, "patch").status_code == 400
    assert send(neighbour, "1/", {"state": "open"}, "patch").json()["state"] == "open"
    assert send(neighbour, "1/merge/", {"method": "merge"}).status_code == 403
    write(design, maker, {"README.md": b"# Ours\n"})
    conflict = send(maker, "1/merge/", {"method": "merge"})
    assert (conflict.status_code, conflict.json()["code"]) == (409, "design:merge-conflict")
    assert conflict.json()["paths"] == ["README.md"]
    write(design, maker, {"README.md": b"# Cube\n"})
    merged = send(maker, "1/merge/", {"method": "squash", "head": made.json()["head"]})
    assert merged.status_code == 200 and merged.json()["merged_commit"] == stock(
        repository(design), "rev-parse", "main"
    )
