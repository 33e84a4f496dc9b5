"""What strangers write never runs: files, names, Markdown, parts lists, manifests, commits, talk, releases, changes."""

import io
import subprocess
import zipfile
from html.parser import HTMLParser
from typing import Any
from xml.etree import ElementTree

import pytest
from django.test import Client

from commons.people.models import User
from commons.people.services import create_user
from designs import git
from designs.errors import BadPath
from designs.git.names import check_path
from designs.models import Design
from designs.services import create_design, index_now, proposals, releases, write_files
from designs.services.about import change_design
from designs.services.makes import add_make
from designs.services.rights import declare_source
from designs.services.talk import say

pytestmark = pytest.mark.django_db

#: Ways to run something, each with a mark to look for.
XSS = (
    '<script>evil()</script><img src=x onerror=evil()><svg onload=evil()><a href="javascript:evil()">x</a>'
    '"><iframe srcdoc="<script>evil()</script>"></iframe>{{ 7|add:7 }}</textarea><style>*{}</style>'
)
MARKDOWN = f"""# Hello {XSS}

[click](javascript:evil()) [data](data:text/html;base64,PHNjcmlwdD5ldmlsKCk8L3NjcmlwdD4=) ![p](javascript:evil())
![tracker](https://evil.example/pixel.png) <https://ok.example> [vb](vbscript:evil()) [c](  JaVaScRiPt:evil())
<div style="background:url(https://evil.example)" onclick=evil()>x</div> [ref]: javascript:evil()
"""
SVG = b'<svg xmlns="http://www.w3.org/2000/svg" onload="evil()"><script>evil()</script></svg>'
HTML = b"<!doctype html><script>evil()</script>"
NAMED = "x<script>evil()</script>.svg".replace("/", "_")


class Look(HTMLParser):
    """What a page would run or fetch: scripts, handlers, styles and addresses that are not ours."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []
        self.kind = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.kind = ""
        given = dict(attrs)
        if tag == "script":
            self.kind = given.get("type") or "script"
            if not given.get("src") and self.kind not in {"application/json"}:
                self.found.append(f"a script in place: {given}")
        if tag in {"iframe", "object", "embed", "base", "style"}:
            self.found.append(f"<{tag}>")
        for name, value in attrs:
            text = "".join((value or "").split()).lower()
            if name.startswith("on") or name in {"srcdoc", "style"}:
                self.found.append(f"{tag} {name}={value}")
            if name in {"href", "src", "action", "formaction", "data"} and text.startswith(
                ("javascript:", "vbscript:", "data:text")
            ):
                self.found.append(f"{tag} {name}={value}")
            if name in {"src", "srcset", "poster"} and "evil.example" in text:
                self.found.append(f"{tag} fetches {value}")

    def handle_data(self, data: str) -> None:
        if self.kind in {"script", "module"} and "evil" in data:
            self.found.append("evil in a script")


def runs_in(page: bytes) -> list[str]:
    """What of a page would run or reach out."""
    look = Look()
    look.feed(page.decode())
    return look.found


def test_the_look_sees_what_runs() -> None:
    """Or the tests below could not fail."""
    found = runs_in(f"<p>{XSS}</p>".encode())
    assert len(found) >= 5
    assert {word.split()[0] for word in found} >= {"a", "img", "svg", "<iframe>"}


@pytest.fixture
def evil() -> User:
    return create_user(username="evil", name=XSS[:80])


@pytest.fixture
def hostile(evil: User, maker: User) -> Design:
    """A design in which everything that can be written is hostile."""
    made = create_design(owner=evil.handle, name=XSS[:110], summary=XSS[:390], licence="MIT", by=evil, slug="evil")
    files: dict[str, Any] = {
        "README.md": MARKDOWN.encode(),
        "evil.svg": SVG,
        "evil.html": HTML,
        "evil.md": MARKDOWN.encode(),
        "evil.txt": XSS.encode(),
        NAMED: SVG,
        "bom.csv": (
            'name,quantity,source\n"=HYPERLINK(""https://evil.example"")",1,javascript:evil()\n'
            f'"{XSS.replace(chr(34), chr(34) * 2)}",2,x\n'
        ).encode(),
        "okh.toml": f"okhv = 'OKH-LOSHv1.0'\nname = '''{XSS}'''\nrepo = 'javascript:evil()'\nlicense = 'MIT'\n"
        f"licensor = '''{XSS}'''\nfunction = '''{XSS}'''\nimage = 'https://evil.example/p.png'\n".encode(),
    }
    write_files(design=made, files=files, message=XSS, author=evil, by=evil)
    return index_now(design=made, by=evil)


def _branch(design: Design, name: str) -> None:
    path = git.of(design.repository).path
    subprocess.run(["git", "-c", "safe.directory=*", f"--git-dir={path}", "branch", name, "main"], check=True)


def test_pages_run_nothing(client: Client, hostile: Design, evil: User) -> None:
    change_design(
        design=hostile, by=evil, name=hostile.name, summary=hostile.summary, tags=["script-evil"], licence="MIT",
        visibility="public", default_branch=None,
    )  # fmt: skip
    say(design=hostile, author=evil, body=MARKDOWN)
    add_make(design=hostile, author=evil, text=MARKDOWN)
    declare_source(
        design=hostile, by=evil, title=XSS[:150], authors=XSS[:200], relation="adapted", licence="MIT",
        url="https://ok.example/?%3Cscript%3E",
    )  # fmt: skip
    releases.publish(design=hostile, version="1.0.0", name=XSS[:110], notes=MARKDOWN, by=evil)
    _branch(hostile, "more")
    write_files(
        design=hostile, files={"evil.txt": (XSS * 2).encode(), "y<img src=x onerror=evil()>.txt": b"x"}, message=XSS,
        author=evil, by=None, branch="more",
    )  # fmt: skip
    change = proposals.open_proposal(
        design=hostile, source=hostile, source_branch="more", title=XSS[:150], body=MARKDOWN, by=evil
    )
    proposals.say(proposal=change, by=evil, body=MARKDOWN, anchor={"path": "evil.txt", "line": 1, "side": "new"})
    base = f"/designs/evil/{hostile.slug}/"
    pages = [
        base, "/designs/", "/designs/?q=evil", "/designs/?q=%3Cscript%3Eevil()%3C/script%3E", base + "history/",
        base + "talk/", base + "makes/", base + "rights/", base + "releases/", base + "releases/1.0.0/",
        base + "changes/", base + "changes/1/", base + "changes/1/?path=evil.txt", base + "bom/", base + "manifest/",
        base + "forks/", base + "compare/", base + "compare/?base=main&head=more", base + "compare/?path=bom.csv",
        *(base + "files/" + name for name in ("README.md", "evil.svg", "evil.html", "evil.md", "evil.txt", "bom.csv")),
        base + "files/x%3Cscript%3Eevil()%3C_script%3E.svg",
    ]  # fmt: skip
    mine = [base + "settings/", base + "changes/1/merge/", base + "changes/1/edit/", base + "write/evil.txt",
            base + "releases/new/", base + "fork/", "/me/", "/collections/"]  # fmt: skip
    for path in [*pages, *mine]:
        if path == mine[0]:
            client.force_login(evil)
        response = client.get(path)
        assert response.status_code == 200, path
        assert runs_in(response.content) == [], path
        policy = response["Content-Security-Policy"]
        assert "default-src 'none'" in policy and "script-src 'nonce-" in policy and "unsafe-inline" not in policy, path
        assert response["X-Content-Type-Options"] == "nosniff", path


@pytest.mark.parametrize("path", ["evil.svg", "evil.html", "evil.md", "evil.txt", "okh.toml", "bom.csv"])
def test_bytes_as_they_are_cannot_run(client: Client, hostile: Design, path: str) -> None:
    response = client.get(f"/designs/evil/{hostile.slug}/raw/main/{path}")
    assert response.status_code == 200
    assert response["Content-Disposition"].startswith("attachment")
    assert response["Content-Type"] == "application/octet-stream"
    assert response["X-Content-Type-Options"] == "nosniff"
    assert response["Content-Security-Policy"].startswith("sandbox; default-src 'none'")


def test_a_picture_by_its_name_alone_is_a_download(client: Client, evil: User) -> None:
    """A page that calls itself .png is never a page."""
    made = create_design(owner=evil.handle, name="Pictures", licence="MIT", by=evil)
    write_files(design=made, files={"p.png": HTML}, message="x", author=evil, by=evil)
    response = client.get("/designs/evil/pictures/raw/main/p.png")
    assert response["Content-Type"] == "application/octet-stream" and response["X-Content-Type-Options"] == "nosniff"
    assert response["Content-Disposition"].startswith("attachment")
    assert response["Content-Security-Policy"].startswith("sandbox; default-src 'none'")


def test_a_parts_list_is_no_formula(client: Client, hostile: Design) -> None:
    text = client.get(f"/designs/evil/{hostile.slug}/bom.csv").content.decode()
    assert "HYPERLINK" in text
    assert not any(
        cell.lstrip('"').startswith(("=", "+", "@")) for line in text.splitlines() for cell in line.split(",")
    )


def test_feeds_and_manifests_hold_text(client: Client, hostile: Design, evil: User) -> None:
    releases.publish(design=hostile, version="1.0.0", notes=MARKDOWN, by=evil)
    for path in ("/designs/releases.atom", f"/designs/evil/{hostile.slug}/releases.atom"):
        feed = client.get(path)
        assert feed.status_code == 200 and "<script" not in feed.content.decode()
        for text in ElementTree.fromstring(feed.content).iter("{http://www.w3.org/2005/Atom}summary"):  # noqa: S314 our own feed
            assert runs_in((text.text or "").encode()) == []
    for path in (f"/designs/evil/{hostile.slug}/okh.toml", f"/designs/evil/{hostile.slug}/okh.yml"):
        response = client.get(path)
        assert response["X-Content-Type-Options"] == "nosniff" and "html" not in response["Content-Type"]


def test_a_zip_stays_in_its_folder(client: Client, hostile: Design) -> None:
    body = b"".join(client.get(f"/designs/evil/{hostile.slug}/archive/main.zip").streaming_content)  # type: ignore[attr-defined]
    for name in zipfile.ZipFile(io.BytesIO(body)).namelist():
        assert name.startswith(f"{hostile.slug}-main/") and ".." not in name.split("/")


@pytest.mark.parametrize("letter", ["\u202a", "\u202e", "\u2066", "\u2069"])
def test_a_file_cannot_be_called_what_it_reads_as(letter: str, evil: User) -> None:
    """“photo(U+202E)gpj.exe” shows as “photoexe.jpg”."""
    with pytest.raises(BadPath, match="direction"):
        check_path(f"photo{letter}gpj.exe")
    assert check_path("שלום-\u200f-قطعة.stl")
