"""No control at all: what members use and make in a step is netted, alone or together.

Vehicles still have to be charged: they are, at full power, when they return. Batteries stand idle.
"""

import numpy as np

from energy.engine.community import Community, Floats
from energy.engine.rule import Dispatch, dispatch


def net(community: Community) -> Dispatch:
    """Members' net energy in each step and the community's."""
    if any(m.vehicle for m in community.members):
        return dispatch(community, batteries=False)
    steps = community.steps
    zero = np.zeros(steps)
    return Dispatch(community.net_kwh, community.net_kwh.sum(axis=0), zero, zero, zero, zero, 0.0, 0.0)


def split(net_kwh: Floats) -> tuple[Floats, Floats]:
    """Import and export of a net energy, both at least zero."""
    return np.maximum(net_kwh, 0.0), np.maximum(-net_kwh, 0.0)
