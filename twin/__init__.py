"""The room of twin."""
