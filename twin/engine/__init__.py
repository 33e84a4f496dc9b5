"""Pure computation of the twin: files in, city model out; graph in, minutes out. No Django, no clock, no
randomness.

`ENGINE_VERSION` names what was computed with what; raise it when any result may change.
"""

ENGINE_VERSION = "twin 2"
