"""What people find: by words and with typing errors, by filters and their counts; never what is not theirs."""

from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from commons.people.models import User
from commons.people.services import create_user
from designs import vocabulary
from designs.models import AboutText, Card, Design, KnownWord
from designs.queries import listing, words
from designs.queries.asked import Asked, read
from designs.services import cards, create_design
from designs.services.about import change_design
from designs.services.renaming import rename

pytestmark = pytest.mark.django_db


def thing(owner: User, name: str, **fields: Any) -> Design:
    """A design with nothing in it but what the list asks, known to the list of words."""
    about = fields.pop("about", "")
    texts = {key: fields.pop(key) for key in ("summary", "licence", "visibility") if key in fields}
    design = create_design(owner=owner.handle, name=name, by=owner, **({"licence": "MIT"} | texts))
    if fields:
        Design.objects.filter(pk=design.pk).update(**fields)
    if about:
        AboutText.objects.filter(pk=design.pk).update(about=about)
    design.refresh_from_db()
    cards.learn(design)
    return design


@pytest.fixture
def shelf(maker: User) -> dict[str, Design]:
    """Five designs that differ in everything."""
    return {
        "hexapod": thing(maker, "Hexapod walker", summary="Six legs", tags=["robot"], formats=["stl", "step"],
                         processes=["fff"], box_mm=[180, 120, 60], star_count=40, licence="CERN-OHL-S-2.0"),
        "clamp": thing(maker, "Balcony rail clamp", summary="Holds a solar panel", tags=["solar"], formats=["step"],
                       processes=["milling"], box_mm=[300, 80, 40], make_count=7, released_at=timezone.now()),
        "lamp": thing(maker, "Reading lamp", summary="With a hexapod foot", tags=["light"], formats=["dxf"],
                      processes=["laser-cutting"], licence="CC-BY-NC-4.0", box_mm=[600, 300, 0]),
        "box": thing(maker, "Älykäs pöytälaatikko", summary="Laatikoita pöydälle", formats=["stl"],
                     processes=["fff"], box_mm=[90, 90, 90], licence="LicenseRef-Ours"),
        "mill": thing(maker, "Windmill", about="Read me: a small generator with neodymium magnets."),
    }  # fmt: skip


def names(client: Client, query: str) -> list[str]:
    answer = client.get(f"/api/v1/designs/{query}")
    assert answer.status_code == 200, answer.content
    return [design["name"] for design in answer.json()["results"]]


@pytest.mark.parametrize(
    ("q", "first"),
    [
        ("hexapod", "Hexapod walker"), ("HEXAPODS", "Hexapod walker"), ("hexa", "Hexapod walker"),
        ("rail clamps", "Balcony rail clamp"), ("clamp for the balcony", "Balcony rail clamp"),
        ("neodymium", "Windmill"), ("alykas", "Älykäs pöytälaatikko"), ("laatikko pöytä", "Älykäs pöytälaatikko"),
        ("pöytälaatikot", "Älykäs pöytälaatikko"), ("solar", "Balcony rail clamp"), ("aila hexapod", "Hexapod walker"),
    ],
)  # fmt: skip
def test_words_are_found_as_people_write_them(client: Client, shelf: dict[str, Design], q: str, first: str) -> None:
    found = names(client, f"?q={q}")
    assert (found[0] if found else "") == first


@pytest.mark.parametrize(
    ("q", "first", "meant"),
    [
        ("hexpaod", "Hexapod walker", "hexapod"), ("balcny raill clmp", "Balcony rail clamp", "balcony rail clamp"),
        ("hexopad", "Hexapod walker", "hexapod"), ("windmlil", "Windmill", "windmill"),
        ("balkoni", "Balcony rail clamp", "balcony"), ("radinf lamp", "Reading lamp", "reading lamp"),
    ],
)  # fmt: skip
def test_two_letters_wrong_still_find_and_the_page_says_so(
    client: Client, shelf: dict[str, Design], q: str, first: str, meant: str
) -> None:
    assert names(client, f"?q={q}")[0] == first
    page = client.get("/designs/", {"q": q}).content.decode()
    assert f"Showing results for “{meant}”" in page
    assert first in page


def test_new_words_are_known_from_the_moment_they_are_written(
    client: Client, shelf: dict[str, Design], django_capture_on_commit_callbacks: Any
) -> None:
    design, maker = shelf["mill"], User.objects.get(username="aila")
    with django_capture_on_commit_callbacks(execute=True):
        change_design(design=design, by=maker, name="Waterwheel", tags=["hydraulics"], summary="Turns a quern")
    for q in ("watrewheel", "hydrualics", "qeurn"):
        assert names(client, f"?q={q}") == ["Waterwheel"], q
    KnownWord.objects.all().delete()
    with django_capture_on_commit_callbacks(execute=True):
        rename(design=design, by=maker, slug="wheel")
    assert names(client, "?q=watrewheel") == ["Waterwheel"]


def test_words_that_mean_nothing_find_nothing(client: Client, shelf: dict[str, Design]) -> None:
    assert names(client, "?q=xqzvwpt") == []
    assert names(client, "?q=%2B%2B%21") == []
    assert "No design is like that" in client.get("/designs/?q=xqzvwpt").content.decode()


def test_a_name_ranks_above_a_summary_and_a_summary_above_a_readme(client: Client, maker: User) -> None:
    thing(maker, "Gearbox")
    thing(maker, "Motor", summary="goes with a gearbox")
    thing(maker, "Bench", about="the gearbox is on top")
    assert names(client, "?q=gearbox") == ["Gearbox", "Motor", "Bench"]


def test_an_exact_name_wins_over_stars(client: Client, maker: User) -> None:
    thing(maker, "Phone stand with a lamp", star_count=500)
    thing(maker, "Phone stand")
    assert names(client, "?q=phone stand")[0] == "Phone stand"


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("?licence=open", {"Hexapod walker", "Balcony rail clamp", "Windmill"}),
        ("?licence=non-commercial", {"Reading lamp"}), ("?licence=other", {"Älykäs pöytälaatikko"}),
        ("?licence=cern-ohl-s-2.0", {"Hexapod walker"}), ("?format=step", {"Hexapod walker", "Balcony rail clamp"}),
        ("?format=STP&process=cnc-milling", {"Balcony rail clamp"}), ("?tag=robot", {"Hexapod walker"}),
        ("?has_release=1", {"Balcony rail clamp"}), ("?owner=nobody", set()), ("?format=nothing", set()),
        ("?fits=120x181x61", {"Hexapod walker"}), ("?fits=90x90x90", {"Älykäs pöytälaatikko"}),
        ("?fits=89x90x90", set()), ("?q=hexapod&process=laser-cutting", {"Reading lamp"}),
    ],
)  # fmt: skip
def test_filters(client: Client, shelf: dict[str, Design], query: str, expected: set[str]) -> None:
    assert set(names(client, query)) == expected
    page = client.get(f"/designs/{query}").content.decode()
    assert all(name in page for name in expected)


@pytest.mark.parametrize(
    ("sort", "first"), [("made", "Balcony rail clamp"), ("starred", "Hexapod walker"), ("new", "Windmill")]
)
def test_orders(client: Client, shelf: dict[str, Design], sort: str, first: str) -> None:
    assert names(client, f"?sort={sort}")[0] == first


def test_counts_leave_out_the_groups_own_choice(shelf: dict[str, Design]) -> None:
    found = listing.found(Asked(process="fff"), None)
    counts = found.counts
    assert counts.total == 2
    assert counts.processes == {"fff": 2, "milling": 1, "laser-cutting": 1}
    assert counts.formats == {"stl": 2, "step": 1}
    assert counts.licences == {"open": 1, "other": 1}
    assert listing.tags_of(found) == {"robot": 1}


def test_each_count_is_what_choosing_it_finds(shelf: dict[str, Design]) -> None:
    for asked in (Asked(), Asked(process="fff"), Asked(q="hexapod"), Asked(licence="open", format="step")):
        counts = listing.found(asked, None).counts
        for name, known in (("process", counts.processes), ("format", counts.formats), ("licence", counts.licences)):
            for slug, count in known.items():
                chosen = Asked(**{**{k: getattr(asked, k) for k in ("q", "process", "format", "licence")}, name: slug})
                assert listing.found(chosen, None).counts.total == count == listing.found(chosen, None).cards.count()


def test_what_is_private_or_deleted_is_in_no_list_and_no_count(client: Client, shelf: dict[str, Design]) -> None:
    maker = User.objects.get(username="aila")
    hidden = thing(maker, "Hexapod secret", visibility="private")
    Design.objects.filter(pk=shelf["lamp"].pk).update(deleted_at=timezone.now())
    assert set(names(client, "?q=hexapod")) == {"Hexapod walker"}
    assert listing.found(Asked(), None).counts.total == 4
    other = create_user(username="eero", name="Eero")
    assert listing.found(Asked(), other).counts.total == 4
    assert listing.found(Asked(), maker).counts.total == 5
    assert hidden.pk in {card.pk for card in listing.found(Asked(q="secret"), maker).cards}
    mapped = client.get("/sitemap-designs-1.xml").content.decode()
    assert mapped.count("<loc>") == 4 and "secret" not in mapped and "reading-lamp" not in mapped
    assert names(client, "?q=secrte") == []
    assert "secret" not in client.get("/designs/?q=secrte").content.decode().replace("secrte", "")


def test_a_card_follows_its_design_whoever_changes_it(shelf: dict[str, Design]) -> None:
    design = shelf["mill"]
    Design.objects.filter(pk=design.pk).update(
        name="Tide mill", star_count=3, formats=["stl"], processes=["fff"], released_at=timezone.now(), box_mm=[3, 2, 1]
    )
    card = Card.objects.get(pk=design.pk)
    assert vocabulary.slugs_of(card.facets) == ("fff", "stl")
    assert (card.stars, card.released, card.long_mm, card.short_mm) == (3, True, 3, 1)
    found = {each.pk for each in listing.found(Asked(q="tide neodymium"), None).cards}
    assert found == {design.pk}


def test_the_database_knows_the_vocabularys_bits(db: None) -> None:
    from django.db import connection

    with connection.cursor() as cursor:
        for slug in (*vocabulary.PROCESSES, *vocabulary.FORMATS, "nothing"):
            cursor.execute("SELECT designs_bits(%s)", [[slug]])
            assert cursor.fetchone() == (vocabulary.bit_of(slug),), slug


def test_the_index_reads_the_readme_the_formats_and_the_size(design: Design) -> None:
    design.refresh_from_db()
    assert design.formats == ["markdown", "stl"]
    assert design.processes == ["fff"]
    blob = design.file_versions.get(current=True, path="cube.stl").blob
    blob.facts = {"extents_mm": [10.0, 12.0, 11.0]}
    blob.save()
    cards.refresh(design)
    design.refresh_from_db()
    assert design.box_mm == [12.0, 11.0, 10.0]
    assert AboutText.objects.get(pk=design.pk).about.startswith("# Cube")


def test_the_box_holds_every_part_and_not_the_whole_put_together() -> None:
    shapes = [("a.stl", {"extents_mm": [10, 50, 20]}), ("b.stl", {"extents_mm": [30, 30, 30]}),
              ("lamp-assembly.stl", {"extents_mm": [400, 400, 400]})]  # fmt: skip
    assert cards.box_of(shapes) == [50, 30, 30]
    assert cards.box_of(shapes[2:]) == [400, 400, 400]
    assert cards.box_of([]) is None


def test_cursor_pages_hold_each_design_once(client: Client, maker: User) -> None:
    for n in range(11):
        thing(maker, f"Bracket {n}", star_count=n % 3)
    for sort in ("best", "new", "made", "starred"):
        seen, address = [], f"/api/v1/designs/?q=bracket&sort={sort}&limit=3"
        while address:
            answer = client.get(address).json()
            seen += [design["slug"] for design in answer["results"]]
            address = answer["next"]
        assert len(seen) == len(set(seen)) == 11, sort


def test_a_page_and_a_cursor_have_one_order(maker: User) -> None:
    for n in range(7):
        name = f"Bracket {'for a shelf ' * (n % 3)}{n}"
        thing(maker, name, star_count=n % 3, make_count=n % 2, tags=["bracket"] * (n % 2))
    for sort in ("best", "new", "made", "starred"):
        for q in ("bracket", "brackte", "shelf", ""):
            found = listing.found(Asked(q=q, sort=sort), None)
            assert found.counts.total == len(found.pks) > 0, (sort, q)
            assert list(found.pks) == [card.pk for card in found.cards], (sort, q)


def test_reading_an_address_and_writing_it_is_the_same() -> None:
    asked = Asked(q="rail clamp", fits=(250.0, 220.0, 210.5), has_release=True, tag="solar", sort="made")
    from django.http import QueryDict

    assert read(QueryDict(asked.address()[1:])) == asked


@pytest.mark.parametrize(
    ("a", "b", "far"),
    [("hexpaod", "hexapod", 1), ("clmp", "clamp", 1), ("", "ab", 2), ("ca", "abc", 3), ("kitten", "sitting", 3)],
)
def test_errors_are_counted_as_optimal_string_alignment(a: str, b: str, far: int) -> None:
    assert words.errors(a, b) == words.errors(b, a) == far


def test_the_search_page_uses_the_same_engine(client: Client, shelf: dict[str, Design]) -> None:
    page = client.get("/search/?q=hexpaod").content.decode()
    assert "Hexapod walker" in page
