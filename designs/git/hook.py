"""git's pre-receive hook, run with `python -I`: what a push may bring, refused in words that the git client prints.

It knows no Django. Limits come in LIVINGCITY_* variables. It runs inside git's quarantine, so a refused push leaves
nothing behind.
"""

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

REF = re.compile(r"^refs/(heads|tags)/[A-Za-z0-9][A-Za-z0-9._/+-]{0,200}$")
RESERVED = {"refs/heads/HEAD", "refs/tags/HEAD"}
NOTHING = "0" * 40
POINTER = re.compile(
    rb"^(?P<blob>[0-9a-f]{40}) blob \d+\nversion https://git-lfs\.github\.com/spec/v1\n"
    rb"(?:ext-[^\n]*\n)*oid sha256:(?P<oid>[0-9a-f]{64})\nsize \d+\n",
    re.MULTILINE,
)


def limit(name: str, default: int) -> int:
    """A limit from the environment."""
    return int(os.environ.get(name, default))


def git(*arguments: str, stdin: str = "") -> str:
    """What git prints."""
    done = subprocess.run(["git", *arguments], input=stdin.encode(), stdout=subprocess.PIPE, check=True)
    return done.stdout.decode("utf-8", "replace")


def ref_faults(updates: list[tuple[str, str, str]]) -> Iterator[str]:
    """Names that would bite later, and rewriting of the protected branch."""
    protected = os.environ.get("LIVINGCITY_PROTECTED", "")
    for old, new, ref in updates:
        if not REF.match(ref) or ref in RESERVED or ".." in ref or ref.endswith((".lock", "/", ".")):
            yield f"{ref}: only branches and tags can be pushed, with letters, digits and . _ / + - in their names"
        elif ref.startswith("refs/tags/") and is_released(ref):
            yield f"{ref}: this tag is a release, which never changes; push another tag"
        elif ref == protected and new == NOTHING:
            yield f"{ref}: the main branch of a design cannot be deleted"
        elif ref == protected and old != NOTHING and not is_ancestor(old, new):
            yield f"{ref}: the main branch cannot be rewritten; fetch first, then push on top of it"


def is_released(tag: str) -> bool:
    """Whether a release fixes the tag."""
    fixed = "refs/internal/releases/" + tag.removeprefix("refs/tags/")
    done = subprocess.run(["git", "show-ref", "--verify", "--quiet", fixed], check=False)
    return done.returncode == 0


def is_ancestor(old: str, new: str) -> bool:
    """Whether the update only adds commits."""
    done = subprocess.run(["git", "merge-base", "--is-ancestor", old, new], check=False, stderr=subprocess.DEVNULL)
    return done.returncode == 0


def object_faults(news: list[str]) -> Iterator[str]:
    """Blobs too large, too many files, paths too long, submodules that are not https."""
    listing = git("rev-list", "--objects", "--stdin", "--not", "--all", stdin="".join(f"{n}\n" for n in news))
    if not listing:
        return
    paths = {line[:40]: line[41:] for line in listing.splitlines()}
    if len(paths) > limit("LIVINGCITY_MAX_OBJECTS", 200_000):
        yield f"the push brings {len(paths)} objects; push it in smaller parts"
        return
    sizes = git("cat-file", "--batch-check=%(objectname) %(objecttype) %(objectsize)", stdin="\n".join(paths) + "\n")
    yield from large_faults(sizes, paths)
    most = limit("LIVINGCITY_MAX_BLOB_BYTES", 128 * 1024 * 1024)
    for line in sizes.splitlines():
        oid, kind, size = line.split()
        path = paths.get(oid, "")
        if kind == "blob" and int(size) > most:
            yield f"{path}: {int(size) / 1e6:.0f} MB is more than the {most / 1e6:.0f} MB that a file may have"
        elif kind == "blob" and len(path.encode()) > 700:
            yield f"{path[:60]}…: the path is longer than 700 bytes"
        elif kind == "blob" and (path == ".gitmodules" or path.endswith("/.gitmodules")):
            yield from submodule_faults(oid)


def large_faults(sizes: str, paths: dict[str, str]) -> Iterator[str]:
    """Pointers (Git LFS) to large files that the design does not hold; git-lfs sends those before it pushes."""
    small = [line.split()[0] for line in sizes.splitlines() if " blob " in line and 100 < int(line.split()[2]) < 1024]
    listed = os.environ.get("LIVINGCITY_LARGE")
    if not small or listed is None:
        return
    held = set(Path(listed).read_text().split())
    done = subprocess.run(
        ["git", "cat-file", "--batch"], input="\n".join(small).encode() + b"\n", stdout=subprocess.PIPE, check=True
    )
    for found in POINTER.finditer(done.stdout):
        if found["oid"].decode() not in held:
            path = paths.get(found["blob"].decode(), "")
            yield f"{path}: its large file {found['oid'].decode()[:12]} was not sent; run “git lfs push --all” first"


def room_faults() -> Iterator[str]:
    """More bytes than the owner has room for: what git has put into its quarantine for this push, as it is on disk."""
    room, quarantine = os.environ.get("LIVINGCITY_ROOM_BYTES"), os.environ.get("GIT_QUARANTINE_PATH")
    if room is None or quarantine is None:
        return
    brought = sum(file.stat().st_size for file in Path(quarantine).rglob("*") if file.is_file())
    if brought > int(room):
        yield (
            f"the push brings {brought / 1e6:.1f} MB, and its owner has room for {int(room) / 1e6:.1f} MB more; "
            "delete what is not needed, or ask the steward of the city"
        )


def submodule_faults(oid: str) -> Iterator[str]:
    """A submodule's address is opened by whoever clones: https only."""
    for line in git("cat-file", "blob", oid).splitlines():
        key, _, value = line.strip().partition("=")
        if key.strip().lower() == "url" and not value.strip().strip('"').startswith(("https://", "./", "../")):
            yield f".gitmodules: the address {value.strip()!r} is not https"


def main() -> int:
    """0 lets the push through."""
    updates: list[tuple[str, str, str]] = []
    for line in sys.stdin:
        old, new, ref = line.split(maxsplit=2)
        updates.append((old, new, ref.strip()))
    faults = list(ref_faults(updates))
    if len(updates) > limit("LIVINGCITY_MAX_REFS", 2000):
        faults.append(f"the push changes {len(updates)} branches and tags; push fewer at once")
    news = [new for _old, new, _ref in updates if new != NOTHING]
    if news and not faults:
        faults += room_faults()
    if news and not faults:
        faults += object_faults(news)
    for fault in faults[:20]:
        sys.stderr.write(f"Living City: {fault}\n")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
