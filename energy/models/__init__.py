"""Tables of the room: communities, their data and what simulations of them answered; participants and their meters;
tariffs, rules of sharing and statements.
"""

from energy.models.communities import Community, CommunityVersion, Member, Simulation, SimulationSeries, VersionSeries
from energy.models.forecasts import Forecast, ForecastCard
from energy.models.grids import Grid, GridCheck, GridConnection, GridVersion
from energy.models.meters import MeterDay, MeterFile, MeterPoint, UtilityMapping
from energy.models.outlooks import Outlook, PlannedLoad
from energy.models.participants import Asset, Invitation, Participant
from energy.models.parts import SimulationPart
from energy.models.publishing import Publication, PublishedSpan
from energy.models.sources import Dwelling, ModelledYear, WeatherFeed, WeatherReport
from energy.models.statements import MarketView, Settlement, Statement, StatementLine
from energy.models.tariffs import PriceDay, PriceList, SchemeVersion, SharingScheme, Tariff, TariffChoice, TariffVersion

__all__ = [
    "Asset",
    "Community",
    "CommunityVersion",
    "Dwelling",
    "Forecast",
    "ForecastCard",
    "Grid",
    "GridCheck",
    "GridConnection",
    "GridVersion",
    "Invitation",
    "MarketView",
    "Member",
    "MeterDay",
    "MeterFile",
    "MeterPoint",
    "ModelledYear",
    "Outlook",
    "Participant",
    "PlannedLoad",
    "PriceDay",
    "PriceList",
    "Publication",
    "PublishedSpan",
    "SchemeVersion",
    "Settlement",
    "SharingScheme",
    "Simulation",
    "SimulationPart",
    "SimulationSeries",
    "Statement",
    "StatementLine",
    "Tariff",
    "TariffChoice",
    "TariffVersion",
    "UtilityMapping",
    "VersionSeries",
    "WeatherFeed",
    "WeatherReport",
]
