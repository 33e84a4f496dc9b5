"""The same power flow by pandapower, an independent program, for those steps that shall be looked at twice.

pandapower is an optional part (extra `grid`); without it nothing here works and everything else does.
"""

from importlib.util import find_spec
from typing import Any

import numpy as np

from energy.engine.community import Floats
from energy.engine.network import Network


def available() -> bool:
    """Whether pandapower is installed."""
    return find_spec("pandapower") is not None


def net_of(network: Network) -> Any:
    """The grid as a net of pandapower, with one load at each node in the nodes' order."""
    import pandapower as pp  # noqa: PLC0415 optional, and slow to load

    net = pp.create_empty_network(sn_mva=1.0)
    bus = {node.id: pp.create_bus(net, vn_kv=node.kv, name=node.id) for node in network.nodes}
    pp.create_ext_grid(net, bus[network.source], vm_pu=network.source_pu)
    for line in network.lines:
        pp.create_line_from_parameters(
            net,
            bus[line.a],
            bus[line.b],
            length_km=line.km,
            r_ohm_per_km=line.r_ohm_per_km,
            x_ohm_per_km=line.x_ohm_per_km,
            c_nf_per_km=line.b_us_per_km * 1e3 / (2 * np.pi * net.f_hz),
            max_i_ka=line.most_a * 1e-3,
        )
    for t in network.transformers:
        pp.create_transformer_from_parameters(
            net,
            bus[t.high],
            bus[t.low],
            sn_mva=t.mva,
            vn_hv_kv=t.high_kv,
            vn_lv_kv=t.low_kv,
            vkr_percent=t.copper_kw / (1e3 * t.mva) * 100,
            vk_percent=t.short_percent,
            pfe_kw=t.iron_kw,
            i0_percent=t.idle_percent,
            tap_side="hv" if t.tap_high else "lv",
            tap_neutral=0,
            tap_pos=t.tap_steps,
            tap_step_percent=t.tap_percent,
            tap_changer_type="Ratio",
        )
    for node in network.nodes:
        pp.create_load(net, bus[node.id], p_mw=0.0, q_mvar=0.0)
    return net


def solve(network: Network, p_kw: Floats, q_kvar: Floats) -> tuple[Floats, Floats]:
    """Voltages (nodes by steps, per unit) and loadings (branches by steps, share of what is allowed); NaN where
    pandapower finds none.
    """
    import pandapower as pp  # noqa: PLC0415 optional, and slow to load

    net = net_of(network)
    steps = p_kw.shape[1]
    voltage = np.full((len(network.nodes), steps), np.nan)
    loading = np.full((len(network.ends), steps), np.nan)
    most = np.array([line.most_percent for line in network.lines] + [t.most_percent for t in network.transformers])
    for t in range(steps):
        net.load["p_mw"] = p_kw[:, t] * 1e-3
        net.load["q_mvar"] = q_kvar[:, t] * 1e-3
        try:
            pp.runpp(net, tolerance_mva=1e-10, calculate_voltage_angles=False)
        except pp.LoadflowNotConverged:
            continue
        voltage[:, t] = net.res_bus["vm_pu"]
        percents = [*net.res_line["loading_percent"], *net.res_trafo["loading_percent"]]
        loading[:, t] = np.array(percents) / most
    return voltage, loading
