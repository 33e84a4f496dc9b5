"""Which licences there are, who counts each as open, and of what kind it is. Facts only; the sources are named here.

OSI    licences approved by the Open Source Initiative, by their SPDX ids (opensource.org/licenses; SPDX marks them
       `isOsiApproved` in its list, spdx.org/licenses)
OSHWA  licences that the Open Source Hardware Association's certification names for hardware and documentation
       (certification.oshwa.org/process.html, application.oshwa.org/apply)
FCW    licences in the grid of the Definition of Free Cultural Works (freedomdefined.org/Licenses), and those that
       Creative Commons marks "approved for Free Cultural Works" (CC0, CC BY, CC BY-SA)

A licence that is on none of the three is not open, however free it sounds: docs/licences.md names the odd ones.
"""


def _ids(text: str) -> frozenset[str]:
    return frozenset(text.split())


OSI = _ids(
    """
    0BSD AAL AFL-1.1 AFL-1.2 AFL-2.0 AFL-2.1 AFL-3.0 AGPL-3.0-only AGPL-3.0-or-later APL-1.0 APSL-1.0 APSL-1.1
    APSL-1.2 APSL-2.0 Apache-1.1 Apache-2.0 Artistic-1.0 Artistic-1.0-Perl Artistic-1.0-cl8 Artistic-2.0 BSD-1-Clause
    BSD-2-Clause BSD-2-Clause-Patent BSD-3-Clause BSD-3-Clause-LBNL BSL-1.0 BlueOak-1.0.0 CAL-1.0
    CAL-1.0-Combined-Work-Exception CATOSL-1.1 CDDL-1.0 CECILL-2.1 CERN-OHL-P-2.0 CERN-OHL-S-2.0 CERN-OHL-W-2.0
    CNRI-Python CPAL-1.0 CPL-1.0 CUA-OPL-1.0 ECL-1.0 ECL-2.0 EFL-1.0 EFL-2.0 EPL-1.0 EPL-2.0 EUDatagrid EUPL-1.1
    EUPL-1.2 Entessa Fair Frameworx-1.0 GPL-2.0-only GPL-2.0-or-later GPL-3.0-only GPL-3.0-or-later HPND ICU IPA
    IPL-1.0 ISC Intel Jam LGPL-2.0-only LGPL-2.0-or-later LGPL-2.1-only LGPL-2.1-or-later LGPL-3.0-only
    LGPL-3.0-or-later LPL-1.0 LPL-1.02 LPPL-1.3c LiLiQ-P-1.1 LiLiQ-R-1.1 LiLiQ-Rplus-1.1 MIT MIT-0 MIT-Modern-Variant
    MPL-1.0 MPL-1.1 MPL-2.0 MS-PL MS-RL MirOS Motosoto MulanPSL-2.0 Multics NASA-1.3
    NCSA NGPL NPOSL-3.0 NTP Naumen Nokia OCLC-2.0 OFL-1.1 OFL-1.1-RFN OFL-1.1-no-RFN OGTSL OLDAP-2.8 OLFL-1.3
    OSET-PL-2.1 OSL-1.0 OSL-2.0 OSL-2.1 OSL-3.0 PHP-3.0 PHP-3.01 PostgreSQL Python-2.0 QPL-1.0 RPL-1.1 RPL-1.5
    RPSL-1.0 RSCPL SISSL SPL-1.0 SimPL-2.0 Sleepycat UCL-1.0 UPL-1.0 Unicode-3.0 Unicode-DFS-2016 Unlicense VSL-1.0
    W3C Watcom-1.0 Xnet ZPL-2.0 ZPL-2.1 Zlib
    """
)
OSHWA = _ids(
    """
    Apache-2.0 BSD-2-Clause BSD-3-Clause CC-BY-4.0 CC-BY-SA-4.0 CC0-1.0 CERN-OHL-1.1 CERN-OHL-1.2 CERN-OHL-P-2.0
    CERN-OHL-S-2.0 CERN-OHL-W-2.0 GPL-3.0-only GPL-3.0-or-later LGPL-3.0-only LGPL-3.0-or-later MIT MPL-2.0 SHL-0.5
    SHL-0.51 SHL-2.0 SHL-2.1 TAPR-OHL-1.0
    """
)
FCW = _ids(
    """
    CC-BY-1.0 CC-BY-2.0 CC-BY-2.5 CC-BY-3.0 CC-BY-4.0 CC-BY-SA-1.0 CC-BY-SA-2.0 CC-BY-SA-2.5 CC-BY-SA-3.0 CC-BY-SA-4.0
    CC0-1.0 FreeBSD-DOC GFDL-1.1-no-invariants-only GFDL-1.1-no-invariants-or-later GFDL-1.1-only GFDL-1.1-or-later
    GFDL-1.2-no-invariants-only GFDL-1.2-no-invariants-or-later GFDL-1.2-only GFDL-1.2-or-later
    GFDL-1.3-no-invariants-only GFDL-1.3-no-invariants-or-later GFDL-1.3-only GFDL-1.3-or-later GPL-2.0-only
    GPL-2.0-or-later GPL-3.0-only GPL-3.0-or-later LAL-1.2 LAL-1.3 LGPL-2.1-only LGPL-2.1-or-later LGPL-3.0-only
    LGPL-3.0-or-later MIT
    """
)
LISTS = {"OSI": OSI, "OSHWA": OSHWA, "FCW": FCW}
OPEN = OSI | OSHWA | FCW

#: Old names that SPDX has withdrawn but that people still write.
OLD_NAMES = {
    f"{family}-{version}{old}": f"{family}-{version}-{new}"
    for family, versions in {
        "GPL": ("2.0", "3.0"), "LGPL": ("2.0", "2.1", "3.0"), "AGPL": ("3.0",), "GFDL": ("1.1", "1.2", "1.3"),
    }.items()
    for version in versions
    for old, new in (("", "only"), ("+", "or-later"))
}  # fmt: skip

NON_COMMERCIAL = frozenset({
    *(f"CC-BY-NC{rest}-{v}" for rest in ("", "-SA", "-ND") for v in ("1.0", "2.0", "2.5", "3.0", "4.0")),
    "CC-BY-NC-SA-2.0-DE", "CC-BY-NC-SA-2.0-FR", "CC-BY-NC-SA-2.0-UK", "CC-BY-NC-SA-3.0-DE", "CC-BY-NC-SA-3.0-IGO",
    "CC-BY-NC-3.0-DE", "CC-BY-NC-ND-3.0-DE", "CC-BY-NC-ND-3.0-IGO", "PolyForm-Noncommercial-1.0.0",
})  # fmt: skip

#: They ask for nothing: what is under them may become anything.
DEDICATED = frozenset({"CC0-1.0", "Unlicense", "0BSD", "MIT-0", "WTFPL", "PDDL-1.0", "CC-PDDC"})
#: They ask that names and notices are kept, not that changes are shared.
PERMISSIVE = _ids(
    """
    AAL AFL-1.1 AFL-1.2 AFL-2.0 AFL-2.1 AFL-3.0 Apache-1.1 Apache-2.0 Artistic-2.0 BSD-1-Clause BSD-2-Clause
    BSD-2-Clause-Patent BSD-3-Clause BSD-3-Clause-LBNL BSL-1.0 BlueOak-1.0.0 CERN-OHL-P-2.0 CNRI-Python ECL-1.0
    ECL-2.0 EFL-1.0 EFL-2.0 Entessa Fair FreeBSD-DOC HPND ICU ISC Intel LiLiQ-P-1.1 MIT MIT-Modern-Variant MS-PL MirOS
    MulanPSL-2.0 Multics NCSA NTP Naumen PHP-3.0 PHP-3.01 PostgreSQL Python-2.0 SHL-0.5 SHL-0.51 SHL-2.0 SHL-2.1
    UPL-1.0 Unicode-3.0 Unicode-DFS-2016 VSL-1.0 W3C Xnet ZPL-2.0 ZPL-2.1 Zlib ODC-By-1.0
    """
)
#: They ask that the author of the original is named.
ATTRIBUTION = frozenset({"CC-BY-1.0", "CC-BY-2.0", "CC-BY-2.5", "CC-BY-3.0", "CC-BY-4.0"})

#: What the picker offers, in its three groups; ids only, the words are in `words`.
PICKED = {
    "open": (
        "CERN-OHL-S-2.0", "CERN-OHL-W-2.0", "CERN-OHL-P-2.0", "CC-BY-SA-4.0", "CC-BY-4.0", "CC0-1.0",
        "TAPR-OHL-1.0", "Apache-2.0 WITH SHL-2.1", "GPL-3.0-or-later", "GPL-3.0-only", "GPL-2.0-or-later",
        "LGPL-3.0-or-later",
        "AGPL-3.0-or-later", "MIT", "Apache-2.0", "BSD-3-Clause", "BSD-2-Clause", "MPL-2.0", "EUPL-1.2", "LAL-1.3",
        "CERN-OHL-1.2", "CC-BY-SA-3.0", "CC-BY-3.0", "GPL-2.0-only", "Unlicense", "0BSD",
    ),
    "non-commercial": ("CC-BY-NC-SA-4.0", "CC-BY-NC-4.0", "CC-BY-NC-ND-4.0", "CC-BY-NC-SA-3.0", "CC-BY-NC-3.0"),
    "not open": ("CC-BY-ND-4.0", "ODbL-1.0", "WTFPL", "LicenseRef-All-Rights-Reserved", "LicenseRef-Unknown"),
}  # fmt: skip
