"""Drivers of relays that switch a machine's power. Loaded by the worker alone: the web process speaks to no relay."""
