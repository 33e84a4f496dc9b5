"""Decisions: who may decide what, how votes are counted, and what a decision changes."""
