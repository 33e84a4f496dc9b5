"""A community through its period: dispatch, figures, sharing, and the series for charts."""

from energy.engine import kpi, netting, rule, sharing
from energy.engine.answer import Progress, Result, chart_series, engine_block, member_rows
from energy.engine.community import Community
from energy.engine.refusals import NotDefined, NotYet, gettext_noop

CONTROLS = ("none", "rule", "optimal")


def simulate(
    community: Community,
    *,
    control: str,
    sharing_rule: str | None = None,
    horizon_hours: float | None = None,
    forecast: str = "naive",
    seed: int = 0,
    progress: Progress = lambda _share, _stage: None,
) -> Result:
    """Run a control and share what it saves. Raises EngineRefusal where the combination has no answer."""
    if control not in CONTROLS:
        raise NotDefined(
            gettext_noop("“%(control)s” is not a control; there are none, rule and optimal"), control=control
        )
    sharing_rule = sharing_rule or default_sharing(community, control, horizon_hours)
    if sharing_rule not in sharing.RULES:
        known = ", ".join(sharing.RULES)
        raise NotDefined(
            gettext_noop("“%(rule)s” is not a rule of sharing; there are %(known)s"),
            rule=sharing_rule,
            known=known,
        )
    if control == "optimal":
        from energy.engine import optimum  # noqa: PLC0415 loads the solver only when it is asked for

        return optimum.simulate(
            community,
            sharing_rule=sharing_rule,
            horizon_hours=horizon_hours,
            forecast=forecast,
            seed=seed,
            progress=progress,
        )
    if horizon_hours is not None:
        raise NotDefined(gettext_noop("a horizon belongs to the control optimal; none and rule do not look ahead"))
    if control == "rule" and sharing_rule == "owen":
        raise NotDefined(
            gettext_noop(
                "Owen prices are dual prices of an optimum, which a rule does not have; choose another sharing"
            )
        )
    if control == "rule" and community.battery and sharing_rule.startswith("mid-market"):
        raise NotYet(
            gettext_noop(
                "mid-market sharing does not say who gains from a community battery; choose equal or proportional"
            )
        )
    progress(0.05, "running the storage")
    flows = netting.net(community) if control == "none" else rule.dispatch(community)
    progress(0.4, "working out the figures")
    return _answer(community, control, sharing_rule, flows, seed, progress)


def default_sharing(community: Community, control: str, horizon_hours: float | None = None) -> str:
    """Owen where dual prices exist; else mid-market, or by use where a common battery has no owner."""
    if control == "none" or (control == "optimal" and horizon_hours is None):
        return "owen"
    if control == "optimal":
        return "proportional"
    return "proportional" if community.battery else "mid-market"


def _answer(  # noqa: PLR0917 the arguments of `simulate`
    community: Community, control: str, sharing_rule: str, flows: rule.Dispatch, seed: int, progress: Progress
) -> Result:
    bought, sold = netting.split(flows.grid_kwh)
    together = kpi.totals(community, bought, sold, flows.vehicle_kwh)
    alone = kpi.totals(community, *netting.split(flows.net_kwh), flows.vehicle_kwh)
    plain = control == "none" or community.battery is None
    progress(0.5, "sharing the saving")
    game = sharing.table(community, flows.net_kwh, together.cost, netting=plain, seed=seed)
    shared = sharing.share(sharing_rule, game)
    progress(0.95, "writing it down")
    return Result(
        document={
            "totals": together.as_dict(),
            "separate": alone.as_dict(),
            "members": member_rows(community, game.cost_alone, shared.savings, shared.member_intervals()),
            "sharing": shared.as_dict(),
            "engine": engine_block(community, control, flows),
        },
        series=chart_series(community, flows),
    )
