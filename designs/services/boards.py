"""Drawing circuit boards of several Gerber files. The same files give the same pictures, so twice is harmless."""

import json
import os
import tempfile
from pathlib import Path, PurePosixPath

from designs import sandbox
from designs.errors import DesignNotFound, GitFailed, LargeFileMissing
from designs.models import Design
from designs.queries.boards import PICTURES, Board, boards
from designs.queries.files import content, files_at
from designs.sandbox.results import Result

MAX_BYTES = 24 * 1024 * 1024


def draw_missing(*, design: Design) -> int:
    """Draw the boards of the newest version that nobody drew yet; how many these were."""
    missing = [board for board in boards(files_at(design, design.head)) if board.about is None]
    for board in missing:
        keep(board=board, result=_drawn(design, board))
    return len(missing)


def _drawn(design: Design, board: Board) -> Result:
    if sum(file.size for file in board.files) > MAX_BYTES:
        return Result.failed(f"The board's files are larger than {MAX_BYTES // 1024 // 1024} MB together.")
    with tempfile.TemporaryDirectory(prefix="lc-board-") as name:
        try:
            for file in board.files:
                (Path(name) / PurePosixPath(file.path).name).write_bytes(b"".join(content(design, file)))
        except (GitFailed, DesignNotFound, LargeFileMissing, OSError):
            return Result.failed("The files could not be read from their repository.")
        return sandbox.draw(Path(name), "board").result


def keep(*, board: Board, result: Result) -> None:
    """Put a board's pictures and facts where pages find them, the facts last: they say that all is there."""
    board.place.mkdir(parents=True, exist_ok=True)
    about = json.dumps({"reason": result.reason, "facts": result.facts}).encode()
    pictures = {PICTURES["png"]: result.png, PICTURES["small"]: result.small} if result.ready else {}
    for name, raw in (*pictures.items(), ("about.json", about)):
        draft = board.place / f".{name}.{os.getpid()}"
        draft.write_bytes(raw)
        draft.replace(board.place / name)
