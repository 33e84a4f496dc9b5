"""Drawing circuit boards of several Gerber files."""

import tempfile
from pathlib import Path, PurePosixPath

from designs import sandbox
from designs.errors import DesignNotFound, GitFailed, LargeFileMissing
from designs.models import Design
from designs.queries.boards import KIND, Board, boards
from designs.queries.files import File, content
from designs.sandbox.results import Result
from designs.services import made

MAX_BYTES = 24 * 1024 * 1024


def draw_missing(*, design: Design, files: list[File]) -> int:
    """Draw the boards of a version that nobody drew yet; how many these were."""
    missing = [board for board in boards(files) if board.about is None]
    for board in missing:
        made.keep(kind=KIND, key=board.key, result=_drawn(design, board))
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
