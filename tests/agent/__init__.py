"""The agent: its own parts, and the real program against a real city and real machines."""
