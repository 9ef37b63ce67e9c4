"""What was swept, and how long it is kept."""

from datetime import UTC, datetime, timedelta

import pytest

from bmat.api.services import sweep


@pytest.fixture
def file(home):
    """A file that is swept."""
    path = home / "uploads" / "tmp1.upload"
    path.write_text("Song")
    return path


def swept(home, days_ago, name="x1"):
    """A folder of the trash, filled some days ago."""
    folder = (
        home / "trash" / f"{datetime.now(UTC) - timedelta(days=days_ago):{sweep.TRASH_NAME}}-{name}"
    )
    (folder / "reports").mkdir(parents=True)
    return folder


def names(home):
    return sorted(path.name for path in (home / "trash").iterdir())


def test_it_names_a_folder_by_the_time_of_the_sweep(home, file):
    before = datetime.now(UTC).replace(microsecond=0)

    assert sweep.move_to_trash([file]) == [file]

    [(folder, time)] = sweep.trash_contents()
    assert before <= time <= datetime.now(UTC)
    assert (folder / "uploads" / "tmp1.upload").read_text() == "Song"
    assert not file.exists()


def test_it_writes_over_nothing(home, file):
    sweep.move_to_trash([file])
    file.write_text("another")
    sweep.move_to_trash([file])

    kept = [path.read_text() for path in (home / "trash").rglob("*.upload")]
    assert sorted(kept) == ["Song", "another"]


def test_it_makes_no_folder_for_nothing(home):
    assert sweep.move_to_trash([]) == []
    assert not (home / "trash").exists()


def test_it_passes_over_what_is_gone(home, file):
    assert sweep.move_to_trash([home / "uploads" / "gone", file]) == [file]


def test_it_says_what_cannot_be_moved_and_goes_on(home, file, monkeypatch, caplog):
    other = file.with_name("tmp2.upload")
    other.touch()
    move = sweep.move

    def across_filesystems(path, folder):
        if path == file:
            raise OSError(18, "Invalid cross-device link")
        move(path, folder)

    monkeypatch.setattr(sweep, "move", across_filesystems)

    assert sweep.move_to_trash([file, other]) == [other]
    assert file.exists()
    assert f"{file} could not be moved into the trash: Invalid cross-device link" in caplog.text


def test_it_removes_what_has_lain_for_a_week(home):
    kept = swept(home, 6.99)
    swept(home, 7.01)

    assert sweep.empty_trash() == 1
    assert names(home) == [kept.name]


def test_it_leaves_alone_what_is_not_its_own(home):
    (home / "trash" / "2020-notes").mkdir(parents=True)

    assert sweep.empty_trash() == 0
    assert names(home) == ["2020-notes"]


def test_there_may_be_no_trash(home):
    assert sweep.empty_trash() == 0


def test_a_full_disk_costs_the_oldest_first_and_no_more_than_it_must(home, monkeypatch):
    young = swept(home, 1)
    [swept(home, days) for days in (3, 2)]
    monkeypatch.setattr("bmat.api.services.disk.has_room_for", lambda _: len(names(home)) <= 1)

    assert sweep.empty_trash() == 2
    assert names(home) == [young.name]
