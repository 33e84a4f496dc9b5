"""Who made a version: each person once, however many names and addresses they sign their commits with."""

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

from allauth.account.models import EmailAddress

from designs import git
from designs.git.repository import Commit
from designs.models import Design
from designs.queries import formers

#: Commits that are read for the names of authors.
MOST_COMMITS = 2000
MOST_AUTHORS = 20
#: A squashed commit names the others who worked on it so.
CO_AUTHOR = re.compile(r"^co-authored-by:\s*([^<\n]+?)\s*<([^>\n]*)>\s*$", re.IGNORECASE | re.MULTILINE)
Signature = tuple[str, str]


def authors(design: Design, commit: str) -> tuple[str, ...]:
    """Everybody who worked on a version, most commits first, each by the name that they signed with most often."""
    signed = [signature for entry in _history(design, commit) for signature in signatures(entry)]
    signed = formers.shown_signatures(signed)
    return persons(signed, accounts_of(email for _name, email in signed))[:MOST_AUTHORS]


def _history(design: Design, commit: str) -> Sequence[Commit]:
    return git.of(design.repository).history(commit, limit=MOST_COMMITS)


def signatures(entry: Commit) -> list[Signature]:
    """The names and addresses that a commit is signed with: its author, and those whom its last lines name."""
    return [(entry.author, entry.email), *CO_AUTHOR.findall(entry.message)]


def accounts_of(emails: Iterable[str]) -> dict[str, str]:
    """For each of the addresses that was proven by an account, the one by which the site signs for that account."""
    asked = {email.strip().lower() for email in emails}
    proven = EmailAddress.objects.filter(email__in=asked, verified=True).values_list("email", "user__username")
    return {email.lower(): f"{username}@users.livingcity.invalid" for email, username in proven}


def persons(signed: Sequence[Signature], accounts: Mapping[str, str]) -> tuple[str, ...]:
    """The people behind signatures, most signatures first: two that share a name or an address are one person's.

    `accounts` leads from an address to another of the same person.
    """
    leads: dict[str, str] = {}

    def first(key: str) -> str:
        while leads.setdefault(key, key) != key:
            leads[key] = leads[leads[key]]
            key = leads[key]
        return key

    names = [" ".join(name.split()) for name, _email in signed]
    keys = [f"name:{name.casefold()}" for name in names]
    for (_name, email), key in zip(signed, keys, strict=True):
        address = email.strip().lower()
        if "@" in address:
            leads[first(f"mail:{accounts.get(address, address)}")] = first(key)
    said: dict[str, Counter[str]] = {}
    for name, key in zip(names, keys, strict=True):
        said.setdefault(first(key), Counter())[name] += 1
    ordered = sorted(said.values(), key=lambda counted: -counted.total())
    return tuple(name for counted in ordered if (name := counted.most_common(1)[0][0]))
