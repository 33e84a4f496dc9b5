"""What people say becomes HTML that can neither run nor reach out."""

import html.parser

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from commons.people.models import User
from designs import markdown


class _Seen(html.parser.HTMLParser):
    """Every element with its attributes, as a browser would see them."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("**bold** ~~gone~~", "<p><strong>bold</strong> <s>gone</s></p>"),
        ("one\ntwo", "<p>one<br>\ntwo</p>"),
        ("# Loud", "<h4>Loud</h4>"),
        ("`@aila`", "<p><code>@aila</code></p>"),
        ("nobody@example.org", "<p>nobody@example.org</p>"),
    ],
)
def test_commonmark(text: str, expected: str) -> None:
    assert markdown.comment(text, people={"aila"}).strip() == expected


def test_mentions_and_addresses_are_links() -> None:
    made = markdown.comment("Hello @Aila and @ghost, see https://example.org/a_b?c=1. ([@aila](/x))", people={"aila"})
    links = [a for tag, a in _Seen(made).elements if tag == "a"]
    assert [a["href"] for a in links] == ["/people/aila/", "https://example.org/a_b?c=1", "/x"]
    assert {a["rel"] for a in links} == {"nofollow ugc noopener noreferrer"}
    assert "@ghost" in made
    assert markdown.names_in("@Aila `@code` @aila a@b.fi @niko's (@mia)") == ["aila", "niko", "mia"]


@pytest.mark.django_db
def test_only_people_that_exist_are_linked(maker: User) -> None:
    made = markdown.comment("@aila @nobody-here")
    assert 'href="/people/aila/"' in made
    assert "nobody-here/" not in made


EVIL = st.sampled_from([
    "<script>alert(1)</script>", "[x](javascript:alert(1))", "![x](https://t.example/p.png)", "<img src=x onerror=y>",
    "[x](//evil.example)", "[x](data:text/html,x)", "<svg/onload=x>", "[a]: javascript:x\n[a]", "<a href=javascript:x>",
    "@aila", "`", "```", "[", "](", "\n\n", "https://x.example/\"onclick=x", "&lt;script&gt;", "[x](/\\evil.example)",
])  # fmt: skip


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.one_of(EVIL, st.text(max_size=20)), max_size=8).map("".join))
def test_nothing_of_strangers_runs_or_reaches_out(text: str) -> None:
    for tag, attributes in _Seen(markdown.comment(text, people={"aila"})).elements:
        assert tag in markdown.TALK_TAGS
        assert set(attributes) <= {"href", "title", "rel", "start", "tabindex"}
        assert attributes.get("tabindex", "0") == "0"
        assert ("tabindex" in attributes) == (tag == "pre")
        href = attributes.get("href") or "/"
        assert href.startswith(("https:", "http:", "mailto:")) or (
            href.startswith("/") and not href.startswith(("//", "/\\"))
        )
