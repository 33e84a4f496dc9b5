"""What differs between two versions of a file, as material: added, removed and common volume, or how far apart two
surfaces are where there is no volume. Pure: numpy in, numpy out; docs/diff.md says how and why."""

#: Raised whenever the same two files would be compared with another outcome.
DIFF_VERSION = "1"
