"""The fork server: `python -m designs.sandbox.server` with a socket as its standard input.

It loads the engine once, then forks a child for each request; importing costs seconds, forking milliseconds. One
request is a line of JSON, one answer too. It ends when its parent does.
"""

import contextlib
import importlib
import json
import os
import resource
import signal
import socket
import sys
import time
from pathlib import Path
from typing import Any

from designs.sandbox import jail
from designs.sandbox.limits import Limits


def warm_up() -> None:
    """Import what a file may need, so that a child finds it there; nothing here may start a thread."""
    import trimesh  # noqa: F401, PLC0415
    from PIL import GifImagePlugin, JpegImagePlugin, PngImagePlugin, WebPImagePlugin  # noqa: F401, PLC0415
    from scipy import spatial  # noqa: F401, PLC0415
    from scipy.sparse import csgraph  # noqa: F401, PLC0415

    from designs.engine import drawing, glb, image, photo, picture, preview  # noqa: F401, PLC0415
    from designs.engine.diff import compare  # noqa: F401, PLC0415

    with contextlib.suppress(ImportError, RuntimeError, OSError):
        import landlock  # noqa: F401, PLC0415
        import pyseccomp  # noqa: F401, PLC0415 looks for its library with a program, which the walls forbid
    with contextlib.suppress(ImportError):
        import manifold3d  # noqa: F401, PLC0415
    with contextlib.suppress(ImportError):
        import cascadio  # noqa: F401, PLC0415
    with contextlib.suppress(ImportError):
        import DracoPy  # noqa: F401, PLC0415
        import ezdxf.recover  # noqa: F401, PLC0415
        import fast_simplification  # noqa: F401, PLC0415
        from shapely import STRtree  # noqa: F401, PLC0415
    with contextlib.suppress(ImportError):
        from embreex import mesh_construction, rtcore_scene  # noqa: F401, PLC0415


def serve(connection: socket.socket) -> None:
    """Answer requests until the other end is gone."""
    for line in connection.makefile("r"):
        request = json.loads(line)
        answer = one(request)
        connection.sendall(json.dumps(answer).encode() + b"\n")


def one(request: dict[str, Any]) -> dict[str, Any]:
    """Fork, wait, and say how it ended: {"status", "signal", "timeout", "cpu_s", "memory_bytes"}."""
    limits = Limits(**request["limits"])
    child = os.fork()
    if child == 0:
        _child(request, limits)
    until = time.monotonic() + limits.wall_s
    late = False
    while True:
        pid, status, usage = os.wait4(child, os.WNOHANG)
        if pid:
            break
        if time.monotonic() > until and not late:
            late = True
            os.kill(child, signal.SIGKILL)
        time.sleep(0.01)
    return {
        "status": os.waitstatus_to_exitcode(status) if os.WIFEXITED(status) else None,
        "signal": os.WTERMSIG(status) if os.WIFSIGNALED(status) else None,
        "timeout": late,
        "cpu_s": round(usage.ru_utime + usage.ru_stime, 3),
        "memory_bytes": usage.ru_maxrss * 1024,
    }


def _child(request: dict[str, Any], limits: Limits) -> None:
    """Never returns."""
    try:
        os.setsid()
        source, folder = Path(request["source"]), Path(request["folder"])
        nothing = os.open("/dev/null", os.O_RDWR)
        for number in (0, 1, 2):
            os.dup2(nothing, number)
        jail.close_what_is_open({0, 1, 2})
        os.chdir(folder)
        if request["work"] == "program":
            _become(request["format"], source, folder, limits)
        if request["work"] == "script":
            _run(request["format"], source, folder, limits)
        walls = jail.raise_walls(source=source, folder=folder, limits=limits)
        (folder / "walls.json").write_text(json.dumps(walls))
        _work(request["work"], source, request["format"], folder)
    except MemoryError:
        os._exit(3)
    except BaseException as error:  # whatever it was, this process ends here
        with contextlib.suppress(BaseException):
            Path(request["folder"], "fault.txt").write_text(f"{type(error).__name__}: {error}"[:2000])
        os._exit(4)
    os._exit(0)


def _run(request: str, source: Path, folder: Path, limits: Limits) -> None:
    """Become OpenSCAD behind the walls, with the script's folder to read and ours to write. Never returns."""
    program, main = request.split("\n", 1)
    messages = os.open(folder / "messages.txt", os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    os.dup2(messages, 1)
    os.dup2(messages, 2)
    os.close(messages)
    os.chdir(source)
    walls = jail.raise_walls(source=source, folder=folder, limits=limits, program=program)
    (folder / "walls.json").write_text(json.dumps(walls))
    environment = {"PATH": "/usr/bin:/bin", "HOME": str(folder), "TMPDIR": str(folder), "LC_ALL": "C.UTF-8"}
    environment |= {"QT_QPA_PLATFORM": "offscreen", "OMP_NUM_THREADS": "1"}
    os.execve(program, ["openscad", "-o", str(folder / "model.stl"), str(source / main)], environment)  # noqa: S606


def _become(request: str, source: Path, folder: Path, limits: Limits) -> None:
    """Become a program behind the walls, started in the folder to read, with ours to write. Never returns.

    `request` is JSON: "program", "arguments", where `{folder}` stands for the folder to write, and "environment".
    """
    asked = json.loads(request)
    messages = os.open(folder / "messages.txt", os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    os.dup2(messages, 1)
    os.dup2(messages, 2)
    os.close(messages)
    os.chdir(source)
    walls = jail.raise_walls(source=source, folder=folder, limits=limits, program=asked["program"])
    (folder / "walls.json").write_text(json.dumps(walls))
    environment = {"PATH": "/usr/bin:/bin", "HOME": str(folder), "TMPDIR": str(folder), "LC_ALL": "C.UTF-8"}
    environment |= {"OMP_NUM_THREADS": "1", **asked.get("environment", {})}
    arguments = [one.replace("{folder}", str(folder)) for one in asked["arguments"]]
    os.execve(asked["program"], [Path(asked["program"]).name, *arguments], environment)  # noqa: S606


def _work(work: str, source: Path, file_format: str, folder: Path) -> None:
    if ":" in work:  # "module:function" of another room's engine
        module, _colon, name = work.partition(":")
        getattr(importlib.import_module(module), name)(source, file_format, folder)
        return
    if work == "probe":
        from designs.sandbox import probe  # noqa: PLC0415 only to prove the walls

        probe.run(source, folder)
        return
    if work == "photo":
        from designs.engine import photo  # noqa: PLC0415 loaded by warm_up

        photo.make(source, folder)
        return
    if work in {"diff", "diff-picture"}:
        from designs.engine.diff import compare  # noqa: PLC0415 loaded by warm_up

        if work == "diff":
            compare.make(source, file_format, folder)
        else:
            compare.make_picture(source, folder)
        return
    from designs.engine import preview  # noqa: PLC0415 loaded by warm_up

    preview.make(source, file_format, folder)


def main() -> None:
    """Serve the socket that is our standard input."""
    jail._prctl(jail.PR_SET_PDEATHSIG, jail.SIGKILL)
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    connection = socket.socket(fileno=os.dup(0))
    warm_up()
    with contextlib.suppress(BrokenPipeError, ConnectionResetError):
        serve(connection)
    sys.exit(0)


if __name__ == "__main__":
    main()
