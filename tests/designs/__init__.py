"""Designs: repositories, previews, pages and the door for git."""
