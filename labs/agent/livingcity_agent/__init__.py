"""livingcity-agent: stands next to a lab's machines and tells a Living City every job and every kWh."""

__version__ = "0.1.0"
