"""The whole loop once, on real input, over the doors that strangers use: commands, git, HTTP."""
