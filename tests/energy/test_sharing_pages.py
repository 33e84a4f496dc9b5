"""The page of sharing: who sees it, who is named in a group that would leave, what stands beside each rule."""

from pathlib import Path

import pytest
from django.test import Client
from django.utils.html import escape

from commons.people.models import User
from commons.people.services import create_user
from energy import services, shares
from energy.models import CommunityVersion, Simulation

from .conftest import write
from .test_simulation import finish

PAGE = "/energy/sixteen/sharing/"


@pytest.fixture
def shared_out(version: CommunityVersion, transactional_db: None) -> CommunityVersion:
    for rule in ("equal", "owen", "nucleolus", "mid-market-fixed"):
        finish(str(services.start_simulation(version=version, control="none", sharing=rule, full=True).pk))
    return version


def test_who_sees_the_page_and_whose_names(client: Client, shared_out: CommunityVersion, neighbour: User) -> None:
    """Anyone sees a public community's rules; homes of a group are counted, never named, but to whom they belong and
    to stewards.
    """
    group = Simulation.objects.get(sharing_rule="equal").sharing["worst_coalition"]
    home = next(key for key in group if key.startswith("h"))
    shared_out.members.filter(key=home).update(person=neighbour)
    boss = create_user(username="boss", is_staff=True)
    stranger = create_user(username="stranger")
    seen = {}
    for who in (None, stranger, neighbour, boss):
        client.logout()
        if who:
            client.force_login(who)
        page = client.get(f"{PAGE}?rule=equal")
        assert page.status_code == 200
        table = shares.table(shared_out, who, "equal")
        assert table is not None
        assert "more in the period on their own" in table.worst
        assert escape(table.worst) in page.content.decode()
        seen[who.username if who else ""] = table.worst
        assert client.get("/energy/nowhere/sharing/").status_code == 404
    for outsider in ("", "stranger"):
        assert f"{sum(key != 'lab' for key in group)} homes" in seen[outsider]
        assert "H0" not in seen[outsider]
    assert seen["nea"].startswith("You")
    assert "H0" not in seen["nea"]
    assert all(key.title() in seen["boss"] for key in group)
    shared_out.community.public = False
    shared_out.community.save()
    for who, status in ((None, 404), (stranger, 404), (boss, 200)):
        client.logout()
        if who:
            client.force_login(who)
        assert client.get(PAGE).status_code == status


def test_each_rule_has_its_losers_and_its_words(client: Client, shared_out: CommunityVersion) -> None:
    client.force_login(create_user(username="boss", is_staff=True))
    page = client.get(f"{PAGE}?rule=nucleolus").content.decode()
    for words in ("Pay more than alone", "Unevenness", "Smallest share", "Schmeidler", "Mid-price, fixed parts"):
        assert words in page
    assert "Nobody pays more than alone." in page
    assert client.get(f"{PAGE}?rule=magic&control=magic").status_code == 200


def test_a_small_community_keeps_its_shares(client: Client, tmp_path: Path, transactional_db: None) -> None:
    few = services.import_folder(folder=write(tmp_path / "few", homes=5, name="Few"), slug="few")
    finish(str(services.start_simulation(version=few, control="none", sharing="equal", full=True).pk))
    page = client.get("/energy/few/sharing/").content.decode()
    assert "dot-share" not in page
    assert "Smallest share" not in page
    client.force_login(create_user(username="boss", is_staff=True))
    assert "dot-share" in client.get("/energy/few/sharing/").content.decode()


def test_what_a_sampled_answer_says(shared_out: CommunityVersion) -> None:
    """Intervals and bounds in words, from a stored answer."""
    kept = Simulation.objects.get(sharing_rule="owen")
    kept.sharing |= {
        "stable": None,
        "certificate": "rows",
        "coalitions_checked": 12,
        "worst_excess": -3.0,
        "worst_bound": 4.5,
        "intervals": {"confidence": 0.95, "samples": 400, "mean_half_width": 1.25, "widest_half_width": 2.5},
    }
    kept.members = [m | {"saving_low": m["saving"] - 1, "saving_high": m["saving"] + 1} for m in kept.members]
    kept.save()
    table = shares.table(shared_out, None, "owen")
    assert table is not None
    assert "more than 4.50€ is ruled out" in table.certificate.replace("\u00a0", "")
    assert "95 %" in table.intervals
    assert all(dot.low is not None and dot.low < dot.x < (dot.high or 0) for dot in table.dots)
