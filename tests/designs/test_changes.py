"""Changes: offered, followed, judged, merged, undone; against stock git over the same repositories."""

import datetime as dt
import subprocess
import threading
from pathlib import Path
from typing import Any

import pytest
from django.db import connection, transaction

from commons.notices.models import Notice
from commons.people.models import User
from commons.people.services import create_user
from designs import git
from designs.errors import (
    AlreadyOffered,
    Archived,
    BadAnchor,
    BadMethod,
    BadName,
    BadRevision,
    BranchMoved,
    BranchNeeded,
    ChangeMoved,
    ChangeOver,
    DesignNotFound,
    LicenceForbids,
    MergeConflict,
    NeedsApproval,
    NothingSaid,
    NothingToOffer,
    NotRelated,
    NotYours,
)
from designs.git.repository import Repository
from designs.models import Check, Collaborator, Comment, Design, Proposal, Review
from designs.queries import proposals as reads
from designs.services import fork_design, index_now, proposals, talk, write_files
from designs.services.holding import hold
from designs.services.proposals import following
from tests.designs.conftest import cube_stl, make

pytestmark = pytest.mark.django_db(transaction=True)


def stock(repository: Repository, *arguments: str, fails: bool = False) -> str:
    """Stock git on a repository of ours, without our configuration."""
    done = subprocess.run(
        ["git", "-c", "safe.directory=*", f"--git-dir={repository.path}", *arguments], capture_output=True, check=False
    )
    assert fails or done.returncode == 0, done.stderr.decode()
    return done.stdout.decode().strip()


def repository(design: Design) -> Repository:
    return git.of(design.repository)


def write(
    design: Design, person: User, files: dict[str, bytes | None], *, branch: str = "", message: str = "Work"
) -> str:
    """A commit on a branch, begun at the default branch when it is new."""
    name = branch or design.default_branch
    if branch and branch not in stock(repository(design), "for-each-ref", "--format=%(refname:short)").split():
        stock(repository(design), "branch", branch, design.default_branch)
    return write_files(design=design, files=files, message=message, author=person, by=None, branch=name)


def fork(design: Design, person: User, **more: Any) -> Design:
    made = fork_design(design=design, owner=person.handle, by=person, **more)
    made.refresh_from_db()
    return made


def offer(design: Design, source: Design, by: User, *, branch: str = "main", title: str = "Larger") -> Proposal:
    made = proposals.open_proposal(design=design, source=source, source_branch=branch, title=title, by=by)
    return proposals.follow_now(proposal=made, by=by)


def states(proposal: Proposal) -> dict[str, str]:
    return dict(proposal.checks.values_list("name", "state"))


@pytest.fixture
def forked(design: Design, neighbour: User) -> Design:
    return fork(design, neighbour)


@pytest.fixture
def change(design: Design, forked: Design, neighbour: User) -> Proposal:
    """A fork made the cube larger, in one commit."""
    write(forked, neighbour, {"cube.stl": cube_stl(14)})
    return offer(design, forked, neighbour)


# --- offering ----------------------------------------------------------------------------------------------------


def test_an_offer_holds_its_commits_and_numbers_have_no_gaps(design: Design, forked: Design, neighbour: User) -> None:
    write(forked, neighbour, {"cube.stl": cube_stl(14)})
    write(forked, neighbour, {"lid.stl": cube_stl(3)}, branch="lid")
    first = offer(design, forked, neighbour)
    with pytest.raises(AlreadyOffered) as refused:
        offer(design, forked, neighbour)
    assert refused.value.data["number"] == first.number
    with pytest.raises(NothingToOffer):
        write(design, neighbour, {"x": b"x"}, branch="same")
        stock(repository(design), "branch", "-f", "same", "main")
        offer(design, design, neighbour, branch="same")
    second = offer(design, forked, neighbour, branch="lid")
    assert [first.number, second.number] == [1, 2]
    assert first.head == stock(repository(forked), "rev-parse", "main")
    assert first.base == stock(repository(design), "rev-parse", "main")
    kept = stock(repository(design), "for-each-ref", "--format=%(objectname) %(refname)", "refs/internal").splitlines()
    assert f"{first.head} refs/internal/changes/1/{first.head}" in kept
    told = Notice.objects.get(person=design.owner.user, kind="designs.change", about=f"designs.proposal:{first.pk}")
    assert "Larger" in told.text and told.actor == neighbour


def test_what_cannot_be_offered_is_refused_and_changes_nothing(design: Design, maker: User, neighbour: User) -> None:
    other = make(neighbour, name="Another thing")
    for source, branch, title, kind in [
        (other, "main", "x", NotRelated),
        (design, "nowhere", "x", BadRevision),
        (design, "main..x", "x", BadRevision),
        (design, "main", "x", NothingToOffer),
        (design, "main", "  ", BadName),
    ]:
        with pytest.raises(kind):
            offer(design, source, neighbour, branch=branch, title=title)
    assert not Proposal.objects.exists()
    assert "internal" not in stock(repository(design), "for-each-ref")


def test_a_private_fork_is_offered_only_by_who_may_push_to_it(maker: User, neighbour: User) -> None:
    design = make(maker)
    source = fork(design, maker, slug="hidden")
    Design.objects.filter(pk=source.pk).update(visibility="private")
    source.refresh_from_db()
    secret = write(source, maker, {"secret.txt": b"not yet"})
    Collaborator.objects.create(design=source, user=neighbour, role="reader")
    stranger = create_user(username="stranger")
    for person in (neighbour, stranger):
        with pytest.raises(DesignNotFound):
            offer(design, source, person)
    assert stock(repository(design), "cat-file", "-t", secret, fails=True) == ""
    shown = reads.preview(design=design, source=source, branch="main", target_branch="main", visitor=maker)
    assert shown.shows_more and shown.head == secret
    assert stock(repository(design), "cat-file", "-t", secret, fails=True) == "", "a preview brings nothing across"
    made = offer(design, source, maker)
    assert stock(repository(design), "cat-file", "-t", secret) == "commit"

    # what is pushed later is shown only when it is offered too
    later = write(source, maker, {"secret.txt": b"still not"})
    index_now(design=source, by=maker)
    made = proposals.follow_now(proposal=made, by=maker)
    assert made.head == secret and stock(repository(design), "cat-file", "-t", later, fails=True) == ""
    with pytest.raises(NotYours):
        proposals.take_newest(proposal=made, by=neighbour)
    assert proposals.take_newest(proposal=made, by=maker).head == later


# --- following ---------------------------------------------------------------------------------------------------


def test_pushes_to_the_source_join_the_change_and_older_remarks_say_so(
    change: Proposal, forked: Design, neighbour: User, maker: User
) -> None:
    said = proposals.say(proposal=change, by=maker, body="Why 14?", anchor={"path": "cube.stl", "point": [1, 2, 3]})
    newer = write(forked, neighbour, {"cube.stl": cube_stl(15), "note.md": b"Why\n"})
    index_now(design=forked, by=neighbour)
    change = proposals.follow_now(proposal=change, by=None)
    assert change.head == newer and [v["head"] for v in change.versions] == [said.commit, newer]
    assert said.commit != change.head
    assert set(change.files.values_list("path", flat=True)) == {"cube.stl", "note.md"}


def test_a_rewritten_source_is_followed_and_what_was_offered_stays(
    change: Proposal, design: Design, forked: Design, neighbour: User
) -> None:
    old = change.head
    stock(repository(forked), "branch", "-f", "main", "main~1")
    new = write(forked, neighbour, {"cube.stl": cube_stl(20)})
    index_now(design=forked, by=neighbour)
    change = proposals.follow_now(proposal=change, by=None)
    assert change.head == new
    stock(repository(design), "-c", "gc.pruneExpire=now", "gc", "--prune=now", "--quiet")
    assert {stock(repository(design), "cat-file", "-t", oid) for oid in (old, new)} == {"commit"}


def test_the_fork_may_vanish_before_the_merge(change: Proposal, design: Design, forked: Design, maker: User) -> None:
    from designs.services import delete_design

    delete_design(design=forked, by=None)
    change = Proposal.objects.get(pk=change.pk)
    merged = proposals.merge(proposal=change, by=maker)
    assert merged.state == "merged"
    stock(repository(design), "fsck", "--full", "--strict")
    assert stock(repository(design), "cat-file", "-s", "main:cube.stl") == str(len(cube_stl(14)))


def test_a_target_that_was_pushed_with_the_change_in_it_ends_the_change(
    change: Proposal, design: Design, maker: User
) -> None:
    stock(repository(design), "branch", "-f", "main", change.head)
    index_now(design=design, by=maker)
    change = proposals.follow_now(proposal=change, by=None)
    assert (change.state, change.merged_commit, change.method) == ("merged", change.head, "")
    with pytest.raises(ChangeOver):
        proposals.merge(proposal=change, by=maker)


# --- merging -----------------------------------------------------------------------------------------------------


def test_a_merge_commit_has_both_parents_and_the_same_files_as_stock_git(
    change: Proposal, design: Design, maker: User, tmp_path: Path
) -> None:
    write(design, maker, {"README.md": b"# Cube\n\nBetter.\n"})
    before, repo = stock(repository(design), "rev-parse", "main"), repository(design)
    merged = proposals.merge(proposal=change, by=maker, head=change.head)
    assert stock(repo, "rev-parse", "main") == merged.merged_commit
    assert stock(repo, "log", "-1", "--format=%P", "main").split() == [before, change.head]
    oracle = stock(repo, "merge-tree", "--write-tree", before, change.head)
    assert stock(repo, "rev-parse", "main^{tree}") == oracle
    assert stock(repo, "log", "-1", "--format=%an", "main") == "Aila"
    with pytest.raises(ChangeOver):
        proposals.merge(proposal=merged, by=maker)


def test_a_squash_names_everybody_who_worked_on_it(
    design: Design, forked: Design, maker: User, neighbour: User
) -> None:
    helper = create_user(username="sanna", name="Sanna")
    write(forked, neighbour, {"cube.stl": cube_stl(14)})
    write(forked, helper, {"note.md": b"by Sanna\n"})
    write(forked, neighbour, {"cube.stl": cube_stl(15)})
    merged = proposals.merge(proposal=offer(design, forked, neighbour), by=maker, method="squash")
    repo = repository(design)
    assert len(stock(repo, "log", "-1", "--format=%P", "main").split()) == 1
    assert stock(repo, "log", "-1", "--format=%an <%ae>", "main") == "Niko <niko@users.livingcity.invalid>"
    assert stock(repo, "log", "-1", "--format=%s", "main") == "Larger (change 1)"
    coauthors = stock(repo, "log", "-1", "--format=%(trailers:key=Co-authored-by,valueonly)", "main")
    assert coauthors == "Sanna <sanna@users.livingcity.invalid>"
    assert stock(repo, "rev-parse", "main^{tree}") == stock(repo, "rev-parse", f"{merged.head}^{{tree}}")


@pytest.mark.parametrize(
    ("ours", "theirs", "paths"),
    [
        ({"cube.stl": cube_stl(20)}, {"cube.stl": cube_stl(14)}, ["cube.stl"]),
        ({"cube.stl": None}, {"cube.stl": cube_stl(14)}, ["cube.stl"]),
        ({"README.md": b"# Ours\n"}, {"README.md": b"# Theirs\n"}, ["README.md"]),
        ({"lid.stl": cube_stl(1)}, {"lid.stl": cube_stl(2)}, ["lid.stl"]),
    ],
    ids=["both change", "one deletes", "text", "both add"],
)
def test_conflicts_are_named_by_path_and_nothing_moves(
    design: Design, forked: Design, maker: User, neighbour: User,
    ours: dict[str, bytes | None], theirs: dict[str, bytes | None], paths: list[str],
) -> None:  # fmt: skip
    write(forked, neighbour, theirs)
    write(design, maker, ours)
    change = offer(design, forked, neighbour)
    assert states(change)["merges"] == "failed" and list(reads.conflicts_in(change)) == paths
    before = stock(repository(design), "for-each-ref")
    with pytest.raises(MergeConflict) as refused:
        proposals.merge(proposal=change, by=maker)
    assert refused.value.data["paths"] == paths
    assert stock(repository(design), "for-each-ref") == before
    assert Proposal.objects.get(pk=change.pk).state == "open"


def test_a_rename_merges_with_a_change_of_the_same_file(
    design: Design, forked: Design, maker: User, neighbour: User
) -> None:
    text = b"".join(b"line %d\n" % n for n in range(40))
    write(design, maker, {"notes.txt": text})
    stock(repository(forked), "fetch", "-q", str(repository(design).path), "+main:main")
    write(forked, neighbour, {"notes.txt": None, "docs/notes.txt": text})
    write(design, maker, {"notes.txt": text.replace(b"line 7\n", b"line seven\n")})
    change = offer(design, forked, neighbour)
    assert [(c.kind, c.old_path, c.path) for c in reads.changes_in(change)] == [
        ("renamed", "notes.txt", "docs/notes.txt")
    ]
    proposals.merge(proposal=change, by=maker)
    assert "line seven" in stock(repository(design), "show", "main:docs/notes.txt")


def test_a_conflict_is_settled_by_bringing_the_source_up_to_date(
    design: Design, forked: Design, maker: User, neighbour: User
) -> None:
    write(forked, neighbour, {"lid.stl": cube_stl(2)})
    write(design, maker, {"README.md": b"# Newer\n"})
    change = offer(design, forked, neighbour)
    with pytest.raises(NotYours):
        proposals.update_source(proposal=change, by=maker)
    newest = proposals.update_source(proposal=change, by=neighbour)
    assert newest.head == stock(repository(forked), "rev-parse", "main") != change.head
    assert stock(repository(forked), "show", "main:README.md") == "# Newer"
    assert reads.preview(
        design=design, source=forked, branch="main", target_branch="main", visitor=neighbour
    ).behind == 0  # fmt: skip


def test_a_change_is_offered_while_its_source_is_indexed(
    design: Design, forked: Design, maker: User, neighbour: User
) -> None:
    """A worker that holds the fork waits for nobody who writes of it: the two would wait for each other for ever."""
    write(forked, neighbour, {"one.txt": b"1"}, branch="one")
    faults: list[Exception] = []

    def work() -> None:
        try:
            with connection.cursor() as cursor:
                cursor.execute("SET lock_timeout = '10s'")
            proposals.open_proposal(design=design, source=forked, source_branch="one", title="One", by=neighbour)
        except Exception as fault:  # told by the assertion below
            faults.append(fault)
        finally:
            connection.close()

    with transaction.atomic():
        hold(forked)
        thread = threading.Thread(target=work)
        thread.start()
        thread.join(60)
        assert not thread.is_alive() and not faults
    assert Proposal.objects.get().title == "One"


def test_a_way_of_merging_that_there_is_not_merges_nothing(change: Proposal, maker: User) -> None:
    with pytest.raises(BadMethod, match="rebase"):
        proposals.merge(proposal=change, by=maker, method="rebase")
    change.refresh_from_db()
    assert change.is_open


def test_two_merges_at_once_lose_nothing(design: Design, forked: Design, maker: User, neighbour: User) -> None:
    made = []
    for name in ("one", "two", "three"):
        write(forked, neighbour, {f"{name}.txt": name.encode()}, branch=name)
        made.append(offer(design, forked, neighbour, branch=name, title=name))
    faults: list[Exception] = []

    def work(change: Proposal) -> None:
        try:
            proposals.merge(proposal=change, by=maker)
        except Exception as fault:  # told by the assertion below
            faults.append(fault)
        finally:
            connection.close()

    threads = [threading.Thread(target=work, args=(change,)) for change in made]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert not faults
    names = stock(repository(design), "ls-tree", "--name-only", "main").split()
    assert {"one.txt", "two.txt", "three.txt"} <= set(names)
    assert set(Proposal.objects.values_list("state", flat=True)) == {"merged"}


def test_a_push_between_is_merged_on_top_of(change: Proposal, design: Design, maker: User, monkeypatch: Any) -> None:
    """Somebody pushes with git while we merge: the first try finds the branch moved, the second one holds both."""
    from designs.git import merging

    real, pushed = merging._merge_tree, []

    def slow(repo: Repository, ours: str, theirs: str, env: dict[str, str]) -> Any:
        answer = real(repo, ours, theirs, env)
        if not pushed:
            pushed.append(write(design, maker, {"pushed.txt": b"meanwhile\n"}))
        return answer

    monkeypatch.setattr(merging, "_merge_tree", slow)
    merged = proposals.merge(proposal=change, by=maker)
    assert stock(repository(design), "log", "-1", "--format=%P", "main").split() == [pushed[0], change.head]
    assert "pushed.txt" in stock(repository(design), "ls-tree", "--name-only", merged.merged_commit)


def test_a_version_that_nobody_looked_at_is_not_merged(
    change: Proposal, forked: Design, maker: User, neighbour: User
) -> None:
    seen = change.head
    write(forked, neighbour, {"cube.stl": cube_stl(99)})
    index_now(design=forked, by=neighbour)
    change = proposals.follow_now(proposal=change, by=None)
    with pytest.raises(ChangeMoved) as refused:
        proposals.merge(proposal=change, by=maker, head=seen)
    assert refused.value.data["head"] == change.head


def test_the_licence_of_the_fork_has_a_say(change: Proposal, design: Design, forked: Design, maker: User) -> None:
    Design.objects.filter(pk=forked.pk).update(licence="CERN-OHL-S-2.0")
    change = proposals.follow_now(proposal=change, by=None)
    assert states(change)["licence"] == "failed"
    with pytest.raises(LicenceForbids) as refused:
        proposals.merge(proposal=Proposal.objects.get(pk=change.pk), by=maker)
    assert "3.3" in refused.value.data["clause"]
    assert Proposal.objects.get(pk=change.pk).state == "open"


#: Merges a change in a process that is killed as soon as the branch has moved, before its row says so.
DIES = """
import os, signal
from designs.git import commits
from designs.models import Proposal
from designs.services import proposals
move = commits.move
def move_and_die(*arguments, **named):
    move(*arguments, **named)
    os.kill(os.getpid(), signal.SIGKILL)
commits.move = move_and_die
change = Proposal.objects.get(pk={pk})
proposals.merge(proposal=change, by=change.design.owner.user, method="{method}")
"""


@pytest.mark.parametrize("method", ["merge", "squash"])
def test_a_merge_that_died_between_branch_and_row_is_known_as_one(
    manage: Any, change: Proposal, design: Design, maker: User, neighbour: User, method: str
) -> None:
    before = stock(repository(design), "rev-parse", "main")
    assert manage("shell", "-c", DIES.format(pk=change.pk, method=method)).returncode == -9
    moved = stock(repository(design), "rev-parse", "main")
    assert moved != before and Proposal.objects.get(pk=change.pk).is_open
    write(design, maker, {"later.txt": b"on top\n"})
    if method == "merge":
        assert following.follow_missed() == 1, "the daily sweep sees it when nobody pushes"
        healed = proposals.follow_now(proposal=change, by=None)
    else:
        healed = proposals.merge(proposal=change, by=neighbour_who_merges(design, neighbour), method="merge")
    assert (healed.state, healed.method, healed.merged_commit) == ("merged", method, moved)
    assert healed.ended_by == maker
    assert stock(repository(design), "rev-list", "--count", f"{moved}..main") == "1", "nothing is merged twice"
    undone = proposals.merge(proposal=proposals.undo(proposal=healed, by=maker), by=maker)
    assert stock(repository(design), "rev-parse", f"{undone.merged_commit}:cube.stl") == stock(
        repository(design), "rev-parse", f"{before}:cube.stl"
    )


def neighbour_who_merges(design: Design, person: User) -> User:
    Collaborator.objects.create(design=design, user=person, role="maintainer")
    return person


def test_the_branch_of_a_merged_change_goes_and_comes_back(design: Design, maker: User, neighbour: User) -> None:
    head = write(design, maker, {"lid.stl": cube_stl(3)}, branch="lid")
    change = offer(design, design, neighbour, branch="lid")
    with pytest.raises(ChangeOver):
        proposals.drop_branch(proposal=change, by=maker)
    change = proposals.merge(proposal=change, by=maker, method="squash")
    with pytest.raises(NotYours):
        proposals.drop_branch(proposal=change, by=neighbour)
    assert [proposals.branch_state(change, person) for person in (maker, neighbour, None)] == ["drop", "", ""]
    newer = write(design, maker, {"lid.stl": cube_stl(4)}, branch="lid")
    with pytest.raises(BranchNeeded, match="newer"):
        proposals.drop_branch(proposal=change, by=maker)
    stock(repository(design), "update-ref", "refs/heads/lid", head, newer)
    proposals.drop_branch(proposal=change, by=maker)
    assert "lid" not in stock(repository(design), "branch", "--format=%(refname:short)").split()
    stock(repository(design), "-c", "gc.pruneExpire=now", "gc", "--prune=now", "--quiet")
    assert proposals.branch_state(change, maker) == "back"
    with pytest.raises(ChangeOver):
        proposals.drop_branch(proposal=change, by=maker)
    proposals.bring_branch_back(proposal=change, by=maker)
    assert stock(repository(design), "rev-parse", "lid") == head
    with pytest.raises(BranchMoved):
        proposals.bring_branch_back(proposal=change, by=maker)


def test_a_branch_that_is_needed_stays(change: Proposal, design: Design, forked: Design, neighbour: User) -> None:
    change = proposals.merge(proposal=change, by=User.objects.get(username="aila"))
    with pytest.raises(BranchNeeded, match="main branch"):
        proposals.drop_branch(proposal=change, by=neighbour)
    write(forked, neighbour, {"lid.stl": cube_stl(3)}, branch="lid")
    lid = proposals.merge(proposal=offer(design, forked, neighbour, branch="lid"), by=User.objects.get(username="aila"))
    write(forked, neighbour, {"foot.stl": cube_stl(3)}, branch="foot")
    into = proposals.open_proposal(
        design=forked, source=forked, source_branch="foot", target_branch="lid", title="A foot", by=neighbour
    )
    with pytest.raises(BranchNeeded, match="goes into it"):
        proposals.drop_branch(proposal=lid, by=neighbour)
    proposals.close(proposal=into, by=neighbour)
    proposals.drop_branch(proposal=lid, by=neighbour)
    stock(repository(forked), "reflog", "expire", "--expire=now", "--all")
    assert stock(repository(forked), "rev-parse", "--verify", "-q", "lid", fails=True) == ""
    proposals.bring_branch_back(proposal=lid, by=neighbour)
    assert stock(repository(forked), "rev-parse", "lid") == lid.head
    assert "internal/back" not in stock(repository(forked), "for-each-ref"), "nothing hidden stays behind"


def test_undoing_takes_back_this_change_alone(change: Proposal, design: Design, maker: User, neighbour: User) -> None:
    merged = proposals.merge(proposal=change, by=maker)
    write(design, maker, {"later.txt": b"stays\n"})
    with pytest.raises(NotYours):
        proposals.undo(proposal=merged, by=neighbour)
    undone = proposals.undo(proposal=merged, by=maker)
    assert undone.number == 2 and undone.source_id == design.pk
    proposals.merge(proposal=undone, by=maker)
    repo = repository(design)
    assert stock(repo, "rev-parse", "main:cube.stl") == stock(repo, "rev-parse", f"{change.base}:cube.stl")
    assert stock(repo, "show", "main:later.txt") == "stays"


# --- who may -----------------------------------------------------------------------------------------------------


def test_who_may_do_what(change: Proposal, design: Design, maker: User, neighbour: User) -> None:
    maintainer, reader = create_user(username="maintainer"), create_user(username="reader")
    Collaborator.objects.create(design=design, user=maintainer, role="maintainer")
    Collaborator.objects.create(design=design, user=reader, role="reader")
    for person in (neighbour, reader):
        with pytest.raises(NotYours):
            proposals.merge(proposal=change, by=person)
    with pytest.raises(NotYours):
        proposals.close(proposal=change, by=reader)
    with pytest.raises(NotYours):
        proposals.edit(proposal=change, by=reader, title="Mine now")
    assert proposals.edit(proposal=change, by=neighbour, title="  Better   words ").title == "Better words"
    assert proposals.close(proposal=change, by=neighbour).state == "closed"
    with pytest.raises(ChangeOver):
        proposals.merge(proposal=change, by=maintainer)
    assert proposals.reopen(proposal=change, by=maintainer).state == "open"
    Design.objects.filter(pk=design.pk).update(archived_at=dt.datetime.now(dt.UTC))
    for do in (proposals.merge, proposals.close):
        with pytest.raises((Archived, NotYours)):
            do(proposal=change, by=maker)
    Design.objects.filter(pk=design.pk).update(archived_at=None)
    assert proposals.merge(proposal=change, by=maintainer).ended_by == maintainer


def test_a_design_may_ask_for_an_agreement_first(
    change: Proposal, design: Design, forked: Design, maker: User, neighbour: User
) -> None:
    Design.objects.filter(pk=design.pk).update(merge_needs_approval=True)
    passer = create_user(username="passer")
    proposals.review(proposal=change, by=passer, verdict="approve")
    with pytest.raises(NeedsApproval):
        proposals.merge(proposal=change, by=maker)
    with pytest.raises(NotYours):
        proposals.review(proposal=change, by=neighbour, verdict="approve")
    with pytest.raises(NothingSaid):
        proposals.review(proposal=change, by=maker, verdict="ask")
    proposals.review(proposal=change, by=maker, verdict="approve", head=change.head)
    write(forked, neighbour, {"cube.stl": cube_stl(16)})
    index_now(design=forked, by=neighbour)
    change = proposals.follow_now(proposal=change, by=None)
    with pytest.raises(NeedsApproval):
        proposals.merge(proposal=change, by=maker)
    proposals.review(proposal=change, by=maker, verdict="approve")
    assert proposals.merge(proposal=change, by=maker).state == "merged"
    assert [r.verdict for r in reads.latest_reviews(change)] == ["approve", "approve"]


# --- talk --------------------------------------------------------------------------------------------------------


def test_remarks_are_pinned_answered_and_dealt_with(
    change: Proposal, forked: Design, maker: User, neighbour: User
) -> None:
    with pytest.raises(BadAnchor):
        proposals.say(proposal=change, by=maker, body="x", anchor={"path": "README.md"})
    point = proposals.say(proposal=change, by=maker, body="Here", anchor={"path": "cube.stl", "point": [1, 2, 3]})
    assert point.anchor == {"path": "cube.stl", "point": [1, 2, 3]} and point.commit == change.head
    write(forked, neighbour, {"README.md": b"# Cube\n\nLarger", "new.txt": b"one\n"})
    change = proposals.take_newest(proposal=change, by=neighbour)
    line = proposals.say(proposal=change, by=maker, body="Here", anchor={"path": "README.md", "line": 3, "side": "new"})
    assert line.anchor == {"path": "README.md", "line": 3, "side": "new"} and line.commit == change.head
    for beyond, why in [
        ({"path": "README.md", "line": 4, "side": "new"}, "has 3 lines; there is no line 4"),
        ({"path": "README.md", "line": 2, "side": "old"}, "has 1 lines; there is no line 2"),
        ({"path": "new.txt", "line": 1, "side": "old"}, "was not there before"),
        ({"path": "cube.stl", "line": 1, "side": "new"}, "not shown as text"),
    ]:
        with pytest.raises(BadAnchor, match=why) as refused:
            proposals.say(proposal=change, by=maker, body="x", anchor=beyond)
        assert refused.value.status == 422
    answer = proposals.say(proposal=change, by=neighbour, body="Yes", answers=line)
    again = proposals.say(proposal=change, by=maker, body="Fine", answers=answer)
    assert again.answers_id == line.pk
    passer = create_user(username="passer")
    with pytest.raises(NotYours):
        talk.resolve(comment=line, by=passer)
    assert talk.resolve(comment=line, by=neighbour).resolved_at is not None
    assert Notice.objects.filter(person=maker, kind="designs.comment").exists()
    talk.remove(comment=line, by=maker)
    assert Comment.objects.get(pk=line.pk).removed_at is not None and Comment.objects.count() == 4


# --- checks ------------------------------------------------------------------------------------------------------


def test_checks_are_computed_for_each_head(change: Proposal, design: Design) -> None:
    found = states(change)
    assert found["merges"] == found["licence"] == found["sizes"] == "passed"
    assert found["closed"] == "waiting", "nothing is drawn without a worker"
    assert (change.checked_head, change.checked_onto) == (change.head, reads.branch_tip(design, "main"))
    assert Check.objects.filter(proposal=change).count() == len(found)
    assert Review.objects.count() == 0


def test_only_a_change_shows_the_picture_of_its_blobs(change: Proposal, design: Design, forked: Design) -> None:
    from designs.queries.files import holds_blob

    oid = stock(repository(forked), "rev-parse", "main:cube.stl")
    assert holds_blob(design, oid) is not None
    assert not design.file_versions.filter(blob__oid=oid).exists(), "unmerged files are no versions of the design"
    other = make(design.created_by or forked.created_by, name="Third")  # type: ignore[arg-type]
    assert holds_blob(other, oid) is None


def test_a_branch_is_offered_while_the_cache_is_away(design: Design, maker: User, settings: Any) -> None:
    """Nobody listens there: what is kept only for speed is counted afresh."""
    write(design, maker, {"a.txt": b"a"}, branch="idea")
    settings.CACHES = {**settings.CACHES, "default": {**settings.CACHES["default"], "LOCATION": "redis://127.0.0.1:1/0"}}
    assert [(found.branch, found.ahead) for found in reads.candidates(design, maker)] == [("idea", 1)]
