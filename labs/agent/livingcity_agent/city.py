"""What the city offers to devices: enrolment, the two doors of telemetry and jobs, commands, files."""

import datetime as dt
import logging
from collections.abc import Mapping
from dataclasses import dataclass, field
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from livingcity_agent import tracing
from livingcity_agent.adapters.base import AdapterError, JobFile
from livingcity_agent.http import Answer, BadStatus, Http, NoAnswer, said

log = logging.getLogger("livingcity_agent")


class TokenRefused(AdapterError):
    """The city does not know this device any more."""


class TooMuch(AdapterError):
    """The batch is longer than the city takes at once."""


class NotNow(AdapterError):
    """The city cannot take it now; `after_s` is how long it asks to be left alone."""

    def __init__(self, sentence: str, after_s: float = 0.0) -> None:
        super().__init__(sentence)
        self.after_s = after_s


class WillNot(AdapterError):
    """The city refuses what was sent, and will refuse it again until somebody changes something."""


@dataclass(frozen=True, slots=True)
class Ack:
    """What became of a batch."""

    acked: int
    stored: int
    duplicates: int
    rejected: tuple[str, ...] = ()
    flagged: tuple[str, ...] = ()


def ack_of(document: Any) -> Ack:
    """An acknowledgement off the wire. Raises NotNow for anything else: what is not acknowledged is sent again."""
    try:
        return Ack(
            int(document["acked"]),
            int(document["stored"]),
            int(document["duplicates"]),
            tuple(str(r.get("sentence") or r.get("code")) for r in document.get("rejected", ())),
            tuple(str(r.get("sentence") or r.get("code")) for r in document.get("flagged", ())),
        )
    except (KeyError, TypeError, ValueError, AttributeError):
        raise NotNow("What answers there is no Living City: it sent no acknowledgement.") from None


@dataclass
class City:
    """One device's line to the city."""

    url: str
    token: str = field(default="", repr=False)
    timeout_s: float = 30.0

    @property
    def _http(self) -> Http:
        headers = {"Authorization": f"Bearer {self.token}"} if self.token else {}
        return Http(self.url, headers=headers, timeout_s=self.timeout_s)

    async def enrol(self, code: str, *, kind: str, hardware_id: str) -> Mapping[str, Any]:
        """Trade a code for a token. Raises AdapterError with what the city says."""
        answer = await self._http.ask(
            "POST", "/api/v1/devices/enrol/", json_body={"code": code, "kind": kind, "hardware_id": hardware_id}
        )
        if answer.status != 201:
            raise AdapterError(f"The city at {self.url} did not let the device in: {told(answer)}.")
        try:
            found = answer.json()
            if not isinstance(found["token"], str) or not isinstance(found["next_seq"], int):
                raise TypeError
        except (ValueError, KeyError, TypeError):
            raise AdapterError(f"What answers at {self.url} is no Living City.") from None
        return dict(found)

    async def feeds(self, circuit: str) -> None:
        """Tell which circuit of the lab this device feeds. Raises AdapterError with what the city says."""
        answer = await self._http.ask("PUT", "/api/v1/device/circuit/", json_body={"circuit": circuit})
        if answer.status != 200:
            error = refusal(answer)
            raise type(error)(f"The city does not tie it to the circuit “{circuit}”: {told(answer)}.")

    async def send(self, path: str, body: bytes) -> Ack:
        """Send a batch through one of the doors. Raises NoAnswer, NotNow, TokenRefused, TooMuch, WillNot."""
        trace = tracing.traceparent()
        headers = {"Content-Type": "application/json", "traceparent": trace}
        answer = await self._http.ask("POST", path, body=body, headers=headers)
        if answer.status >= 500:
            log.info("%s answered %d (number %s)", path, answer.status, tracing.number(trace))
        if answer.status == 200:
            try:
                return ack_of(answer.json())
            except ValueError:
                raise NotNow("What answers there is no Living City: its answer is no JSON.") from None
        raise refusal(answer)

    async def readings(self, body: bytes) -> Ack:
        """Readings in."""
        return await self.send("/api/v1/telemetry/", body)

    async def jobs(self, body: bytes) -> Ack:
        """Job events in."""
        return await self.send("/api/v1/device/jobs/", body)

    async def commands(self, wait_s: int) -> list[Mapping[str, Any]]:
        """What the city asks for; waits for news up to so many seconds. Raises as `send` does."""
        answer = await self._http.ask("GET", f"/api/v1/device/commands/?wait={wait_s}", timeout_s=wait_s + 15)
        if answer.status != 200:
            raise refusal(answer)
        try:
            return list(answer.json()["commands"])
        except (ValueError, KeyError, TypeError):
            raise NotNow("The city's list of commands cannot be read.") from None

    async def answer(self, command: str, state: str, sentence: str) -> None:
        """Tell what became of a command. Raises as `send` does."""
        answer = await self._http.ask(
            "POST", f"/api/v1/device/commands/{command}/", json_body={"state": state, "sentence": sentence[:300]}
        )
        if answer.status not in {200, 404, 409}:
            raise refusal(answer)

    async def file(self, path: str, name: str, into: Path) -> JobFile:
        """Fetch the file of a command from the city itself, never from elsewhere. Raises AdapterError."""
        if not path.startswith("/") or path.startswith("//"):
            raise AdapterError("The city named a file that is not its own.")
        return await self._http.download(path, name, into=into)

    async def clock(self) -> float:
        """Seconds by which this computer's clock is ahead of the city's. Raises NoAnswer, BadStatus."""
        before = dt.datetime.now(dt.UTC)
        answer = await self._http.ask("GET", "/healthz", timeout_s=10)
        after = dt.datetime.now(dt.UTC)
        if answer.status >= 500:
            raise BadStatus(f"The city at {self.url} is not well: {told(answer)}.", answer)
        try:
            there = parsedate_to_datetime(answer.headers["date"])
        except (KeyError, ValueError):
            raise BadStatus(f"{self.url} does not say what time it is.", answer) from None
        return ((before - there) + (after - before) / 2).total_seconds()


def told(answer: Answer) -> str:
    """What the city says of a refusal, in its own sentence."""
    try:
        document = answer.json()
        sentence = document.get("detail") or document.get("title")
        if isinstance(sentence, str) and sentence:
            return sentence.rstrip(".")
    except (ValueError, AttributeError):
        pass
    return said(answer)


def refusal(answer: Answer) -> AdapterError:
    """The error that a status means."""
    sentence = f"The city says: {told(answer)}."
    if answer.status == 401:
        return TokenRefused(sentence)
    if answer.status == 413:
        return TooMuch(sentence)
    if answer.status in {408, 425, 429} or answer.status >= 500:
        after = answer.headers.get("retry-after", "")
        return NotNow(sentence, float(after) if after.isdecimal() else 0.0)
    return WillNot(sentence)


def plain_http(url: str) -> bool:
    """Whether a token would travel in the clear, other than within this computer."""
    parts = urlsplit(url)
    return parts.scheme == "http" and parts.hostname not in {"localhost", "127.0.0.1", "::1"}


__all__ = ("Ack", "City", "NoAnswer", "NotNow", "TokenRefused", "TooMuch", "WillNot", "ack_of", "plain_http")
