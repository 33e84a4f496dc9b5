"""Template tags of activity."""
