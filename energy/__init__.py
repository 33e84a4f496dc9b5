"""The room of energy."""
