"""Pictures that a text of a design shows: those of files of the same version, as we drew them."""

from collections.abc import Callable, Iterable
from functools import cache

from designs.addresses import preview_url
from designs.models import Design
from designs.queries.files import File, files_at

Pictures = Callable[[str], str | None]


def pictures_at(design: Design, commit: str, files: Iterable[File] | None = None) -> Pictures:
    """By the path of a file, the address of its picture; None where there is none. `files` are those of the version;
    without them they are read when a text first shows a picture."""

    @cache
    def known() -> dict[str, str]:
        return drawn(design, files_at(design, commit) if files is None else files)

    return lambda path: known().get(path)


def drawn(design: Design, files: Iterable[File]) -> dict[str, str]:
    """The addresses of the pictures that there are of these files, by their paths."""
    return {
        file.path: preview_url(design, file.blob, "large" if file.blob.is_photo else "png")
        for file in files
        if file.is_drawn and file.blob is not None and file.blob.png
    }
