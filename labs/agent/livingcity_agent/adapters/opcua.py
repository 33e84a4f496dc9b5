"""OPC UA: machines that offer their values as nodes of a server. Needs the package `asyncua`.

Which node means what is described in the configuration, for servers name and arrange their nodes as they like. The
companion specifications (EUROMAP 77 and 83, Machinery Job Management) are read the same way: their state nodes with
`words`, their program or job name with `program`. Nothing is ever written.
"""

import asyncio
import logging
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, ClassVar, Self

from asyncua import ua
from asyncua.client.client import Client
from asyncua.common.node import Node
from asyncua.ua.status_codes import StatusCodes
from asyncua.ua.uaerrors import UaError, UaStatusCodeError

from livingcity_agent.adapters.base import Adapter, AdapterError, Finding, Name, Sink
from livingcity_agent.adapters.broker import either
from livingcity_agent.adapters.generic import Jobs, Teller
from livingcity_agent.adapters.plug import well, wrong
from livingcity_agent.http import why
from livingcity_agent.parsers.values import NoValue, Value
from livingcity_agent.tables import Table

logging.getLogger("asyncua").setLevel(logging.CRITICAL)  # it tells every step; what is wrong is said in sentences here
CONNECT_S = 6.0
ALIVE_S = 5.0
_PASSWORD = {
    StatusCodes.BadIdentityTokenRejected,
    StatusCodes.BadIdentityTokenInvalid,
    StatusCodes.BadUserAccessDenied,
}
_NODE = {StatusCodes.BadNodeIdUnknown, StatusCodes.BadNodeIdInvalid, StatusCodes.BadAttributeIdInvalid}


@dataclass(frozen=True, slots=True)
class Watched:
    """A node and what it means; `value` None: it names the program that runs."""

    node: str
    value: Value | None


@dataclass
class OpcUa(Adapter):
    """One server. `security`: what asyncua calls a security string, `Policy,Mode,certificate,key`."""

    kind: ClassVar[str] = "opcua"

    address: str = ""
    user: str = ""
    password: str = field(default="", repr=False)
    security: str = ""
    watched: tuple[Watched, ...] = ()
    jobs: Jobs = field(default_factory=Jobs)
    interval_s: float = 1.0

    @classmethod
    def configure(cls, table: Table, name: Name) -> Self:
        values = [_watched(inner) for inner in table.tables("value")]
        if not values:
            table.fault("value", "is missing: describe what to read, each under [[device.source.value]].")
        channels = {watched.value.channel for watched in values if watched.value}
        if program := _node_id(table, "program", ""):
            values.insert(0, Watched(program, None))
        return cls(
            name,
            table.url("url", schemes=("opc.tcp",)),
            table.string("user", ""),
            table.secret("password", ""),
            _security(table),
            tuple(values),
            Jobs.configure(table, channels),
            table.number("every_s", 1.0, least=0.1, most=60.0),
        )

    async def run(self, sink: Sink) -> None:
        teller = self.jobs.teller(sink)
        async with self._connected() as client:
            nodes = await self._nodes(client)
            heard: asyncio.Queue[tuple[Watched, Any]] = asyncio.Queue(10_000)
            subscription = await client.create_subscription(
                self.interval_s * 1000, _Handler(heard, {node.nodeid: watched for watched, node in nodes})
            )
            await subscription.subscribe_data_change([node for _watched, node in nodes])
            await either(self._tell(heard, teller), _alive(client, self.address))

    async def _tell(self, heard: "asyncio.Queue[tuple[Watched, Any]]", teller: Teller) -> None:
        while True:
            watched, found = await heard.get()
            if watched.value is None:
                teller.program = str(found or "").replace("\\", "/").rpartition("/")[2]
                continue
            try:
                teller.reading(watched.value.reading(found))
            except NoValue as error:
                teller.missed(f"{self.name.place}: {watched.node}: {error}")

    @asynccontextmanager
    async def _connected(self) -> AsyncIterator[Client]:
        client = Client(self.address, timeout=CONNECT_S)
        if self.user:
            client.set_user(self.user)
            client.set_password(self.password)
        try:
            if self.security:
                await client.set_security_string(self.security)
            async with asyncio.timeout(CONNECT_S):
                await client.connect()
        except UaStatusCodeError as error:
            raise AdapterError(self._refusal(error)) from None
        except (OSError, TimeoutError, UaError, ValueError) as error:
            raise AdapterError(f"{self.address} cannot be reached: {why(error)}.") from None
        try:
            yield client
        except UaStatusCodeError as error:
            raise AdapterError(f"{self.address}: {error.__doc__ or error}") from None
        except UaError as error:
            raise AdapterError(f"{self.address} broke off: {why(error)}.") from None
        finally:
            try:
                async with asyncio.timeout(2.0):
                    await client.disconnect()
            except (OSError, TimeoutError, UaError):
                pass

    def _refusal(self, error: UaStatusCodeError) -> str:
        if error.code in _PASSWORD:
            who = f"the name “{self.user}” or its password" if self.user else "to let anybody in without a name"
            return f"{self.address} refuses {who}."
        return f"{self.address} refuses: {error.__doc__ or error}"

    async def _nodes(self, client: Client) -> list[tuple[Watched, Node]]:
        """The nodes of the configuration. Raises AdapterError for one that is not there."""
        spaces = await client.get_namespace_array()
        found: list[tuple[Watched, Node]] = []
        for watched in self.watched:
            node = client.get_node(_resolved(watched.node, spaces))
            try:
                await node.read_data_type()
            except UaStatusCodeError as error:
                if error.code not in _NODE:
                    raise
                known = ", ".join(f"{n} {uri}" for n, uri in enumerate(spaces))
                raise AdapterError(f"There is no variable {watched.node}. Namespaces are: {known}.") from None
            found.append((watched, node))
        return found

    async def check(self) -> list[Finding]:
        try:
            async with asyncio.timeout(9.5), self._connected() as client:
                nodes = await self._nodes(client)
                return [await self._judge(watched, node) for watched, node in nodes]
        except TimeoutError:
            return [wrong(f"{self.address} took too long to answer.")]
        except AdapterError as error:
            return [wrong(error)]

    async def _judge(self, watched: Watched, node: Node) -> Finding:
        try:
            found = await node.read_value()
            if watched.value is None:
                return well(f"{watched.node} names the program “{found}”.")
            read = watched.value.reading(found)
        except UaStatusCodeError as error:
            return wrong(f"{watched.node} cannot be read: {error.__doc__ or error}")
        except NoValue as error:
            return wrong(f"{watched.node}: {error}")
        return well(f"{watched.node} gives {read.channel} = {read.value}.")


class _Handler:
    """What the server tells by itself."""

    def __init__(self, heard: "asyncio.Queue[tuple[Watched, Any]]", watched: Mapping[ua.NodeId, Watched]) -> None:
        self._heard, self._watched = heard, watched

    def datachange_notification(self, node: Node, value: Any, data: Any) -> None:
        """A value that changed; one of bad quality is left out."""
        status = getattr(data.monitored_item.Value, "StatusCode", None)
        if (status is None or status.is_good()) and not self._heard.full():
            self._heard.put_nowait((self._watched[node.nodeid], value))


async def _alive(client: Client, address: str) -> None:
    while True:
        try:
            async with asyncio.timeout(CONNECT_S):
                await client.check_connection()
        except (OSError, TimeoutError, UaError) as error:
            raise AdapterError(f"{address} broke off: {why(error)}.") from None
        await asyncio.sleep(ALIVE_S)


def _resolved(node: str, spaces: list[str]) -> str:
    if not node.startswith("nsu="):
        return node
    uri, _semicolon, rest = node.removeprefix("nsu=").rpartition(";")
    if uri not in spaces:
        raise AdapterError(f"There is no namespace {uri}; there are {', '.join(spaces)}.")
    return f"ns={spaces.index(uri)};{rest}"


def _watched(table: Table) -> Watched:
    watched = Watched(_node_id(table, "node"), Value.configure(table))
    table.done()
    return watched


def _node_id(table: Table, key: str, default: str | None = None) -> str:
    text = table.string(key, default)
    if text and not text.startswith("nsu="):
        try:
            ua.NodeId.from_string(text)
        except (UaError, ValueError):
            table.fault(key, "must be a node such as ns=2;s=Power, or nsu=http://maker/;s=Power.")
    return text


def _security(table: Table) -> str:
    parts = table.strings("security", ())
    if not parts:
        return ""
    if len(parts) != 4 or parts[1] not in {"Sign", "SignAndEncrypt"}:
        table.fault("security", 'must be ["Basic256Sha256", "SignAndEncrypt", "certificate.der", "key.pem"].')
        return ""
    files = [str((table.folder / name).expanduser()) for name in parts[2:]]
    return ",".join([parts[0], parts[1], *files])
