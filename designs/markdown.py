"""Texts of strangers as HTML: CommonMark, then nh3, so that nothing of theirs can run or reach out."""

import posixpath
import re
from collections.abc import Callable, Collection, Iterable, Iterator
from functools import cache
from urllib.parse import unquote, urlsplit

import nh3
from django.urls import reverse
from django.utils.safestring import SafeString, mark_safe
from markdown_it import MarkdownIt
from markdown_it.token import Token

from commons.people.models import Handle

TAGS = {
    "a", "p", "h2", "h3", "h4", "h5", "h6", "ul", "ol", "li", "em", "strong", "code", "pre", "blockquote", "hr", "br",
    "table", "thead", "tbody", "tr", "th", "td", "img", "del",
}  # fmt: skip
ATTRIBUTES = {"a": {"href", "title"}, "img": {"src", "alt", "title"}, "ol": {"start"}}
#: Code may be wider than the page; then keys scroll it.
SET = {"pre": {"tabindex": "0"}}


@cache
def _parser() -> MarkdownIt:
    return MarkdownIt("commonmark", {"html": False, "linkify": False}).enable(["table", "strikethrough"])


def render(
    text: str,
    *,
    owner: str,
    slug: str,
    ref: str,
    folder: str = "",
    pictures: Callable[[str], str | None] = lambda _path: None,
) -> SafeString:
    """Safe HTML. Relative links lead to the files of the same version, from the `folder` of the text on.

    `pictures` gives the address of what we drew of a file by its path; others, and any from elsewhere, are left out.
    """
    tokens = _parser().parse(text)
    for token in tokens:
        if token.type in {"heading_open", "heading_close"}:
            token.tag = f"h{min(int(token.tag[1]) + 1, 6)}"
        for child in token.children or ():
            if child.type == "image":
                _show(child, _inside(str(child.attrGet("src") or ""), folder), pictures)

    def attribute(tag: str, name: str, value: str) -> str | None:
        if name == "href":
            return _link(value, (owner, slug, ref), folder)
        return value

    html = _parser().renderer.render(tokens, _parser().options, {})
    return mark_safe(  # noqa: S308 cleaned by nh3
        nh3.clean(
            html, tags=TAGS, attributes=ATTRIBUTES, attribute_filter=attribute, link_rel="nofollow noopener noreferrer",
            set_tag_attribute_values=SET, url_schemes={"https", "http", "mailto"},
        )
    )  # fmt: skip


def _show(image: Token, path: str | None, pictures: Callable[[str], str | None]) -> None:
    """Let a picture show what we drew of its file; where there is nothing its words stand in its place."""
    address = pictures(path) if path is not None else None
    if address is None:
        image.type, image.tag, image.children = "text", "", None
    else:
        image.attrSet("src", address)


def _scheme(value: str) -> str:
    try:
        return urlsplit(value).scheme
    except ValueError:
        return ""


def _inside(value: str, folder: str) -> str | None:
    """The path in the design that a relative address means, or None for one that leads elsewhere."""
    try:
        parts = urlsplit(value)
    except ValueError:
        return None
    if parts.scheme or parts.netloc or parts.path.startswith("/") or not parts.path:
        return None
    path = posixpath.normpath(posixpath.join(folder, unquote(parts.path)))
    return None if path.startswith("..") or path == "." or "\0" in path or "\\" in path else path


def _link(value: str, place: tuple[str, str, str], folder: str) -> str | None:
    owner, slug, ref = place
    path = _inside(value, folder)
    if path is None:
        return value if _scheme(value) in {"https", "http", "mailto"} or value.startswith("#") else None
    return f"{reverse('rooms:design_file', args=[owner, slug, path])}?ref={ref}"


#: What people say may hold: no pictures, since one from elsewhere would tell its owner who reads.
TALK_TAGS = (TAGS - {"img", "h2"}) | {"s"}
TALK_ATTRIBUTES = {"a": {"href", "title"}, "ol": {"start"}}
MAX_MENTIONS = 20
_FOUND = re.compile(
    r"(?<![\w/.@+-])@(?P<name>[A-Za-z0-9](?:[A-Za-z0-9-]{0,37}[A-Za-z0-9])?)(?![\w@])"
    r"|(?<![\w/])(?P<url>https?://[^\s<>\"'`]+[^\s<>\"'`.,;:!?)\]}])"
)


@cache
def _talk_parser() -> MarkdownIt:
    return MarkdownIt("commonmark", {"html": False, "breaks": True}).enable(["table", "strikethrough"]).disable("image")


def comment(text: str, *, people: Collection[str] | None = None) -> SafeString:
    """What a person says, as safe HTML: CommonMark, bare https addresses and @names as links, no pictures.

    `people` are the names that exist, so that a page of many comments asks once (`names_in`, `known_names`).
    """
    known = known_names([text]) if people is None else people
    tokens = _talk_parser().parse(text)
    for token in tokens:
        if token.type in {"heading_open", "heading_close"}:
            token.tag = f"h{min(int(token.tag[1]) + 3, 6)}"
        if token.children:
            token.children = list(_linked(token.children, known))
    html = _talk_parser().renderer.render(tokens, _talk_parser().options, {})
    return mark_safe(  # noqa: S308 cleaned by nh3
        nh3.clean(
            html, tags=TALK_TAGS, attributes=TALK_ATTRIBUTES, attribute_filter=_talk_attribute,
            link_rel="nofollow ugc noopener noreferrer", url_schemes={"https", "http", "mailto"},
            set_tag_attribute_values=SET,
        )
    )  # fmt: skip


def names_in(text: str) -> list[str]:
    """The names that a text mentions with @, in order, each once; not those in code or in addresses. At most 20."""
    names: dict[str, None] = {}
    for token in _talk_parser().parse(text):
        for child in token.children or ():
            if child.type == "text":
                names |= dict.fromkeys(m["name"].lower() for m in _FOUND.finditer(child.content) if m["name"])
    return list(names)[:MAX_MENTIONS]


def known_names(texts: Iterable[str]) -> frozenset[str]:
    """Those of the mentioned names that are somebody's, in one query."""
    names = {name for text in texts for name in names_in(text)}
    return frozenset(Handle.objects.filter(name__in=names).values_list("name", flat=True)) if names else frozenset()


def _talk_attribute(tag: str, name: str, value: str) -> str | None:
    if name != "href":
        return value
    parts = urlsplit(value)
    inside = not parts.scheme and not parts.netloc and value.startswith("/") and "\\" not in value
    return value if inside or parts.scheme in {"https", "http", "mailto"} else None


def _linked(children: Iterable[Token], known: Collection[str]) -> Iterator[Token]:
    """The pieces of a line, with names and bare addresses in its words made links; not inside a link."""
    depth = 0
    for child in children:
        depth += {"link_open": 1, "link_close": -1}.get(child.type, 0)
        if child.type != "text" or depth:
            yield child
            continue
        done = 0
        for match in _FOUND.finditer(child.content):
            name, url = match["name"], match["url"]
            if name and name.lower() not in known:
                continue
            yield _words(child.content[done : match.start()])
            target = url or reverse("rooms:person", args=[name.lower()])
            yield Token("link_open", "a", 1, attrs={"href": target})
            yield _words(match.group())
            yield Token("link_close", "a", -1)
            done = match.end()
        yield _words(child.content[done:])


def _words(text: str) -> Token:
    return Token("text", "", 0, content=text)
