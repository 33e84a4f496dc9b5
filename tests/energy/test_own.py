"""A member's own figures, simulations side by side and again."""

import datetime as dt

import pytest
from django.test import Client

from commons.people.models import User
from commons.runs.models import Run
from energy import demo_life, figures, heat, services
from energy.models import CommunityVersion, Member, Participant, Simulation
from energy.queries import measured, mine, simulations

from .test_simulation import finish


@pytest.fixture
def solved(version: CommunityVersion, transactional_db: None) -> CommunityVersion:
    for control, rule in (("rule", None), ("none", "owen"), ("none", "equal")):
        finish(str(services.start_simulation(version=version, control=control, sharing=rule, full=True).pk))
    return version


@pytest.fixture
def own(solved: CommunityVersion, neighbour: User) -> Member:
    solved.members.filter(key="h01").update(person=neighbour)
    return solved.members.select_related("version", "version__community").get(key="h01")


def test_months_are_the_bill_by_value(own: Member) -> None:
    """What the months add up to is what the simulation by value says of this member, to a millionth."""
    story = mine.of_member(own)
    owen = Simulation.objects.get(control="none", sharing_rule="owen")
    row = next(m for m in owen.members if m["id"] == "h01")
    assert story.alone == pytest.approx(row["cost_alone"], abs=1e-9)
    assert story.together == pytest.approx(row["cost_shared"], abs=1e-9)
    assert {(b.simulation.control, b.simulation.sharing_rule) for b in story.bills} >= {
        ("none", "owen"),
        ("none", "equal"),
    }


def test_flows_close(own: Member) -> None:
    """Use and solar are accounted for to the last: own, neighbours, grid; used, to neighbours, sent on. What neighbours
    give is what they take, over all members.
    """
    given = taken = 0.0
    for member in own.version.members.select_related("version", "version__community"):
        flows = mine.of_member(member).flows
        assert flows.own + flows.neighbours + flows.grid == pytest.approx(flows.used)
        assert flows.own + flows.to_neighbours + flows.sent == pytest.approx(flows.made)
        given, taken = given + flows.to_neighbours, taken + flows.neighbours
    assert given == pytest.approx(taken)
    assert given > 0


def test_the_page_of_ones_own(client: Client, own: Member, neighbour: User) -> None:
    client.force_login(neighbour)
    page = client.get("/energy/sixteen/mine/?day=2026-01-02").content.decode()
    assert "Your bill, alone and together" in page
    assert "Saved month by month" in page
    assert "My energy" in client.get("/energy/sixteen/").content.decode()
    assert "Lab" not in page.split("<h1>")[1].split("</h1>")[0]


def test_measured_against_simulated(own: Member, neighbour: User) -> None:
    """Twice the data for two days, of which one hour is missing: off by half of what was measured, hour by hour."""
    who = Participant.objects.create(
        community=own.version.community, name="Nea", person=neighbour, joined_on=dt.date(2025, 12, 1)
    )
    from energy.models import MeterDay, MeterPoint
    from energy.series import pack

    meter = MeterPoint.objects.create(
        participant=who, number="1", direction="solar", proof="steward", valid_from=dt.date(2025, 12, 1)
    )
    clock = measured.zone(own.version.community)
    curves = demo_life.curves_of(own.version, own)
    made = curves.of["solar"]
    for day in (dt.date(2026, 1, 2), dt.date(2026, 1, 3)):
        first = int((measured.midnight(day, clock) - own.version.start).total_seconds() // 3600)
        values = [2 * v for v in made[first : first + 24]]
        values[3] = float("nan")
        MeterDay.objects.create(
            meter=meter, day=day, step_minutes=60, packed=pack(values), kwh=sum(values[4:]), missing=1, source="file"
        )
    (row,) = mine.against(who, own, dt.date(2026, 1, 1), dt.date(2026, 1, 4))
    assert (row.name, row.exact, row.missing, row.steps) == ("solar", True, 2, 46)
    assert row.measured_kwh == pytest.approx(2 * row.expected_kwh)
    assert row.error == pytest.approx(0.5)
    assert row.off == pytest.approx(-0.5)


# --- simulations ----------------------------------------------------------------------------------------


def test_again_is_equal_to_the_last_bit(client: Client, solved: CommunityVersion, neighbour: User) -> None:
    first = Simulation.objects.get(control="none", sharing_rule="equal")
    url = f"/energy/sixteen/simulations/{first.pk}/again/"
    assert client.post(url).status_code == 302
    assert Run.objects.count() == 3
    client.force_login(neighbour)
    run = finish(client.post(url).headers["Location"].strip("/").split("/")[-1])
    assert run.status == "done"
    assert {m["kind"] for m in run.result["members"]} == {"lab"}  # type: ignore[index]
    second = Simulation.objects.get(run=run)
    assert first.inputs_sha256 == second.inputs_sha256
    assert first.result_sha256 == second.result_sha256
    (repeat,) = simulations.repeats(second)
    assert (repeat.simulation, repeat.equal) == (first, True)
    page = client.get(f"/energy/sixteen/simulations/?run={run.pk}").content.decode()
    assert "Equal to the last bit." in page
    Simulation.objects.filter(pk=first.pk).update(result_sha256="0" * 64)
    assert "that should not be" in client.get(f"/energy/sixteen/simulations/?s={second.pk}").content.decode()


def test_side_by_side_names_losers_by_number_alone(client: Client, solved: CommunityVersion) -> None:
    rows = {s.sharing_rule if s.control == "none" else "rule": s.pk for s in Simulation.objects.all()}
    page = client.get(f"/energy/sixteen/simulations/?s={rows['owen']}&s={rows['equal']}&s=999999&s=x").content.decode()
    assert "pay less" in page
    assert "pays more" in page or "pay more" in page
    assert "H01" not in page
    columns = simulations.compare(solved.community, [str(rows["owen"]), str(rows["equal"])], None)
    change = columns[1].change
    assert change is not None
    owen, equal = (
        {m["id"]: m["cost_shared"] for m in Simulation.objects.get(pk=rows[name]).members} for name in ("owen", "equal")
    )
    assert change.gain == sum(owen[k] - equal[k] > 0.005 for k in owen)
    assert change.lose == sum(owen[k] - equal[k] < -0.005 for k in owen)
    assert change.worst == pytest.approx(min(owen[k] - equal[k] for k in owen))
    assert [name for name, _saved in change.named] == ["Lab"]
    assert columns[1].differences["cost"] == pytest.approx(0.0)


def test_each_figure_has_its_definition(solved: CommunityVersion) -> None:
    simulation = Simulation.objects.get(control="rule")
    found = {f.slug: f for f in figures.of(simulation, None)}
    assert set(found) >= {
        "prosumer_ratio",
        "self_consumption",
        "self_sufficiency",
        "balance_kwh",
        "load_factor",
        "cost",
    }
    assert all(str(f.means) and f.formula for f in found.values())
    totals = simulation.totals
    assert figures.balance(totals) == pytest.approx(totals["export_kwh"] - totals["import_kwh"])


def test_the_picture_has_every_hour_once() -> None:
    days = [dt.date(2026, 1, 1) + dt.timedelta(days=i) for i in range(40)]
    cells = [[float((d * 24 + h) % 7 - 3) if (d, h) != (3, 2) else None for h in range(24)] for d in range(40)]
    drawn = heat.draw(days, cells, "solar")
    seen = []
    for shade in drawn.shades:
        for stroke in shade.path[1:].split("M"):
            place, length = stroke.split("v")
            x, y = map(int, place.split())
            seen += [(x, y + i) for i in range(int(length))]
    assert len(seen) == len(set(seen)) == 40 * 24 - 1
    assert (3, 2) not in seen
