"""`--check`: what is well and what is wrong, each in a sentence, with what to do."""

import asyncio
from collections.abc import AsyncIterator

from livingcity_agent.adapters.base import Adapter, AdapterError, Finding
from livingcity_agent.city import City, TokenRefused, plain_http
from livingcity_agent.config import Config, DeviceConfig
from livingcity_agent.journal import Enrolled, Journal

CLOCK_S = 30.0
PATIENCE_S = 15.0


async def findings(config: Config) -> AsyncIterator[Finding]:
    """Everything, one line after the other."""
    journal = Journal(config.journal, most_bytes=config.most_mb * 1_000_000)
    try:
        count, _oldest = journal.waiting()
        yield Finding(True, f"The journal {config.journal} can be written; {count} messages wait.")
        if not journal.fits():
            yield Finding(
                False, f"The journal is larger than {config.most_mb} MB; raise most_mb or bring the network back."
            )
        clocks: dict[str, list[Finding]] = {}
        for device in config.devices:
            enrolled = journal.enrolled(device.name)
            url = enrolled.url if enrolled else config.url
            if url and url not in clocks:
                clocks[url] = await _clock(url)
                for finding in clocks[url]:
                    yield finding
            for finding in await _city(device, enrolled):
                yield finding
            for source in device.sources:
                for finding in await _adapter(source.adapter):
                    yield finding
    finally:
        journal.close()


async def _clock(url: str) -> list[Finding]:
    try:
        ahead = await City(url).clock()
    except AdapterError as error:
        return [Finding(False, str(error))]
    found = [Finding(True, f"The city at {url} answers.")]
    if abs(ahead) > CLOCK_S:
        word = "ahead of" if ahead > 0 else "behind"
        found.append(
            Finding(False, f"This clock is {abs(ahead):.0f} s {word} the city's: run timedatectl set-ntp true.")
        )
    else:
        found.append(Finding(True, f"The clock is right within {max(abs(ahead), 1.0):.0f} s."))
    if plain_http(url):
        found.append(Finding(False, f"{url} is not https: who sits on the way reads the token. Use https."))
    return found


async def _city(device: DeviceConfig, enrolled: Enrolled | None) -> list[Finding]:
    if enrolled is None:
        sentence = f"{device.name} is not enrolled. Ask the lab's manager for a code, then: livingcity-agent enrol CODE"
        return [Finding(False, f"{sentence} --device “{device.name}”.")]
    try:
        ack = await City(enrolled.url, enrolled.token).readings(b'{"readings":[]}')
    except TokenRefused:
        return [Finding(False, f"{device.name}: the city does not know its token any more; enrol it again.")]
    except AdapterError as error:
        return [Finding(False, f"{device.name}: {error}")]
    found = [Finding(True, f"{device.name} is enrolled; the city has everything up to number {ack.acked}.")]
    if device.circuit:
        found.append(await _circuit(device, enrolled))
    return found


async def _circuit(device: DeviceConfig, enrolled: Enrolled) -> Finding:
    try:
        await City(enrolled.url, enrolled.token).feeds(device.circuit)
    except AdapterError as error:
        return Finding(False, f"{device.name}: {error}")
    return Finding(True, f"{device.name} feeds the circuit “{device.circuit}”.")


async def _adapter(adapter: Adapter) -> list[Finding]:
    try:
        async with asyncio.timeout(PATIENCE_S):
            found = await adapter.check()
    except TimeoutError:
        found = [Finding(False, "It did not answer in time.")]
    except Exception as error:
        found = [Finding(False, f"The check itself went wrong: {type(error).__name__}: {error}")]
    return [Finding(f.ok, f"{adapter.name.place}: {f.sentence}") for f in found]
