# ruff: noqa: T201 a benchmark prints its figures
"""The map of a district in a headless Chromium: when something is seen, when the map is drawn, what was fetched.

    python -m tests.benchmarks.bench_map http://localhost:8000/twin/kamppi/map/ [times]

Needs a city that runs. Each time is a new browser context with an empty cache; WebGL is drawn by the processor
(SwiftShader), so a browser with a graphics card is quicker. The aim: the first picture within 3 s, and no request to
another origin.
"""

import statistics
import sys
import time
from urllib.parse import urlsplit

from playwright.sync_api import Browser, Response, sync_playwright

ARGUMENTS = [
    "--no-sandbox",
    "--use-gl=angle",
    "--use-angle=swiftshader",
    "--enable-unsafe-swiftshader",
    "--ignore-gpu-blocklist",
]


def once(browser: Browser, url: str) -> dict[str, float]:
    """One visit: seconds to the first paint, to the map drawn; requests, strangers, kilobytes on the wire."""
    context = browser.new_context(viewport={"width": 1440, "height": 900})
    page = context.new_page()
    origin = urlsplit(url).netloc
    answers: list[Response] = []

    def heard(answer: Response) -> None:  # Playwright takes no method of a list
        answers.append(answer)

    page.on("response", heard)
    began = time.perf_counter()
    page.goto(url, wait_until="commit")
    page.wait_for_selector("svg.citymap", state="visible")
    still = time.perf_counter() - began
    page.wait_for_selector("lc-map[data-ready]", timeout=120_000)
    drawn = time.perf_counter() - began
    painted = page.evaluate("performance.getEntriesByName('first-contentful-paint')[0].startTime") / 1000
    size = page.evaluate("performance.getEntriesByType('resource').reduce((sum, one) => sum + one.transferSize, 0)")
    strangers = sum(urlsplit(one.url).netloc != origin for one in answers if one.url.startswith("http"))
    count = len(answers)
    context.close()
    return {
        "first paint, s": painted,
        "the district's picture, s": still,
        "the map drawn, s": drawn,
        "requests": count,
        "to other origins": strangers,
        "kB on the wire": size / 1000,
    }


def main() -> None:
    """Print the medians."""
    url, times = sys.argv[1], int(sys.argv[2]) if len(sys.argv) > 2 else 3
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=ARGUMENTS)
        visits = [once(browser, url) for _ in range(times)]
        browser.close()
    for name in visits[0]:
        values = [visit[name] for visit in visits]
        print(f"{name:28} {statistics.median(values):8.2f}   (least {min(values):.2f}, most {max(values):.2f})")


if __name__ == "__main__":
    main()
