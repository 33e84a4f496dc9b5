"""Texts of strangers as HTML: CommonMark, then nh3, so that nothing of theirs can run or reach out."""

from functools import cache
from urllib.parse import urlsplit

import nh3
from django.urls import reverse
from django.utils.safestring import SafeString, mark_safe
from markdown_it import MarkdownIt

TAGS = {
    "a", "p", "h2", "h3", "h4", "h5", "h6", "ul", "ol", "li", "em", "strong", "code", "pre", "blockquote", "hr", "br",
    "table", "thead", "tbody", "tr", "th", "td", "img", "del",
}  # fmt: skip
ATTRIBUTES = {"a": {"href", "title"}, "img": {"src", "alt", "title"}, "ol": {"start"}}


@cache
def _parser() -> MarkdownIt:
    return MarkdownIt("commonmark", {"html": False, "linkify": False}).enable(["table", "strikethrough"])


def render(text: str, *, owner: str, slug: str, ref: str) -> SafeString:
    """Safe HTML. Relative links lead to the files of the same version, pictures come from it; others are left out."""
    tokens = _parser().parse(text)
    for token in tokens:
        if token.type in {"heading_open", "heading_close"}:
            token.tag = f"h{min(int(token.tag[1]) + 1, 6)}"

    def attribute(tag: str, name: str, value: str) -> str | None:
        if name == "href":
            return _link(value, owner, slug, ref)
        if name == "src":
            return _picture(value, owner, slug, ref)
        return value

    html = _parser().renderer.render(tokens, _parser().options, {})
    return mark_safe(  # noqa: S308 cleaned by nh3
        nh3.clean(
            html, tags=TAGS, attributes=ATTRIBUTES, attribute_filter=attribute, link_rel="nofollow noopener noreferrer",
            url_schemes={"https", "http", "mailto"},
        )
    )  # fmt: skip


def _inside(value: str) -> str | None:
    parts = urlsplit(value)
    path = parts.path.removeprefix("./")
    if parts.scheme or parts.netloc or path.startswith("/") or ".." in path.split("/") or not path:
        return None
    return path


def _link(value: str, owner: str, slug: str, ref: str) -> str | None:
    path = _inside(value)
    if path is None:
        return value if urlsplit(value).scheme in {"https", "http", "mailto"} or value.startswith("#") else None
    return f"{reverse('rooms:design_file', args=[owner, slug, path])}?ref={ref}"


def _picture(value: str, owner: str, slug: str, ref: str) -> str | None:
    path = _inside(value)
    return None if path is None else reverse("design-raw", args=[owner, slug, ref, path])
