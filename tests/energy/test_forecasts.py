"""A community is forecast by a run: cards, the page, the API, and who may see them."""

import datetime as dt

import numpy as np
import pytest
from django.test import Client

from commons.places.models import Place
from commons.runs.models import Run
from commons.runs.work import do
from energy import services
from energy.engine.community import Community as EngineCommunity
from energy.engine.community import Member
from energy.models import CommunityVersion, Forecast, ForecastCard
from energy.services import forecasts
from tests.engines.test_energy_forecast import made_up

DAY = dt.date(2026, 6, 20)


def community(members: int, days: int = 171) -> EngineCommunity:
    use = np.repeat(made_up(days).reshape(1, -1) / members, members, axis=0)
    steps = use.shape[1]
    return EngineCommunity(
        name="Many homes",
        currency="EUR",
        timezone="UTC",
        start=dt.datetime(2026, 1, 1, tzinfo=dt.UTC),
        step_minutes=60,
        members=tuple(Member(f"h{i}", f"Home {i}") for i in range(members)),
        load_kwh=use,
        pv_kwh=np.zeros_like(use),
        import_price=np.full(steps, 0.2),
        export_price=np.full(steps, 0.05),
    )


@pytest.fixture
def version(kamppi: Place) -> CommunityVersion:
    return services.keep(data=community(16), slug="many", sha256="a" * 64, place=kamppi)


def test_a_day_is_forecast_judged_and_shown(version: CommunityVersion, client: Client) -> None:
    runs = forecasts.start_due(today=DAY)
    assert [run.kind for run in runs] == [forecasts.KIND]
    assert do(runs[0].pk)
    run = Run.objects.get(pk=runs[0].pk)
    assert run.status == Run.Status.DONE, run.result
    card, told = ForecastCard.objects.get(), Forecast.objects.get()
    assert (told.day, told.series, told.card) == (DAY, "load", card)
    assert (card.first_day, card.last_day) == (DAY - dt.timedelta(days=30), DAY - dt.timedelta(days=1))
    assert card.model_skill > 0 and 0.7 < card.covered <= 1
    assert card.guarded == (card.model_worst > 0) and card.community == version.community
    assert forecasts.start_due(today=DAY) == [], "it is there already"

    page = client.get(f"/energy/many/forecast/?day={DAY}").content.decode()
    assert ("So it is not used" if card.guarded else "smaller than those of the best simple guess") in page
    answer = client.get(f"/api/v1/communities/many/forecast/?day={DAY}").json()
    assert [len(one["middle_kwh"]) for one in answer] == [24]
    assert answer[0]["card"]["skill"] == pytest.approx(card.skill)
    assert client.get("/api/v1/communities/many/forecast/?day=30-02").status_code == 400


def test_hours_of_few_households_are_not_forecast_in_public(kamppi: Place, client: Client) -> None:
    services.keep(data=community(3), slug="few", sha256="b" * 64, place=kamppi)
    assert client.get("/api/v1/communities/few/forecast/").status_code == 404
    assert "one could read a household" in client.get("/energy/few/forecast/").content.decode()


def test_too_short_a_past_is_said(kamppi: Place) -> None:
    services.keep(data=community(16, days=60), slug="short", sha256="c" * 64, place=kamppi)
    [run] = forecasts.start_due(today=dt.date(2026, 3, 1))
    do(run.pk)
    run.refresh_from_db()
    assert run.status == Run.Status.FAILED
    assert "needs 168 days" in str(run.error)
