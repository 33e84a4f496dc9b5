"""Pure computation of the twin: files in, city model out; graph in, minutes out. No Django, no clock, no
randomness.

`ENGINE_VERSION` names what was computed with what; raise it when any result may change. The engines whose answers
are kept by themselves have a name of their own.
"""

ENGINE_VERSION = "twin 2"
ROOFS_VERSION = "twin roofs 1"
RISK_VERSION = "twin risk 1"
CARBON_VERSION = "twin carbon 2"
ENERGY_VERSION = "twin energy 1"
AHEAD_VERSION = "twin ahead 2"
SANDBOX_VERSION = "twin sandbox 1"
SCENARIO_VERSION = "twin scenario 1"
