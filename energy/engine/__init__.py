"""Pure computation: numpy in, numpy out; no Django, no clock, no randomness but by argument."""

VERSION = "1"
