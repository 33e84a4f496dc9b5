"""A serial port for asyncio, by the operating system's own means (termios); nothing to install."""

import asyncio
import contextlib
import errno
import fcntl
import os
import termios
import tty
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from livingcity_agent.adapters.base import AdapterError

_LIKELY = ("ttyUSB*", "ttyACM*", "serial/by-id/*", "cu.usb*")
BAUDS = {int(name[1:]): getattr(termios, name) for name in dir(termios) if name[0] == "B" and name[1:].isdecimal()}


class Port:
    """An open port: lines in, bytes out."""

    def __init__(self, descriptor: int, path: str) -> None:
        self._descriptor, self._path = descriptor, path
        self._reader = asyncio.StreamReader(limit=65_536)
        asyncio.get_running_loop().add_reader(descriptor, self._readable)

    def _readable(self) -> None:
        try:
            data = os.read(self._descriptor, 4096)
        except BlockingIOError:
            return
        except OSError:
            data = b""
        if data:
            self._reader.feed_data(data)
        else:
            asyncio.get_running_loop().remove_reader(self._descriptor)
            self._reader.feed_eof()

    async def line(self) -> str:
        """The next line, without its end. Raises AdapterError when the cable is pulled."""
        try:
            raw = await self._reader.readline()
        except ValueError:
            return ""  # longer than any line of a machine: noise
        if not raw:
            raise AdapterError(f"The port {self._path} is gone: was the cable pulled, or the machine switched off?")
        return raw.decode("utf-8", "replace").strip()

    async def write(self, data: bytes) -> None:
        """Write all of it. Raises AdapterError when the cable is pulled."""
        left = memoryview(data)
        while left:
            try:
                left = left[os.write(self._descriptor, left) :]
            except BlockingIOError:
                await asyncio.sleep(0.01)
            except OSError:
                raise AdapterError(f"The port {self._path} is gone: was the cable pulled?") from None

    def close(self) -> None:
        """Let go of it."""
        with contextlib.suppress(OSError, ValueError):
            asyncio.get_running_loop().remove_reader(self._descriptor)
        os.close(self._descriptor)


@asynccontextmanager
async def opened(path: str, baud: int) -> AsyncIterator[Port]:
    """A port for this program alone. Raises AdapterError with what to do."""
    descriptor = _open(path, baud)
    port = Port(descriptor, path)
    try:
        yield port
    finally:
        port.close()


def _open(path: str, baud: int) -> int:
    try:
        descriptor = os.open(path, os.O_RDWR | os.O_NOCTTY | os.O_NONBLOCK)
    except OSError as error:
        raise AdapterError(_why_not(path, error)) from None
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        tty.setraw(descriptor)
        settings = termios.tcgetattr(descriptor)
        settings[2] |= termios.CLOCAL | termios.CREAD
        settings[4] = settings[5] = BAUDS[baud]
        termios.tcsetattr(descriptor, termios.TCSANOW, settings)
        termios.tcflush(descriptor, termios.TCIFLUSH)
    except (OSError, termios.error) as error:
        os.close(descriptor)
        number = error.args[0] if error.args else 0
        if number in {errno.EAGAIN, errno.EACCES}:
            raise AdapterError(f"Another program has the port {path}: a G-code sender, or a second agent?") from None
        raise AdapterError(f"{path} is no serial port.") from None
    return descriptor


def _why_not(path: str, error: OSError) -> str:
    if error.errno == errno.ENOENT:
        there = sorted(str(found) for pattern in _LIKELY for found in Path("/dev").glob(pattern))
        known = f"There is {', '.join(there)}." if there else "No serial port is there: is the cable in?"
        return f"There is no port {path}. {known}"
    if error.errno == errno.EACCES:
        return f"The port {path} may not be opened: add the agent's user to the group dialout, then restart it."
    if error.errno == errno.EBUSY:
        return f"Another program has the port {path}: a G-code sender, or a second agent?"
    return f"The port {path} cannot be opened: {error.strerror}."
