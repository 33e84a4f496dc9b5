"""Which licence a derivation may carry: the published answers of the licences' own stewards, clause by clause."""

from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st

from designs.errors import LicenceForbids
from designs.licences import derive
from designs.licences.table import PICKED

PICKS = [each for group in PICKED.values() for each in group]

#: creativecommons.org/faq, "If I derive or adapt material offered under a Creative Commons license, which CC
#: license(s) can I use?": rows are the original, columns the adapter's licence; "x" may be used.
CC_COLUMNS = ["CC-BY-4.0", "CC-BY-NC-4.0", "CC-BY-NC-SA-4.0", "CC-BY-SA-4.0", "CC0-1.0"]
CC_CHART = {
    "CC0-1.0": "xxxxx",
    "CC-BY-4.0": "xxxx-",
    "CC-BY-NC-4.0": "-xx--",
    "CC-BY-NC-SA-4.0": "--x--",
    "CC-BY-SA-4.0": "---x-",
    "CC-BY-ND-4.0": "-----",
    "CC-BY-NC-ND-4.0": "-----",
}


@pytest.mark.parametrize("parent", CC_CHART)
def test_the_chart_of_creative_commons(parent: str) -> None:
    row = "".join("x" if derive.fault(child, [parent]) is None else "-" for child in CC_COLUMNS)
    assert row == CC_CHART[parent]


@pytest.mark.parametrize(
    ("parent", "child", "clause"),
    [
        # forbidden, with the clause that says so
        ("CC-BY-SA-4.0", "MIT", "3(b)(1)"),
        ("CC-BY-SA-4.0", "CC-BY-SA-3.0", "3(b)(1)"),
        ("CC-BY-SA-3.0", "GPL-3.0-only", "4(b)"),
        ("CC-BY-SA-4.0", "CC-BY-NC-SA-4.0", "3(b)(1)"),
        ("CC-BY-NC-4.0", "CERN-OHL-S-2.0", "2(a)(1)"),
        ("CC-BY-NC-SA-4.0", "CC-BY-NC-4.0", "3(b)(1)"),
        ("CC-BY-ND-4.0", "CC-BY-ND-4.0", "2(a)(1)(B)"),
        ("CERN-OHL-S-2.0", "CERN-OHL-W-2.0", "3.3(d)"),
        ("CERN-OHL-S-2.0", "MIT", "3.3(d)"),
        ("CERN-OHL-W-2.0", "CERN-OHL-P-2.0", "3.3(d)"),
        ("CERN-OHL-1.2", "CC-BY-SA-4.0", "3.4(e)"),
        ("TAPR-OHL-1.0", "CERN-OHL-S-2.0", "4.2(a)"),
        ("GPL-3.0-only", "CC-BY-SA-4.0", "5(c)"),
        ("GPL-3.0-only", "GPL-3.0-or-later", "5(c)"),
        ("GPL-2.0-only", "GPL-3.0-only", "2(b)"),
        ("CC-BY-4.0", "CC0-1.0", "3(a)(1)"),
        ("Apache-2.0", "Unlicense", "4"),
        ("MIT AND CC-BY-SA-4.0", "MIT", "3(b)(1)"),
        ("CC-BY-SA-4.0", "CC-BY-SA-4.0 OR MIT", "3(b)(1)"),
        # allowed
        ("CC-BY-SA-4.0", "CC-BY-SA-4.0", None),
        ("CC-BY-SA-4.0", "GPL-3.0-only", None),
        ("CC-BY-SA-4.0", "LAL-1.3", None),
        ("CC-BY-SA-2.0", "CC-BY-SA-4.0", None),
        ("CC-BY-NC-4.0", "CC-BY-NC-SA-4.0", None),
        ("CERN-OHL-W-2.0", "CERN-OHL-S-2.0", None),
        ("CERN-OHL-1.2", "CERN-OHL-S-2.0", None),
        ("CERN-OHL-P-2.0", "LicenseRef-All-Rights-Reserved", None),
        ("MIT", "CERN-OHL-S-2.0", None),
        ("Apache-2.0", "CC-BY-NC-4.0", None),
        ("GPL-2.0-or-later", "GPL-3.0-only", None),
        ("GPL-3.0", "GPL-3.0-only", None),
        ("CC0-1.0", "LicenseRef-own", None),
        ("MIT OR CC-BY-SA-4.0", "MIT", None),
        ("CERN-OHL-S-2.0", "CERN-OHL-S-2.0 AND CC-BY-4.0", None),
        ("CERN-OHL-S-2.0 AND CC-BY-SA-4.0", "CERN-OHL-S-2.0 AND CC-BY-SA-4.0", None),
    ],
)
def test_clauses(parent: str, child: str, clause: str | None) -> None:
    found = derive.fault(child, [parent])
    assert (found and found.clause) == clause


@pytest.mark.parametrize("parent", ["LicenseRef-own", "NOASSERTION AND", "SSPL-1.0"])
def test_what_nobody_can_read_cannot_become_open(parent: str) -> None:
    assert derive.fault("MIT", [parent]) is not None
    assert derive.fault(parent, [parent]) is None or parent == "NOASSERTION AND"


@dataclass
class Named:
    name: str
    licence: str


def test_the_refusal_names_clause_parent_and_ways_out() -> None:
    with pytest.raises(LicenceForbids) as refusal:
        derive.check("MIT", [Named("Hinge", "CC-BY-4.0"), Named("Flagpole clamp", "CERN-OHL-W-2.0")])
    assert str(refusal.value) == (
        "“Flagpole clamp” (CERN-OHL-W-2.0), section 3.3(d): changes are shared under the same licence. "
        "Choose CERN-OHL-W-2.0 or CERN-OHL-S-2.0, or ask its authors."
    )
    assert refusal.value.problem()["clause"] == "3.3(d)"
    assert refusal.value.status == 409


def test_what_nobody_else_sees_may_be_a_derivative_of_nd() -> None:
    assert derive.fault("CC-BY-ND-4.0", ["CC-BY-ND-4.0"], shared=False) is None
    assert derive.fault("MIT", ["CC-BY-ND-4.0"], shared=False) is not None


@given(st.lists(st.sampled_from(PICKS), max_size=4))
def test_what_is_allowed_passes_and_every_parent_counts(parents: list[str]) -> None:
    for child in derive.allowed(parents):
        derive.check(child, parents)
        assert all(derive.fault(child, [parent]) is None for parent in parents)


@given(st.sampled_from(PICKS), st.sampled_from(PICKS), st.sampled_from(PICKS))
def test_openness_is_never_gained_on_the_way(first: str, second: str, third: str) -> None:
    """If the last may come from the second and that from the first, nothing closed to business became open to it."""
    if derive.fault(second, [first]) is None and derive.fault(third, [second]) is None and "-NC" in first:
        assert "-NC" in third
