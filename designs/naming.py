"""What files say of themselves before anybody has written a word: a name and a sentence for a new design."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from designs.engine import formats

MAX_NAME, MAX_SUMMARY, MOST_BYTES = 120, 400, 64_000
_HEADING = re.compile(r"^#[ \t]+(?P<words>[^\n]+)", re.MULTILINE)
_LINK = re.compile(r"!?\[(?P<words>[^\]\n]*)\]\([^)\n]*\)")
#: Lines that begin so are no sentence: headings, pictures, tables, lists, quotes, code, HTML.
_NO_SENTENCE = ("#", "!", "[!", "|", "-", "*", ">", "`", "~", "<", "=", "+")


@dataclass(frozen=True, slots=True)
class About:
    """A name and a summary, each empty where the files say none."""

    name: str = ""
    summary: str = ""


def of_files(files: Mapping[str, object]) -> About:
    """The README's first heading and first sentence; without them the name of the first file that gets a picture."""
    paths = sorted(files, key=lambda path: (path.count("/"), path.lower()))
    readme = next((path for path in paths if PurePosixPath(path).name.lower() == "readme.md"), None)
    told = of_readme(_start(files[readme])) if readme else About()
    others = [path for path in paths if path != readme]
    first = next((path for path in others if formats.of_name(path) in formats.DRAWN), next(iter(others), ""))
    return About(told.name or of_name(first), told.summary)


def of_readme(text: str) -> About:
    """The first heading of Markdown as a name, its first paragraph of words as a summary."""
    heading = _HEADING.search(text)
    rest = text[heading.end() :] if heading else text
    blocks = (block.strip() for block in re.split(r"\n[ \t]*\n", rest))
    words = next((block for block in blocks if block and not block.startswith(_NO_SENTENCE)), "")
    return About(_plain(heading["words"] if heading else "")[:MAX_NAME], _plain(words)[:MAX_SUMMARY].strip())


def of_name(path: str) -> str:
    """`parts/rail_clamp-v2.stl` is called “Rail clamp v2”."""
    words = " ".join(re.split(r"[\s_\-]+", PurePosixPath(path).stem)).strip()
    return (words[:1].upper() + words[1:])[:MAX_NAME]


def _plain(markdown: str) -> str:
    words = _LINK.sub(lambda match: match["words"], markdown)
    return " ".join(re.sub(r"[*`]|(?<!\w)_|_(?!\w)", "", words).split())


def _start(content: object) -> str:
    if isinstance(content, Path):
        with content.open("rb") as file:
            content = file.read(MOST_BYTES)
    return (
        (content if isinstance(content, bytes) else b"")[:MOST_BYTES].decode("utf-8", "replace").replace("\r\n", "\n")
    )
