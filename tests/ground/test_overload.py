"""The site as it is served, overrun: it refuses well, what watches over it is answered, and it comes back."""

import asyncio
import time
import urllib.request
from typing import Any

from prometheus_client.parser import text_string_to_metric_families

from livingcity import busy
from tests.benchmarks.visitors import Line, Seen, people

PEOPLE, SECONDS = 60, 5.0


def test_more_than_can_be_served_hear_when_to_come_back(live_city: Any) -> None:
    port = int(live_city.url.rpartition(":")[2])

    async def overrun() -> tuple[list[Seen], list[Seen]]:
        crowd = asyncio.create_task(people(port, {"home": "/"}, count=PEOPLE, seconds=SECONDS, think_s=0.01))
        watcher, seen = Line(port), []
        while not crowd.done():
            seen.append(await watcher.ask("healthz", "/healthz"))
            await asyncio.sleep(0.2)
        watcher.close()
        return await crowd, seen

    seen, watched = asyncio.run(overrun())
    served = [one for one in seen if one.status == 200]
    refused = [one for one in seen if one.status == 503]
    assert served and refused
    assert len(served) + len(refused) == len(seen), {one.status for one in seen}
    assert all(one.retry_after_s and busy.AGAIN_S[0] <= one.retry_after_s <= busy.AGAIN_S[1] for one in refused)
    assert {one.status for one in watched} == {200}, "who watches over the city is not refused with the others"
    began = time.monotonic()
    assert urllib.request.urlopen(f"{live_city.url}/", timeout=10).status == 200
    assert time.monotonic() - began < 10
    assert counted(live_city.url) >= len(refused)


def counted(url: str) -> float:
    """How many were refused, as any process of the site tells it."""
    with urllib.request.urlopen(f"{url}/metrics", timeout=30) as answer:
        text = answer.read().decode()
    samples = [sample for family in text_string_to_metric_families(text) for sample in family.samples]
    return sum(
        sample.value
        for sample in samples
        if sample.name == "city_http_refused_total" and sample.labels["pool"] == "pages"
    )
