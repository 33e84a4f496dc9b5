"""Pure computation about readings: numpy in, numpy out; no Django, no clock.

Times are whole microseconds since 1970-01-01 UTC (int64). Days are UTC days, so summer time changes nothing.
"""
