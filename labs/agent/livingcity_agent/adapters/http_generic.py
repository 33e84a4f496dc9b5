"""Any machine, plug or meter that answers JSON (or a bare number) at an address, which is asked again and again."""

import asyncio
from dataclasses import dataclass, field
from typing import Any, ClassVar, Self
from urllib.parse import urlsplit

from livingcity_agent.adapters.base import Adapter, AdapterError, Finding, Name, Sink
from livingcity_agent.adapters.generic import Jobs
from livingcity_agent.adapters.plug import well, wrong
from livingcity_agent.http import Http
from livingcity_agent.parsers.values import NoValue, Value, document_of
from livingcity_agent.tables import Table


@dataclass
class HttpGeneric(Adapter):
    """Values in the answer of one address."""

    kind: ClassVar[str] = "http"

    address: str = ""
    user: str = ""
    password: str = field(default="", repr=False)
    headers: tuple[tuple[str, str], ...] = field(default=(), repr=False)
    values: tuple[Value, ...] = ()
    jobs: Jobs = field(default_factory=Jobs)
    interval_s: float = 10.0

    @classmethod
    def configure(cls, table: Table, name: Name) -> Self:
        values = tuple(_value(inner) for inner in table.tables("value"))
        if not values:
            table.fault("value", "is missing: describe what to read, each under [[device.source.value]].")
        headers = table.table("headers")
        return cls(
            name,
            table.url("url"),
            table.string("user", ""),
            table.secret("password", ""),
            tuple((key, _line(headers, key)) for key in tuple(headers.values)),
            values,
            Jobs.configure(table, {value.channel for value in values}),
            table.number("every_s", 10.0, least=1.0, most=3600.0),
        )

    async def run(self, sink: Sink) -> None:
        teller = self.jobs.teller(sink)
        while True:
            document = await self._ask()
            heard = 0
            for value in self.values:
                try:
                    teller.reading(value.read(document))
                    heard += 1
                except NoValue as error:
                    teller.missed(f"{self.name.place}: {error}")
            if not heard:
                raise AdapterError(f"{self.address} answers, but nothing of what was described.")
            await asyncio.sleep(self.interval_s)

    async def _ask(self) -> Any:
        url = urlsplit(self.address)
        http = Http(f"{url.scheme}://{url.netloc}", dict(self.headers), self.user, self.password, timeout_s=8.0)
        path = (url.path or "/") + (f"?{url.query}" if url.query else "")
        answer = await http.ask("GET", path)
        if answer.status in {401, 403}:
            raise AdapterError(f"{self.address} refuses the name or the password.")
        if answer.status in {301, 302, 303, 307, 308}:
            to = answer.headers.get("location", "elsewhere")[:200]
            raise AdapterError(f"{self.address} sends on to {to}; give that address if it is the right one.")
        if answer.status != 200:
            raise AdapterError(f"{self.address} answers {answer.status}.")
        return document_of(answer.body)

    async def check(self) -> list[Finding]:
        try:
            document = await self._ask()
        except AdapterError as error:
            return [wrong(error)]
        return [self._judge(value, document) for value in self.values]

    def _judge(self, value: Value, document: Any) -> Finding:
        try:
            read = value.read(document)
        except NoValue as error:
            return wrong(f"{self.address}: {error}")
        return well(f"{self.address} gives {read.channel} = {read.value}.")


def _value(table: Table) -> Value:
    value = Value.configure(table)
    table.done()
    return value


def _line(table: Table, key: str) -> str:
    value = table.string(key, most=4000)
    if any(ord(sign) < 32 for sign in key + value) or ":" in key:
        table.fault(key, "must be one line.")
        return ""
    return value
