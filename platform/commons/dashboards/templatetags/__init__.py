"""Template tags of dashboards."""
