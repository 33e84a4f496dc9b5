"""One person is cited once, whatever they sign with."""

import pytest
from allauth.account.models import EmailAddress

from commons.people.models import User
from designs import git
from designs.git.commits import Author, commit
from designs.models import Design
from designs.queries.authors import authors, persons
from tests.designs.conftest import SECOND

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.mark.parametrize(
    ("signed", "named"),
    [
        ([("Ada", "a@x.org"), ("Ada", "a@y.org")], ("Ada",)),
        ([("Ada Byron", "A@x.org"), ("ada", "a@X.org "), ("Ada Byron", "a@x.org")], ("Ada Byron",)),
        ([("ADA", "one@x.org"), ("Ada", "two@x.org"), ("Lovelace", "two@x.org"), ("Ada", "")], ("Ada",)),
        ([("Ada", ""), ("Bo", "")], ("Ada", "Bo")),
        ([("Bo", "b@x.org"), ("Ada", "a@x.org"), ("Ada", "a@x.org")], ("Ada", "Bo")),
        ([("", "a@x.org")], ()),
    ],
)
def test_names_and_addresses_that_meet_are_one_person(signed: list[tuple[str, str]], named: tuple[str, ...]) -> None:
    assert persons(signed, {}) == named


def test_an_account_is_known_by_its_proven_addresses_alone(design: Design, maker: User, neighbour: User) -> None:
    def sign(name: str, email: str, message: str) -> str:
        files = {"note.txt": message.encode()}
        return commit(git.of(design.repository), branch="main", files=files, message=message,
                      author=Author(name, email), at=SECOND)  # fmt: skip

    EmailAddress.objects.create(user=maker, email="aila@home.example", verified=True, primary=True)
    EmailAddress.objects.create(user=neighbour, email="niko@home.example", verified=False, primary=True)
    sign("A. Laine", "Aila@home.example", "from her own machine")
    head = sign("Nikolai", "niko@home.example", "x\n\nCo-authored-by: Niko <niko@users.livingcity.invalid>\n"
                "Co-authored-by: Aila <aila@users.livingcity.invalid>")  # fmt: skip
    assert authors(design, head) == ("Aila", "Nikolai", "Niko")
