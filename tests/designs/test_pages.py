"""Pages answer without script, texts of strangers cannot run, lists do not grow queries."""

import re
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from commons.errors import Conflict
from commons.people.models import User
from designs import errors, markdown
from designs.models import Design, FileVersion
from designs.queries import origins
from tests.designs.conftest import cube_stl, make

pytestmark = pytest.mark.django_db

PAGES = ("/designs/", "/designs/aila/test-cube/", "/designs/aila/test-cube/files/cube.stl",
         "/designs/aila/test-cube/files/README.md", "/designs/aila/test-cube/history/")  # fmt: skip


@pytest.mark.parametrize("address", PAGES)
@pytest.mark.parametrize("language", ["", "/fi"])
def test_pages_are_there(client: Client, design: Design, address: str, language: str) -> None:
    answer = client.get(language + address)
    assert answer.status_code == 200
    assert "style=" not in answer.content.decode().split("<main", 1)[1]


def test_an_empty_design_says_how_to_fill_it(client: Client, maker: User) -> None:
    from designs.services import create_design

    create_design(owner=maker.handle, name="Empty", licence="MIT", by=maker)
    assert "Nothing in it yet" in client.get("/designs/aila/empty/").content.decode()
    client.force_login(maker)
    assert "git push origin main" in client.get("/designs/aila/empty/").content.decode()


def test_one_file_becomes_a_design(client: Client, maker: User) -> None:
    client.force_login(maker)
    sent = {
        "name": "Door stop", "licence": "CC0-1.0", "visibility": "public",
        "file": SimpleUploadedFile("door stop.stl", cube_stl(7)),
    }  # fmt: skip
    answer = client.post("/designs/new/", sent)
    assert answer.status_code == 302, answer.content.decode()[:3000]
    assert answer["Location"] == "/designs/aila/door-stop/"
    from designs.services import index_now

    design = Design.objects.get(slug="door-stop")
    index_now(design=design, by=maker)
    assert set(FileVersion.objects.filter(design=design).values_list("path", flat=True)) == {
        "README.md",
        "door stop.stl",
    }
    again = client.post("/designs/new/", sent | {"file": SimpleUploadedFile("x.stl", b"x")})
    assert again.status_code == 422
    assert "choose another name" in again.content.decode()


def test_a_first_file_that_is_refused_leaves_no_design(client: Client, maker: User, settings: Any) -> None:
    client.force_login(maker)
    sent = {"name": "Door stop", "licence": "CC0-1.0", "visibility": "public"}
    answer = client.post("/designs/new/", sent | {"file": SimpleUploadedFile(".git", b"x")})
    assert answer.status_code == 422 and "own" in answer.content.decode()
    settings.OWNER_QUOTA_BYTES = 100
    answer = client.post("/designs/new/", sent | {"file": SimpleUploadedFile("a.stl", cube_stl(7))})
    assert answer.status_code == 422 and "steward" in answer.content.decode()
    assert not Design.objects.exists()


def test_a_browser_asks_for_the_listed_licence_or_another_one_not_for_both(client: Client, maker: User) -> None:
    client.force_login(maker)
    fields = re.findall(r"<(?:input|select)[^>]*licence[^>]*>", client.get("/designs/new/").content.decode())
    assert len(fields) == 2 and not any("required" in field for field in fields)


def test_only_what_is_taken_is_called_taken() -> None:
    """An archived design under the words “Already taken” tells nobody anything."""
    found = {kind.code for kind in vars(errors).values() if isinstance(kind, type) and issubclass(kind, Conflict)
             and kind.title is Conflict.title}  # fmt: skip
    assert found - {Conflict.code} == {"design:name-taken", "design:already-offered"}


def test_raw_files_cannot_run(client: Client, design: Design, maker: User) -> None:
    from designs.services import write_files

    files: dict[str, bytes | None] = {"x.html": b"<script>alert(1)</script>", "x.svg": b"<svg onload='x'/>"}
    write_files(design=design, files=files, message="Evil", author=maker, by=maker)
    for path, content in files.items():
        answer = client.get(f"/designs/aila/test-cube/raw/main/{path}")
        assert b"".join(answer.streaming_content) == content  # type: ignore[attr-defined]
        assert answer["Content-Type"] == "application/octet-stream"
        assert answer["Content-Disposition"].startswith("attachment")
        assert answer["Content-Security-Policy"].startswith("sandbox; default-src 'none'")
        assert answer["X-Content-Type-Options"] == "nosniff"
    page = client.get("/designs/aila/test-cube/files/x.html").content.decode()
    assert "<script>alert" not in page


@pytest.mark.parametrize(
    "text",
    ["<script>alert(1)</script>", "[x](javascript:alert(1))", "![x](https://tracker.example/p.png)",
     "<img src=x onerror=y>", "[x](//evil.example)", "![x](../../x)", "<svg onload=alert(1)>", "[x](data:text/html,x)"],
)  # fmt: skip
def test_texts_of_strangers_cannot_run_or_reach_out(text: str) -> None:
    html = str(markdown.render(text, owner="a", slug="b", ref="main"))
    for evil in ("<script", '="javascript:', "tracker.example", "<img src=x", "<svg", "//evil", 'src="..', '="data:'):
        assert evil not in html


def test_relative_links_stay_in_the_version() -> None:
    drawn = {"pic.png": "/drawn/1", "docs/my pic.png": "/drawn/2"}
    place = {"owner": "a", "slug": "b", "ref": "main"}
    html = str(markdown.render("[p](parts/a.stl) ![i](./pic.png) ![j](none.png)", **place, pictures=drawn.get))
    assert "/designs/a/b/files/parts/a.stl?ref=main" in html
    assert html.count("<img") == 1 and 'src="/drawn/1"' in html
    assert html.rstrip().endswith("j</p>")  # the words of a picture that is not there
    text = "[p](../parts/a.stl) ![i](my%20pic.png) ![j](../pic.png) [k](../../out.md) [l](http://[x)"
    html = str(markdown.render(text, **place, folder="docs", pictures=drawn.get))
    assert "/designs/a/b/files/parts/a.stl?ref=main" in html
    assert 'src="/drawn/2"' in html and 'src="/drawn/1"' in html and "out.md?ref" not in html


def test_lists_do_not_grow_queries(
    client: Client, maker: User, django_assert_num_queries: Any, django_assert_max_num_queries: Any
) -> None:
    make(maker, name="One")
    with django_assert_max_num_queries(12) as first:
        client.get("/designs/")
    for name in ("Two", "Three", "Four", "Five"):
        make(maker, name=name)
    with django_assert_num_queries(len(first.captured_queries)):
        client.get("/designs/")
    with django_assert_max_num_queries(3):
        client.get("/api/v1/designs/")
    oid = FileVersion.objects.filter(path="cube.stl", current=True)[0].blob.oid
    with django_assert_num_queries(2):  # the second asks for releases
        assert len(origins(blob=oid)) == 5


def test_filters(client: Client, design: Design) -> None:
    for query, found in (
        ("q=cube", True),
        ("q=nothing", False),
        ("format=stl", True),
        ("format=step", False),
        ("licence=MIT", True),
    ):
        assert ("Test cube" in client.get(f"/designs/?{query}").content.decode()) is found


def test_a_filter_with_no_result_offers_to_loosen_one(client: Client, design: Design) -> None:
    page = client.get("/designs/?q=cube&format=dxf").content.decode().split('class="empty"', 1)[1]
    assert 'href="?q=cube"' in page and "1 design without “DXF”" in page
    assert 'href="?format=dxf"' not in page, "what finds nothing either is not offered"
