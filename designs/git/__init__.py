"""The one place that runs git: argument lists, a clean environment, limits. Nothing else in the house may call it.

Reads of a repository are on `Repository`; commits without a work tree in `commits`; smart HTTP in `serve`; copies of
other repositories in `fetching`; what a push may bring in `hook`.
"""

from designs.git.repository import Entry, Repository, create, of

__all__ = ["Entry", "Repository", "create", "of"]
