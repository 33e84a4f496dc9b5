"""SUMO (eclipse.dev/sumo, EPL-2.0) as a second engine, run as a program of its own: the wheel `eclipse-sumo` of the
extra `deep`. Several seeds of the mesoscopic model give an interval; the microscopic one with emissions is the deep
run.
"""

from twin.sumo.program import NAME, check, home, version

__all__ = ["NAME", "check", "home", "version"]
