"""Importing a community: what is kept, and that what is refused changes nothing."""

import io
import json
from pathlib import Path

import numpy as np
import pytest
from django.core.management import CommandError, call_command

from commons.places.models import Place
from energy import loading, series, services
from energy.engine import folder as reader
from energy.errors import BadCommunity
from energy.models import Community, CommunityVersion, Member, VersionSeries


def test_what_is_kept_is_bit_for_bit_what_was_read(folder: Path, version: CommunityVersion) -> None:
    read, kept = reader.read(folder), loading.load(version)
    np.testing.assert_array_equal(kept.load_kwh, read.load_kwh)
    np.testing.assert_array_equal(kept.pv_kwh, read.pv_kwh)
    np.testing.assert_array_equal(kept.import_price, read.import_price)
    assert kept.members == read.members
    assert (kept.start, kept.timezone, kept.cyclic) == (read.start, read.timezone, read.cyclic)
    assert version.content_sha256 == reader.content_sha256(folder)
    assert version.load_kwh == pytest.approx(read.load_kwh.sum())


def test_series_are_little_endian_floats() -> None:
    values = [0.1, -2.5, 1e-300, 12345.678901]
    assert list(series.unpack(series.pack(values))) == values
    assert series.raw(series.pack([1.0])) == bytes.fromhex("000000000000f03f")


def test_the_same_slug_again_is_a_new_version(folder: Path, version: CommunityVersion, kamppi: Place) -> None:
    again = services.import_folder(folder=folder, slug="sixteen")
    assert again.number == version.number + 1 == 2
    assert again.community_id == version.community_id
    assert again.community.place == kamppi
    assert Community.objects.count() == 1
    assert Member.objects.filter(version=version).count() == 17


def test_a_persons_member_stays_theirs_over_versions(
    folder: Path, version: CommunityVersion, neighbour: object
) -> None:
    version.members.filter(key="h03").update(person=neighbour)
    again = services.import_folder(folder=folder, slug="sixteen")
    assert list(again.members.filter(person=neighbour).values_list("key", flat=True)) == ["h03"]


@pytest.mark.parametrize(
    ("file", "old", "new", "words"),
    [
        (
            "load_kwh.csv",
            "2026-01-01T05:00:00+00:00",
            "2026-01-01T04:00:00+00:00",
            "load_kwh.csv, line 7, column time",
        ),
        ("load_kwh.csv", ",0.5", ",-0.5", "load_kwh.csv, line 2, column h01: -0.5 is below 0"),
        ("pv_kwh.csv", "time,", "when,", "pv_kwh.csv, line 1, column time"),
        ("prices.csv", "0.2", "0.01", "below the export price"),
        ("community.toml", "60", "7", "15 or 60"),
    ],
)
def test_a_refused_folder_changes_nothing(
    folder: Path, version: CommunityVersion, file: str, old: str, new: str, words: str
) -> None:
    path = folder / file
    path.write_text(path.read_text().replace(old, new, 1))
    with pytest.raises(BadCommunity) as refused:
        services.import_folder(folder=folder, slug="sixteen")
    assert words in str(refused.value)
    assert refused.value.data["file"] == file
    assert refused.value.problem()["code"] == "energy:bad-community"
    assert CommunityVersion.objects.count() == 1
    assert VersionSeries.objects.filter(version=version, name="load").count() == 1


def test_a_bad_address_and_a_missing_folder_are_refused(folder: Path, db: None, tmp_path: Path) -> None:
    with pytest.raises(BadCommunity, match="cannot be an address"):
        services.import_folder(folder=folder, slug="No Good")
    with pytest.raises(BadCommunity, match="is not a folder"):
        services.import_folder(folder=tmp_path / "nowhere")
    assert Community.objects.count() == 0


def test_the_command(folder: Path, kamppi: Place) -> None:
    out = io.StringIO()
    call_command("import_community", str(folder), "--slug", "s16", "--place", "kamppi", "--json", stdout=out)
    answer = json.loads(out.getvalue())
    assert (answer["slug"], answer["version"], answer["members"], answer["steps"]) == ("s16", 1, 17, 96)
    assert answer["place"] == "kamppi"
    with pytest.raises(CommandError, match="kamppila"):
        call_command("import_community", str(folder), "--place", "kamppila")
    (folder / "prices.csv").unlink()
    with pytest.raises(CommandError, match=r"prices\.csv: the file is missing"):
        call_command("import_community", str(folder))
    assert CommunityVersion.objects.count() == 1
