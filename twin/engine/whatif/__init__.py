"""The parts of a scenario's reckoning, one for each engine: what a city is before and after, and what each engine says.

`twin.engine.scenario` puts them together. Every function here is pure: the same city and the same draw give the same
numbers, so that today and a scenario differ only by what the measures change.
"""
