"""How to cite a version: a sentence, BibTeX, and a CITATION.cff (Citation File Format 1.2.0). Pure.

CFF has no type for hardware (only software and dataset), so designs are cited as datasets.
"""

import datetime as dt
import json
import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Work:
    """What is cited. `authors` are names as they sign; `licence` is an SPDX expression."""

    title: str
    version: str
    authors: Sequence[str]
    at: dt.date
    url: str
    commit: str
    licence: str
    sha256: str = ""
    repository: str = ""
    summary: str = ""
    sources: Sequence[tuple[str, str, str]] = ()


def text(work: Work) -> str:
    """One line for a list of references."""
    who = ", ".join(work.authors) or "Anonymous"
    return (
        f"{who} ({work.at.year}): {work.title}, version {work.version}. {work.url} "
        f"(commit {work.commit[:10]}, {work.licence})"
    )


_TEX = {
    "\\": r"\textbackslash{}", "{": r"\{", "}": r"\}", "#": r"\#", "$": r"\$", "%": r"\%", "&": r"\&", "_": r"\_",
    "^": r"\^{}", "~": r"\~{}",
}  # fmt: skip


def _tex(words: str) -> str:
    return "".join(_TEX.get(letter, letter) for letter in " ".join(words.split()))


def bibtex(work: Work) -> str:
    """A `@misc` entry. Names stand in braces, since we do not know which part of them is the family name."""
    plain = unicodedata.normalize("NFKD", work.title).encode("ascii", "ignore").decode()
    key = re.sub(r"[^a-z0-9]+", "-", f"{plain} {work.version}".lower()).strip("-") or "design"
    fields = {
        "title": "{" + _tex(f"{work.title}, version {work.version}") + "}",
        "author": " and ".join("{" + _tex(name) + "}" for name in work.authors) or "{Anonymous}",
        "year": str(work.at.year),
        "month": str(work.at.month),
        "version": _tex(work.version),
        "url": work.url,
        "note": _tex(f"commit {work.commit}, {work.licence}" + (f", SHA-256 {work.sha256}" if work.sha256 else "")),
    }
    return f"@misc{{{key},\n" + "".join(f"  {name} = {{{value}}},\n" for name, value in fields.items()) + "}\n"


def cff(work: Work) -> str:
    """A CITATION.cff. Every value is a JSON string, which is a YAML string too."""
    lines = [
        "cff-version: 1.2.0",
        'message: "If you use this design, please cite it as below."',
        "type: dataset",
        f"title: {_quoted(work.title)}",
        *([f"abstract: {_quoted(work.summary)}"] if work.summary else []),
        f"version: {_quoted(work.version)}",
        f"date-released: {work.at.isoformat()}",
        f"commit: {_quoted(work.commit)}",
        f"url: {_quoted(work.url)}",
        *([f"repository-code: {_quoted(work.repository)}"] if work.repository else []),
        *_licence(work.licence),
        "authors:",
        *(f"  - name: {_quoted(name)}" for name in (work.authors or ("Anonymous",))),
    ]
    if work.sources:
        lines.append("references:")
        for title, authors, url in work.sources:
            lines += ["  - type: generic", f"    title: {_quoted(title)}", "    authors:"]
            lines += [f"      - name: {_quoted(authors or 'Anonymous')}"]
            lines += [f"    url: {_quoted(url)}"] if url.startswith(("https://", "http://")) else []
    return "\n".join(lines) + "\n"


def _licence(expression: str) -> list[str]:
    """CFF takes SPDX ids only: one, or a list of which any may be chosen."""
    ids = expression.split(" OR ")
    if any(re.search(r"LicenseRef-| AND | WITH |[()]", each) for each in ids):
        return []
    return [f"license: {ids[0]}"] if len(ids) == 1 else ["license:", *(f"  - {each}" for each in ids)]


def _quoted(words: str) -> str:
    return json.dumps(" ".join(words.split()), ensure_ascii=False)
