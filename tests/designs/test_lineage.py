"""Where designs come from, over any number of hops, also when the originals are gone or private."""

import pytest
from django.test import Client
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from commons.people.models import User
from designs.errors import BadDeclaration, LicenceForbids, NotYours
from designs.models import Design, Source
from designs.queries import lineage
from designs.queries.lineage import chain, url_of
from designs.services import create_design, delete_design, fork_design, index_now, write_files
from designs.services.about import change_design
from designs.services.rights import declare_source, remove_source
from tests.designs.conftest import make

pytestmark = pytest.mark.django_db


def titles(design: Design, visitor: User | None = None) -> list[str]:
    return [link.title for link in chain(design, visitor=visitor)]


@pytest.fixture
def line(design: Design, maker: User) -> list[Design]:
    """A design, and five forks each of the one before."""
    found = [design]
    for number in range(1, 6):
        parent = Design.objects.get(pk=found[-1].pk)
        found.append(
            fork_design(design=parent, owner=maker.handle, by=maker, name=f"Fork {number}", slug=f"fork-{number}")
        )
    return found


def test_any_number_of_hops_newest_first(line: list[Design]) -> None:
    assert titles(line[-1]) == ["Fork 5", "Fork 4", "Fork 3", "Fork 2", "Fork 1", "Test cube"]
    assert [link.hops for link in chain(line[-1])] == [0, 1, 2, 3, 4, 5]
    assert chain(line[-1])[1].commit == line[-1].forked_at


def test_what_is_gone_is_still_told(line: list[Design]) -> None:
    """With every original deleted the last one still names all of them."""
    for gone in (line[2], line[0], line[4], line[1], line[3]):
        delete_design(design=Design.objects.get(pk=gone.pk), by=None)
        left = Design.objects.get(pk=line[-1].pk)
        assert titles(left) == ["Fork 5", "Fork 4", "Fork 3", "Fork 2", "Fork 1", "Test cube"]
    assert all(link.licence == "MIT" and link.authors == "Aila" for link in chain(left))
    assert chain(left)[1].gone


def test_an_original_that_became_private_loses_its_name_not_its_licence(line: list[Design], maker: User) -> None:
    Design.objects.filter(pk=line[4].pk).update(visibility="private")
    last = Design.objects.get(pk=line[-1].pk)
    assert titles(last) == ["Fork 5", "A design that is not public"]
    assert chain(last)[1].licence == "MIT"
    assert titles(last, maker)[1] == "Fork 4"


def test_declared_sources(design: Design, maker: User, neighbour: User, client: Client) -> None:
    other = make(neighbour, name="Study")
    declare_source(design=other, by=neighbour, title="Old hinge", relation="adapted", licence="CC0", authors="Ada",
                   url="https://example.org/hinge")  # fmt: skip
    source = declare_source(design=design, by=maker, title="ignored", relation="part", url=url_of(other))
    assert (source.title, source.authors, source.licence, source.linked) == ("Study", "Niko", "MIT", other)
    assert titles(design) == ["Test cube", "Study", "Old hinge"]
    answer = client.get("/api/v1/designs/aila/test-cube/lineage/").json()["results"]
    assert [(link["hops"], link["relation"], link["licence"]) for link in answer] == [
        (0, "", "MIT"), (1, "part", "MIT"), (2, "adapted", "CC0-1.0"),
    ]  # fmt: skip
    with pytest.raises(NotYours):
        remove_source(design=design, source_id=source.pk, by=neighbour)
    remove_source(design=design, source_id=source.pk, by=maker)
    assert titles(design) == ["Test cube"]


def test_a_ring_of_sources_ends(design: Design, maker: User) -> None:
    other = make(maker, name="Other")
    declare_source(design=design, by=maker, title="", relation="adapted", url=url_of(other))
    declare_source(design=other, by=maker, title="", relation="adapted", url=url_of(design))
    assert titles(design) == ["Test cube", "Other"]


@pytest.mark.parametrize(
    "fields",
    [
        {"title": "", "relation": "adapted"},
        {"title": "x", "relation": "fork"},
        {"title": "x", "relation": "adapted", "url": "javascript:alert(1)"},
        {"title": "x", "relation": "adapted", "url": "https://a b"},
        {"title": "x", "relation": "adapted", "url": "https://[::1"},
        {"title": "x", "relation": "adapted", "url": "file:///etc/passwd"},
    ],
)
def test_declarations_that_say_nothing_are_refused(design: Design, maker: User, fields: dict[str, str]) -> None:
    with pytest.raises(BadDeclaration):
        declare_source(design=design, by=maker, **fields)
    assert not design.sources.exists()


def test_a_private_design_cannot_be_found_by_declaring_it(design: Design, maker: User, neighbour: User) -> None:
    """The address of another's private design and one that leads nowhere are the same."""
    hidden = make(neighbour, name="Hidden", visibility="private")
    for url in (url_of(hidden), url_of(hidden).replace("hidden", "nothing")):
        with pytest.raises(BadDeclaration):
            declare_source(design=design, by=maker, title="", relation="adapted", url=url)


def test_a_source_that_forbids_the_licence_is_refused(design: Design, maker: User) -> None:
    with pytest.raises(LicenceForbids, match=r"Jaw.*3\.3\(d\).*Change the licence of this design first"):
        declare_source(design=design, by=maker, title="Jaw", relation="adapted", licence="CERN-OHL-S v2")
    # Parts under a weak licence keep it and bind nothing else; parts under a strong one bind the whole.
    declare_source(design=design, by=maker, title="Jaw", relation="part", licence="CERN-OHL-W v2")
    with pytest.raises(LicenceForbids):
        declare_source(design=design, by=maker, title="Jaw", relation="part", licence="CERN-OHL-S v2")


def test_the_licence_of_a_fork_is_changed_only_as_its_parents_allow(maker: User) -> None:
    parent = create_design(owner=maker.handle, name="Parent", licence="CERN-OHL-W-2.0", by=maker)
    write_files(design=parent, files={"a.txt": b"a"}, message="1", author=maker, by=maker)
    middle = fork_design(
        design=index_now(design=parent, by=maker), owner=maker.handle, by=maker, name="Middle", slug="middle"
    )
    last = fork_design(design=middle, owner=maker.handle, by=maker, name="Last", slug="last")
    with pytest.raises(LicenceForbids, match=r"Middle.*3\.3\(d\)"):
        change_design(design=last, by=maker, licence="CERN-OHL-P-2.0")
    assert change_design(design=last, by=maker, licence="CERN-OHL-S-2.0").licence == "CERN-OHL-S-2.0"
    # A parent that changes its own licence later binds nobody who forked before.
    Design.objects.filter(pk=middle.pk).update(licence="CC-BY-NC-4.0")
    assert change_design(design=last, by=maker, licence="CERN-OHL-W-2.0").licence == "CERN-OHL-W-2.0"


def test_no_public_fork_of_what_may_not_be_changed(maker: User, neighbour: User) -> None:
    design = create_design(owner=maker.handle, name="Fixed", licence="CC-BY-ND-4.0", by=maker)
    write_files(design=design, files={"a.txt": b"a"}, message="1", author=maker, by=maker)
    with pytest.raises(LicenceForbids, match=r"2\(a\)\(1\)\(B\)"):
        fork_design(design=index_now(design=design, by=maker), owner=neighbour.handle, by=neighbour)
    assert Design.objects.count() == 1


def test_the_rights_page_takes_and_removes_sources(
    client: Client, design: Design, maker: User, neighbour: User
) -> None:
    address = "/designs/aila/test-cube/rights/"
    assert "Name the source" not in client.get(address).content.decode()
    client.force_login(neighbour)
    assert client.post(address, {"relation": "adapted", "title": "X", "licence": "MIT"}).status_code in {403, 422}
    assert not Source.objects.exists()
    client.force_login(maker)
    sent = {"relation": "adapted", "title": "Hinge", "licence": "", "licence_other": "CC BY 4.0"}
    assert client.post(address, sent).status_code == 302
    source = Source.objects.get()
    assert (source.title, source.licence) == ("Hinge", "CC-BY-4.0")
    shown = client.get(address).content.decode()
    assert "Adapted from" in shown and "Hinge" in shown
    forbidden = client.post(address, {"relation": "adapted", "title": "Jaw", "licence": "CERN-OHL-S-2.0"})
    assert forbidden.status_code == 422 and "3.3(d)" in forbidden.content.decode()
    assert client.post(f"{address}{source.pk}/remove/").status_code == 302
    assert not Source.objects.exists()


@given(title=st.text(max_size=40), authors=st.text(max_size=20))
def test_attribution_is_text_whatever_names_hold(title: str, authors: str) -> None:
    """No name becomes a heading, a link, HTML or a list item of its own."""
    line = f"- from **{lineage._md(title)}** by {lineage._md(authors)}"
    kinds = {token.type for token in MarkdownIt("commonmark").parse(line)}
    assert kinds <= {"bullet_list_open", "list_item_open", "paragraph_open", "inline", "paragraph_close",
                     "list_item_close", "bullet_list_close"}  # fmt: skip
