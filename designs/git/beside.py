"""Two repositories looked at as one, without a byte of either going into the other."""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from designs.git.repository import Repository


@contextmanager
def beside(*repositories: Repository) -> Iterator[Repository]:
    """A repository for reading that has the objects of all the given ones and no refs; it is gone afterwards.

    So a change can be shown before it is offered: nothing of a private fork lies in the target by then.
    """
    if len({repository.path for repository in repositories}) == 1:
        yield repositories[0]
        return
    with tempfile.TemporaryDirectory(prefix="lc-beside-") as folder:
        path = Path(folder)
        (path / "objects" / "info").mkdir(parents=True)
        (path / "refs").mkdir()
        (path / "HEAD").write_text("ref: refs/heads/none\n")
        lines = (f"{repository.path / 'objects'}\n" for repository in repositories)
        (path / "objects" / "info" / "alternates").write_text("".join(lines))
        yield Repository(path)
