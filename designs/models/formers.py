"""Authors of commits whose accounts are closed."""

from django.db import models


class FormerAuthor(models.Model):
    """Instead of whom a commit is shown that is signed with an address whose account was closed.

    A commit is named by what it says, so it cannot be written anew; what is shown of it can. `digest` is the SHA-256 of
    the address in small letters, so that the table itself names nobody. It is the city's mailmap.
    """

    digest = models.BinaryField(max_length=32, primary_key=True)
    name = models.CharField(max_length=39)

    def __str__(self) -> str:
        return self.name
