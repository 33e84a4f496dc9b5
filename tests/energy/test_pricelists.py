"""Files and feeds of prices: what is read, what is refused and by which line; the one way out, over real TLS."""

import datetime as dt
import math
import os
import socket
import ssl
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from commons.web import outside
from energy import pricelists
from energy.errors import BadPrices
from tests.labs.tls import Authority

NEW_YEAR = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)
SHARED = Path(os.environ.get("LIVINGCITY_SHARED", "../shared")) / "data" / "energy" / "de_dayahead_2020.csv"


def test_a_real_year_of_prices_with_its_gaps() -> None:
    """6,573 hours of the German day-ahead market of 2020: the first is 38.6 a MWh, and there are holes."""
    if not SHARED.exists():
        pytest.skip("needs LIVINGCITY_SHARED")
    found = pricelists.read(SHARED.read_text())
    assert found.step_minutes == 60
    assert len(found.prices) == 6573
    assert found.prices[dt.datetime(2020, 1, 1, tzinfo=dt.UTC)] == pytest.approx(0.0386)


@pytest.mark.parametrize(
    "text",
    [
        "time,price_eur_mwh\n2026-01-01T00:00Z,50\n2026-01-01T00:15Z,\n",
        "Start;Price EUR/MWh\n2026-01-01T01:00+01:00;50,0\n2026-01-01T00:15Z;\n",
        '[{"timestamp": "2026-01-01T00:00Z", "price_mwh": 50}, {"timestamp": 1767226500, "price_mwh": null}]',
        '{"data": [{"start_timestamp": 1767225600000, "marketprice": 50, "unit": "Eur/MWh"}, '
        '{"start_timestamp": 1767226500000, "marketprice": null, "unit": "Eur/MWh"}]}',
        '{"unix_seconds": [1767225600, 1767226500], "price": [50, null], "unit": "EUR/MWh"}',
    ],
)
def test_ways_to_write_prices(text: str) -> None:
    found = pricelists.read(text)
    assert found.step_minutes == 15
    assert found.prices[NEW_YEAR] == 0.05
    assert math.isnan(found.prices[NEW_YEAR + dt.timedelta(minutes=15)])


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "heading"),
        ("a,b,c\n1,2,3\n", "heading"),
        ("time,price\n", "no price in it"),
        ("time,price\n2026-02-30T00:00Z,1\n", "Line 2: “2026-02-30T00:00Z” is no time"),
        ("time,price\n2026-01-01 00:00,1\n", "Line 2: “2026-01-01 00:00” does not say its zone"),
        ("time,price\n2026-01-01T00:00Z,cheap\n", "Line 2: “cheap” is no price"),
        ("time,price\n2026-01-01T00:00Z,1e9\n", "check the unit"),
        ("time,price\n2026-01-01T00:00Z\n", "Line 2: a column is missing"),
        ("time,price\n2026-01-01T00:00Z,1\n2026-01-01T00:00Z,2\n", "Line 3: .* twice"),
        ("time,price\n2026-01-01T00:00Z,1\n2026-01-01T00:20Z,2\n", "for each hour"),
        ("time,price\n2026-01-01T00:07Z,1\n2026-01-01T01:07Z,2\n", "for each hour"),
        ('{"nothing": 1}', "no list of prices"),
        ("[1, 2]", "a time and a price"),
        ("[" * 5000, "not JSON"),
        ('{"unix_seconds": [1], "price": []}', "differ in length"),
    ],
)
def test_what_cannot_be_read_is_refused_with_its_line(text: str, says: str) -> None:
    with pytest.raises(BadPrices, match=says):
        pricelists.read(text)


@pytest.fixture
def exchange(tmp_path: Path) -> Iterator[tuple[int, Authority]]:
    """A server of prices with a certificate of its name, on a port of this machine."""

    class Handler(BaseHTTPRequestHandler):
        def log_message(self, *_args: Any) -> None:
            """Quiet."""

        def do_GET(self) -> None:
            body = b"time,price\n2026-01-01T00:00Z,0.05\n"
            self.send_response(302 if self.path == "/moved" else 200)
            self.send_header("Location", "/")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

    authority = Authority(tmp_path)
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.socket = authority.serve("prices.example").context.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield server.server_address[1], authority
    server.shutdown()
    server.server_close()


def test_the_one_way_out(exchange: tuple[int, Authority]) -> None:
    port, authority = exchange
    trust = ssl.create_default_context(cadata=authority.pem)

    def ask(url: str, address: str = "93.184.215.14", most_bytes: int = 1000) -> bytes:
        return outside.fetch(
            url, most_bytes=most_bytes, resolver=lambda _host, _port: [address], trust=trust,
            dial=lambda _address, _port: socket.create_connection(("127.0.0.1", port), 5),
        )  # fmt: skip

    assert pricelists.read(ask("https://prices.example/day").decode()).prices == {NEW_YEAR: 0.05}
    for url in ("http://prices.example/", "https://me:secret@prices.example/", "https://prices.example/a b"):
        with pytest.raises(outside.Unreachable):
            ask(url)
    for inside in ("127.0.0.1", "10.0.0.1", "169.254.169.254", "::ffff:10.0.0.1", "64:ff9b::a00:1", "fe80::1%eth0"):
        with pytest.raises(outside.Unreachable, match="private"):
            ask("https://prices.example/", inside)
    with pytest.raises(outside.Unreachable, match="302"):
        ask("https://prices.example/moved")
    with pytest.raises(outside.Unreachable, match="too much"):
        ask("https://prices.example/", most_bytes=10)
    with pytest.raises(outside.Unreachable):
        ask("https://other.example/")
