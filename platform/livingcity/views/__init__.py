"""The pages that belong to no room."""
