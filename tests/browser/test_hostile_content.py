"""What strangers put into a design, opened in a real browser: no script of theirs runs on our origin.

Each file calls a canary and marks the origin on which it runs. The control serves the same files as anybody would who
believes their names: there each of them is heard.
"""

import http.server
import threading
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

import pytest
from playwright.sync_api import Error, Page

from commons.people.services import create_user
from designs.services import create_design, index_now, write_files
from designs.services.talk import say
from tests.conftest import LiveCity
from tests.figures_said import figure


class Canary(http.server.ThreadingHTTPServer):
    """Notes who calls; what is laid into `served` it gives out as its type says."""

    def __init__(self) -> None:
        self.called: list[str] = []
        self.served: dict[str, tuple[str, bytes]] = {}
        canary = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def log_message(self, *_words: Any) -> None:
                """Quiet."""

            def do_GET(self) -> None:
                kind, body = canary.served.get(self.path, ("", b""))
                if not kind:
                    canary.called.append(self.path.strip("/"))
                self.send_response(200 if kind else 204)
                self.send_header("Content-Type", kind or "text/plain")
                self.end_headers()
                self.wfile.write(body)

        super().__init__(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.serve_forever, daemon=True).start()


@pytest.fixture
def canary() -> Iterator[Canary]:
    made = Canary()
    yield made
    made.shutdown()
    made.server_close()


SVG = '<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" width="90" height="90" '


def runs(name: str, port: int) -> str:
    """A line of script without quotes of the second kind: it marks the origin and calls."""
    return f"localStorage.setItem('ran','{name}');new Image().src='http://127.0.0.1:{port}/{name}'"


def everything(name: str, port: int) -> str:
    """Every way to run a line that HTML knows."""
    deed = runs(name, port)
    return (
        f'<script>{deed}</script><img src="x:" onerror="{deed}"><svg onload="{deed}"></svg><iframe srcdoc="<script>'
        f'{deed}</script>"></iframe><a href="javascript:{deed}">click</a><details open ontoggle="{deed}">x</details>'
        f'<form action="javascript:{deed}"><button>send</button></form><object data="data:text/html,<script>{deed}'
        f'</script>"></object><input autofocus onfocus="{deed}"><link rel=stylesheet href="http://127.0.0.1:{port}/{name}">'
    )


def hostile(port: int) -> dict[str, tuple[str, bytes]]:
    """Files that run something wherever they are taken for a document, with the type that would do so."""
    called = f"http://127.0.0.1:{port}"
    page, more = "text/html", everything("csv", port).replace(",", ";")
    cell = f'{{"output_type":"display_data","data":{{"text/html":["<script>{runs("ipynb", port)}</script>"]}}}}'
    xhtml = f'<html xmlns="http://www.w3.org/1999/xhtml"><script>{runs("xhtml", port)}</script></html>'
    drawing = (
        f'{SVG} onload="{runs("svg", port)}"><script>{runs("svg", port)}</script><foreignObject width="9" height="9">'
        f'<iframe xmlns="http://www.w3.org/1999/xhtml" src="javascript:{runs("svg", port)}"></iframe></foreignObject>'
        f'<image href="{called}/svg" width="9" height="9"/></svg>'
    )
    named = f'{SVG} onload="{runs("name", port)}"></svg>'
    texts = {
        "page.html": (page, f"<!doctype html><title>x</title>{everything('html', port)}"),
        "page.xhtml": ("application/xhtml+xml", xhtml),
        "drawing.svg": ("image/svg+xml", drawing),
        "words.md": (page, f"# Words\n\n{everything('md', port)}\n\n[a](javascript:alert) ![b]({called}/md)\n"),
        "README.md": (page, f"# Read me\n\n{everything('readme', port)}\n\n[click](javascript:alert)\n"),
        "work.ipynb": (page, f'{{"cells":[{{"cell_type":"code","outputs":[{cell}]}}],"nbformat":4}}'),
        "bom.csv": (page, f"name,quantity\n{more},1\n"),
        "words.txt": (page, everything("txt", port)),
        "x<img src=x onerror=alert(1)>.svg": ("image/svg+xml", named),
    }
    return {name: (kind, text.encode()) for name, (kind, text) in texts.items()}


MARKS = {"html", "xhtml", "svg", "md", "readme", "ipynb", "csv", "txt", "name"}


def opened(page: Page, address: str) -> bool:
    """Whether the address is shown as a page, and no download; every link and button of strangers on it is tried."""
    try:
        page.goto(address, wait_until="load")
    except Error as fault:
        assert "Download is starting" in str(fault) or "ERR_ABORTED" in str(fault), fault
        return False
    for link in page.locator("main a", has_text="click").all()[:2]:
        link.click(timeout=2000, no_wait_after=True)
    return True


@pytest.mark.django_db(transaction=True)
def test_no_script_of_a_stranger_runs(live_city: LiveCity, page: Page, canary: Canary) -> None:
    evil = create_user(username="evil", name="<script>alert(1)</script>")
    design = create_design(owner=evil.handle, name="Evil <img src=x onerror=alert(1)>", licence="MIT", by=evil)
    files = {name: body for name, (_kind, body) in hostile(canary.server_port).items()}
    write_files(design=design, files=files, message="<script>alert(1)</script>", author=evil, by=evil)
    design = index_now(design=design, by=evil)
    say(design=design, author=evil, body=files["words.md"].decode()[:3000])
    base = f"{live_city.url}/designs/evil/{design.slug}"
    pages = [f"{base}/", f"{base}/talk/", f"{base}/history/", f"{base}/bom/", f"{live_city.url}/people/evil/"]
    pages += [f"{base}/files/{quote(name)}" for name in files]
    bytes_alone = [f"{base}/raw/main/{name}" for name in ("page.html", "page.xhtml", "drawing.svg", "words.txt")]
    dialogs: list[str] = []
    page.on("dialog", lambda dialog: (dialogs.append(dialog.message), dialog.dismiss())[0])
    shown = [address for address in pages if opened(page, address)]
    downloaded = [address for address in bytes_alone if not opened(page, address)]
    page.goto(f"{live_city.url}/")
    ran = page.evaluate("localStorage.getItem('ran')")
    count = len(dialogs) + len(set(canary.called)) + (ran is not None)
    figure("hostile_scripts_run", count, f"scripts on {len(pages)} pages, in {len(bytes_alone)} files as they are")
    assert ran is None and not dialogs and not canary.called, (ran, dialogs, canary.called)
    assert shown == pages
    assert downloaded == bytes_alone


def test_where_names_are_believed_all_of_them_run(page: Page, canary: Canary) -> None:
    """Without this the test above could not fail."""
    for name, (kind, body) in hostile(canary.server_port).items():
        canary.served[f"/{quote(name)}"] = (kind, body)
        page.goto(f"http://127.0.0.1:{canary.server_port}/{quote(name)}", wait_until="load")
    for _try in range(100):
        if set(canary.called) >= MARKS:
            break
        page.wait_for_timeout(100)
    assert set(canary.called) >= MARKS
    assert page.evaluate("localStorage.getItem('ran')") is not None
