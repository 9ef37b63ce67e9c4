"""Archives: whatever is in them is read as it would be outside, or refused."""

import gzip
import json
import lzma
import os
import struct
import threading
import time
import zipfile
import zlib
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bmat.aggregation import AggregationError, Limits, Options, Progress, aggregate, inspect
from bmat.aggregation.options import Bounds
from bmat.aggregation.source import unpacking
from bmat.aggregation.source import zipped as zip_archives
from bmat.aggregation.source.unpacking import zstd
from bmat.aggregation.tests.expectations import Case, cases_in
from bmat.aggregation.tests.packing import CHECKSUM, PACKERS, fed, zipped
from bmat.aggregation.tests.running import HEADER, Result, names_in, without_header

ROW = b"a,2020-01-01,1\n"
PLAYS = HEADER + ROW * 3 + b"bad\n" + b'"b\nc",2020-01-02,2\n'
TOTALS = b'a,2020-01-01,3\n"b\nc",2020-01-02,2\n'


def run(folder: Path, data: bytes, limits: Limits | None = None, **options: Any) -> Result:
    """Aggregates one input with these bytes."""
    (folder / "in").write_bytes(data)
    return run_at(folder, folder / "in", limits, **options)


def run_at(folder: Path, path: Path, limits: Limits | None = None, **options: Any) -> Result:
    out, rejects = folder / "out", folder / "rejects"
    summary = aggregate(
        [path], out, rejects=rejects, options=Options(**options), limits=limits or Limits()
    )
    totals, listed = out.read_bytes(), rejects.read_bytes()
    out.unlink()
    rejects.unlink()
    return Result(without_header(totals), without_header(listed), summary)


def error_of(folder: Path, data: bytes, limits: Limits | None = None, **options: Any) -> Any:
    """The error of an input with these bytes; no other file is left."""
    with pytest.raises(AggregationError) as caught:
        run(folder, data, limits, **options)
    assert set(names_in(folder)) <= {"in", "rejects"}
    return caught.value


@pytest.fixture
def forward(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of no text more is looked at before than its header needs: nearly all are read forward."""
    monkeypatch.setattr("bmat.aggregation.source.open.HEAD_BYTES", 1)


@pytest.mark.parametrize("packer", PACKERS)
def test_an_archive_is_read_as_what_is_in_it(tmp_path: Path, packer: str) -> None:
    found = run(tmp_path, PACKERS[packer](PLAYS))
    assert found == run(tmp_path, PLAYS)
    assert found.totals == TOTALS
    assert found.rejects == b"5,missing_field,bad\n"
    assert found.summary.bytes_read == len(PLAYS)


@pytest.mark.parametrize("packer", ["gzip", "zstandard", "zip"])
@pytest.mark.parametrize("threads", [1, 3])
def test_a_large_archive_is_read_as_what_is_in_it(
    tmp_path: Path, packer: str, threads: int, forward: None
) -> None:
    rows = b"".join(b"s%d,2020-01-%02d,%d\n" % (n % 999, n % 28 + 1, n) for n in range(200_000))
    plays, limits = HEADER + rows + b"bad\n", Limits(2**18, threads, 2**26)
    assert run(tmp_path, PACKERS[packer](plays), limits) == run(tmp_path, plays, limits)
    assert names_in(tmp_path) == ["in"]


def described(folder: Path, path: Path, case: Case) -> Any:
    """What comes of a case: the result, or the error."""
    given = json.loads(case.options)
    try:
        options = Options.of({**given, **number_in(given)})
        found = run_at(folder, path, **vars(options) | {"bounds": options.bounds})
        return found.totals, found.rejects
    except AggregationError as error:
        rejects = folder / "rejects"
        return error.code, error.message, rejects.read_bytes() if rejects.exists() else b""


def number_in(given: dict[str, Any]) -> dict[str, int]:
    return {name: int(given[name]) for name in ("header_line",) if name in given}


@pytest.mark.parametrize("case", cases_in("cases"), ids=str)
def test_each_case_comes_to_the_same_however_it_comes_in(tmp_path: Path, case: Case) -> None:
    data, path = case.content, tmp_path / "in"
    path.write_bytes(data)
    expected = described(tmp_path, path, case)
    for packer in ("gzip", "zstandard", "zip"):
        path.write_bytes(PACKERS[packer](data))
        assert described(tmp_path, path, case) == expected
    for piped in (data, gzip.compress(data)):
        with fed(tmp_path / "fifo", piped) as fifo:
            assert described(tmp_path, fifo, case) == expected


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-32"])
def test_an_encoding_is_that_of_the_text_inside(
    tmp_path: Path, encoding: str, forward: None
) -> None:
    text = "Song,Date,Number of Plays\n" + "é,2020-01-01,1\n" * 100_000
    found = run(tmp_path, gzip.compress(text.encode(encoding)))
    assert found.totals == "é,2020-01-01,100000\n".encode()
    assert found.summary.inputs[0].encoding == encoding.removesuffix("-sig")


@pytest.mark.parametrize("packer", ["gzip", "zip"])
def test_a_preset_that_needs_a_file_has_one(tmp_path: Path, packer: str, forward: None) -> None:
    play = b'{"ms_played": 30000, "ts": "2020-01-01", "master_metadata_track_name": "a"}\n'
    found = run(tmp_path, PACKERS[packer](play * 30_000 + b"[]\n"))
    assert found.totals == b"a,2020-01-01,30000\n"
    assert found.rejects.startswith(b"30001,malformed_json")


def test_archives_may_have_several_members_and_padding(tmp_path: Path) -> None:
    first, second = PLAYS[:30], PLAYS[30:]
    skipped = struct.pack("<II", 0x184D2A53, 5) + b"notes"
    for data in (
        gzip.compress(first) + gzip.compress(b"") + gzip.compress(second) + bytes(512),
        skipped + zstd.compress(first, options=CHECKSUM) + skipped + zstd.compress(second),
        PACKERS["bzip2"](first) + PACKERS["bzip2"](second),
        lzma.compress(first) + bytes(8) + lzma.compress(second),
    ):
        assert run(tmp_path, data).totals == TOTALS


def test_each_file_of_a_zip_archive_is_an_input_of_its_own(tmp_path: Path) -> None:
    data = zipped(
        ("folder/", b""),
        ("folder/first.csv", PLAYS),
        ("__MACOSX/folder/._first.csv", b"\0"),
        ("folder/.DS_Store", b"\0"),
        ("folder/._first.csv", b"\0"),
        ("folder/Thumbs.db", b"\0"),
        ("desktop.ini", b"[.ShellClassInfo]\r\n"),
        ("of windows\\", b""),
        ("\x1bsecond.csv", b"Date;Song;Number of Plays\n2020-01-01;a;5\nbad\n"),
    )
    found = run(tmp_path, data)
    assert found.totals == b'a,2020-01-01,8\n"b\nc",2020-01-02,2\n'
    assert found.rejects.decode().splitlines() == [
        f"{tmp_path}/in/folder/first.csv,5,missing_field,bad",
        f"{tmp_path}/in/\ufffdsecond.csv,3,missing_field,bad",
    ]
    assert [one.delimiter for one in found.summary.inputs] == [",", ";"]


def test_many_files_of_an_archive_take_no_more_memory_than_there_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bmat.aggregation.run.HEAD_SHARE", 2**40)
    data = zipped(*[(f"{n}.csv", HEADER + b"a,2020-01-01,%d\nbad\n" % n) for n in range(40)])
    data_without_rows = zipped(("none.csv", HEADER), ("one.csv", HEADER + ROW))
    assert run(tmp_path, data).totals == b"a,2020-01-01,780\n"
    assert run(tmp_path, data).summary.rows_rejected == 40
    assert run(tmp_path, data_without_rows).totals == ROW


def test_a_zip_archive_may_come_through_a_pipe(tmp_path: Path) -> None:
    with fed(tmp_path / "fifo", PACKERS["zip"](PLAYS)) as fifo:
        assert run_at(tmp_path, fifo).totals == TOTALS
    assert names_in(tmp_path) == []


def test_a_zip_archive_of_too_many_files_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = zipped(*[(f"{number}.csv", b"") for number in range(1001)])
    error = error_of(tmp_path, data)
    assert (error.code, "1,001 files" in error.message) == ("unsupported_archive", True)
    monkeypatch.setattr(zip_archives, "MOST_DIRECTORY_BYTES", 1000)
    assert error_of(tmp_path, data).code == "damaged_archive"


@pytest.mark.parametrize("names", [(), ("folder/",), ("__MACOSX/a.csv",)])
def test_an_archive_without_a_file_is_refused(tmp_path: Path, names: tuple[str, ...]) -> None:
    error = error_of(tmp_path, zipped(*[(name, b"") for name in names]))
    assert error.message.startswith("The ZIP archive cannot be read: it holds no file.")


def changed_zip(at: int, value: int) -> bytes:
    """An archive whose directory, and local header, have another value in a field of 16 bits."""
    data = bytearray(PACKERS["zip"](PLAYS))
    struct.pack_into("<H", data, 4 + at, value)
    struct.pack_into("<H", data, data.index(b"PK\x01\x02") + 6 + at, value)
    return bytes(data)


def test_what_cannot_be_unpacked_is_named(tmp_path: Path) -> None:
    encrypted, deflate64, unknown = changed_zip(2, 1), changed_zip(4, 9), changed_zip(4, 77)
    for data, said in (
        (encrypted, "in.csv in it is encrypted"),
        (deflate64, "by method 9 (Deflate64, as Windows"),
        (unknown, "by method 77. Unpack it"),
    ):
        error = error_of(tmp_path, data)
        assert (error.code, error.source) == ("unsupported_archive", tmp_path / "in")
        assert said in error.message


def test_files_of_an_archive_that_share_bytes_are_refused(tmp_path: Path) -> None:
    data = zipped(("a.csv", PLAYS), ("b.csv", PLAYS))
    second = data.index(b"PK\x01\x02", data.index(b"PK\x01\x02") + 1)
    shared = data[: second + 42] + bytes(4) + data[second + 46 :]
    assert "share the bytes" in error_of(tmp_path, shared).message


@pytest.mark.parametrize("inner", [*PACKERS, "workbook"])
@pytest.mark.parametrize("outer", ["gzip", "zip", "xz"])
def test_an_archive_in_an_archive_is_refused(tmp_path: Path, outer: str, inner: str) -> None:
    packed = zipped(("xl/workbook.xml", b"")) if inner == "workbook" else PACKERS[inner](PLAYS)
    error = error_of(tmp_path, PACKERS[outer](packed))
    source = tmp_path / "in" / "in.csv" if outer == "zip" else tmp_path / "in"
    assert (error.code, error.source) == ("nested_archive", source)


def test_what_is_no_text_is_refused_inside_as_well(tmp_path: Path) -> None:
    assert error_of(tmp_path, gzip.compress(b"\x89PNG\r\n\x1a\n\0\0")).code == "not_text"
    assert error_of(tmp_path, gzip.compress(b"")).code == "empty_file"
    error = error_of(tmp_path, PACKERS["zip"](b"Titel,Date,Number of Plays\n"))
    assert (error.code, error.source) == ("missing_column", tmp_path / "in" / "in.csv")


def test_a_format_that_needs_too_much_memory_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    window = {zstd.CompressionParameter.window_log: 28, **CHECKSUM}
    packer = zstd.ZstdCompressor(options=window)
    far = packer.compress(PLAYS) + packer.flush()
    monkeypatch.setattr(unpacking, "MOST_HISTORY_BYTES", 2**20)
    monkeypatch.setattr(zip_archives, "MOST_HISTORY_BYTES", 2**20)
    for data in (far, lzma.compress(PLAYS), PACKERS["zip, LZMA"](PLAYS)):
        error = error_of(tmp_path, data)
        assert (error.code, "of memory" in error.message) == ("unsupported_archive", True)


def test_what_is_packed_with_a_dictionary_of_its_own_is_not_damaged(tmp_path: Path) -> None:
    dictionary = zstd.train_dict([b"%d" % number + PLAYS for number in range(100)], 2000)
    error = error_of(tmp_path, zstd.compress(PLAYS, zstd_dict=dictionary))
    assert (error.code, "dictionary" in error.message) == ("unsupported_archive", True)


def test_wrong_properties_of_lzma_are_damage(tmp_path: Path) -> None:
    data = PACKERS["zip, LZMA"](PLAYS)
    at = 30 + len("in.csv") + 2
    for wrong in (b"\6", b"\5\0\xff"):
        changed = data[:at] + wrong + data[at + len(wrong) :]
        assert error_of(tmp_path, changed).code == "damaged_archive"
    assert error_of(tmp_path, zipped_as(14, b"\x09\0\5", PLAYS)).code == "damaged_archive"


def test_a_directory_that_names_places_that_there_are_not_is_damage(tmp_path: Path) -> None:
    data = bytearray(PACKERS["zip"](PLAYS))
    at = data.rindex(b"PK\x05\x06") + 16
    struct.pack_into("<I", data, at, struct.unpack_from("<I", data, at)[0] + 1000)
    assert error_of(tmp_path, bytes(data)).code == "damaged_archive"


def test_no_bit_of_a_directory_hides_a_file(tmp_path: Path) -> None:
    data = zipped(("a.csv", PLAYS), ("b.csv", HEADER + ROW))
    directory, end = data.index(b"PK\x01\x02"), data.index(b"PK\x05\x06")
    # Those of the lengths of the first file's name, of what is beside it and of its comment.
    for place in range(directory + 28, directory + 34):
        for bit in range(8):
            changed = bytearray(data)
            changed[place] ^= 1 << bit
            assert error_of(tmp_path, bytes(changed)).code == "damaged_archive"
    for told in (1, 3):
        changed = bytearray(data)
        struct.pack_into("<H", changed, end + 10, told)
        assert error_of(tmp_path, bytes(changed)).code == "damaged_archive"


def test_a_large_archive_says_elsewhere_how_many_files_it_has(tmp_path: Path) -> None:
    data = zipped(("a.csv", PLAYS))
    directory, end = data.index(b"PK\x01\x02"), data.index(b"PK\x05\x06")
    size = end - directory
    larger = struct.pack("<4sQHHIIQQQQ", b"PK\x06\x06", 44, 45, 45, 0, 0, 1, 1, size, directory)
    larger += struct.pack("<4sIQI", b"PK\x06\x07", 0, end, 1)
    last = struct.pack("<4sHHHHIIH", b"PK\x05\x06", 0, 0, *[2**16 - 1] * 2, *[2**32 - 1] * 2, 0)
    assert run(tmp_path, data[:end] + larger + last).totals == TOTALS


@pytest.mark.parametrize("packer", PACKERS)
def test_a_cut_off_archive_is_refused_with_its_length(tmp_path: Path, packer: str) -> None:
    data = PACKERS[packer](PLAYS + b"".join(b"%d,2020-01-01,1\n" % n for n in range(5000)))
    for size in (len(data) - 1, len(data) // 2):
        error = error_of(tmp_path, data[:size])
        assert (error.code, error.source) == ("damaged_archive", tmp_path / "in")
        assert f"byte {size:,}" in error.message


def test_damage_far_in_the_text_leaves_nothing(tmp_path: Path, forward: None) -> None:
    rows = b"".join(b"s%d,2020-01-01,%d\n" % (n * 7919 % 100_003, n) for n in range(300_000))
    data = bytearray(gzip.compress(HEADER + rows))
    data[-5] ^= 1
    for limits in (Limits(2**18, 1), Limits(2**18, 2)):
        assert error_of(tmp_path, bytes(data), limits).code == "damaged_archive"
    assert not [one for one in threading.enumerate() if one.name.startswith("ThreadPool")]


SEEDS = {
    packer: pack(HEADER + b"".join(b"s%d,2020-01-01,%d\n" % (n * n % 97, n) for n in range(300)))
    for packer, pack in PACKERS.items()
}


@given(st.sampled_from(sorted(SEEDS)), st.integers(0, 10**6), st.integers(0, 2), st.data())
def test_a_damaged_archive_gives_an_error_or_the_right_totals(
    tmp_path_factory: pytest.TempPathFactory, packer: str, place: int, kind: int, data: Any
) -> None:
    folder, archive = tmp_path_factory.mktemp("run"), bytearray(SEEDS[packer])
    expected = run(folder, SEEDS[packer]).totals
    at = place % len(archive)
    if kind == 0:
        del archive[at:]
    elif kind == 1:
        archive[at] ^= 1 << data.draw(st.integers(0, 7))
    else:
        archive[at:at] = data.draw(st.binary(min_size=1, max_size=9))
    try:
        assert run(folder, bytes(archive)).totals == expected
    except AggregationError as error:
        assert error.code in ERRORS
    assert set(names_in(folder)) <= {"in", "rejects"}


# A signature that has changed makes it a file that is no text; a name that has changed no other.
ERRORS = (
    "damaged_archive",
    "unsupported_archive",
    "nested_archive",
    "not_text",
    "empty_file",
    "missing_column",
)


@given(
    st.lists(
        st.sampled_from(
            [ROW, b'"b\n,""",2020-01-02,2\r\n', b"a,2019-02-29,1\n", b'"', b"\n", b"x" * 40]
        ),
        max_size=60,
    ).map(b"".join),
    st.integers(11, 200),
    st.integers(1, 4),
    st.builds(Bounds, st.integers(25, 150), st.integers(0, 60), st.integers(6, 20)),
    st.booleans(),
)
def test_what_is_read_forward_comes_to_the_same(
    tmp_path_factory: pytest.TempPathFactory,
    body: bytes,
    block_bytes: int,
    threads: int,
    bounds: Bounds,
    strict: bool,
) -> None:
    folder, data = tmp_path_factory.mktemp("run"), HEADER + ROW + body
    limits, options = Limits(block_bytes, threads, 2**20), {"bounds": bounds, "strict": strict}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("bmat.aggregation.source.open.HEAD_BYTES", 1)
        patch.setattr(unpacking, "MADE_BYTES", 16)
        try:
            expected = run(folder, data, limits, **options)
        except AggregationError as error:
            found = error_of(folder, gzip.compress(data), limits, **options)
            assert (found.code, found.message) == (error.code, error.message)
        else:
            assert run(folder, gzip.compress(data), limits, **options) == expected


def test_a_record_of_many_blocks_is_passed_over(tmp_path: Path, forward: None) -> None:
    data = HEADER + ROW * 30_000 + b"x" * 5_000_000 + b"\n" + ROW + b'"y\n' * 20_000 + ROW
    for limits in (Limits(2**18, 1), Limits(2**18, 2), Limits(2**18, 3)):
        assert run(tmp_path, gzip.compress(data), limits) == run(tmp_path, data, limits)


@pytest.mark.parametrize("threads", [1, 2, 4])
def test_blocks_that_begin_in_quotes_are_taken_back(
    tmp_path: Path, forward: None, threads: int
) -> None:
    """Each fills the arena, with rows that are none, before that is known."""
    inside = b"".join(b"song %d,2020-01-02,7\n" % number for number in range(1500))
    rows = b"".join(b'"%d\n%s",2020-01-01,1\nbad\n' % (n, inside[n : n + 3000]) for n in range(900))
    data, limits = HEADER + rows + inside, Limits(2**16, threads, 1)
    assert run(tmp_path, gzip.compress(data), limits) == run(tmp_path, data, limits)


def test_a_block_without_a_line_end_waits_for_its_turn(tmp_path: Path, forward: None) -> None:
    data = HEADER + b"".join(b"a,2020-01-01,%d%s\n" % (n, b" " * 900_000) for n in range(9))
    assert run(tmp_path, gzip.compress(data), Limits(2**18, 2)).totals == b"a,2020-01-01,36\n"


@pytest.mark.parametrize("threads", [1, 2])
def test_a_strict_run_stops_at_the_first_bad_record(
    tmp_path: Path, forward: None, threads: int
) -> None:
    many = ROW * 200_000
    for data in (HEADER + many + b"bad\n" + many, b'"oops\n' + HEADER + many + b"bad\n"):
        for packed in (gzip.compress(data), zipped(("a.csv", HEADER), ("b.csv", data))):
            error = error_of(tmp_path, packed, Limits(2**18, threads), strict=True)
            plain = error_of(tmp_path, data, strict=True)
            assert (error.code, error.message) == (plain.code, plain.message)


def test_what_is_rejected_above_the_header_is_listed(tmp_path: Path, forward: None) -> None:
    data = b'"oops\n' + HEADER + ROW * 200_000
    found = run(tmp_path, gzip.compress(data))
    assert (found.rejects, found.totals) == (
        b'1,unterminated_quote,"""oops"\n',
        b"a,2020-01-01,200000\n",
    )


def test_a_slow_pipe_is_waited_for(tmp_path: Path, forward: None) -> None:
    data = gzip.compress(HEADER + b"".join(b"%d,2020-01-01,1\n" % n for n in range(10**5)))
    for threads in (1, 2):
        fifo = tmp_path / "fifo"
        os.mkfifo(fifo)
        writer = threading.Thread(target=write_slowly, args=(fifo, data))
        writer.start()
        summary = aggregate([fifo], tmp_path / "out", limits=Limits(threads=threads))
        writer.join()
        fifo.unlink()
        assert summary.plays_total == 10**5


def write_slowly(path: Path, data: bytes) -> None:
    with path.open("wb", buffering=0) as file:
        for at in range(0, len(data), len(data) // 3):
            file.write(data[at : at + len(data) // 3])
            time.sleep(0.15)


def zipped_as(method: int, packed: bytes, data: bytes) -> bytes:
    """An archive whose one file is `packed` by some method, which is `data`."""
    archive = bytearray(zipped(("in.csv", packed), method=zipfile.ZIP_STORED))
    at = archive.rindex(b"PK\x01\x02")
    struct.pack_into("<H", archive, at + 10, method)
    struct.pack_into("<I", archive, at + 16, zlib.crc32(data))
    struct.pack_into("<I", archive, at + 24, len(data))
    return bytes(archive)


def test_a_file_of_a_zip_archive_is_one_stream(tmp_path: Path) -> None:
    packer = zlib.compressobj(wbits=-15)
    deflated = packer.compress(PLAYS) + packer.flush()
    assert run(tmp_path, zipped_as(8, deflated, PLAYS)).totals == TOTALS
    assert (
        "something else follows"
        in error_of(tmp_path, zipped_as(8, deflated + b"more", PLAYS)).message
    )


def test_lzma_may_have_an_end_of_its_own(tmp_path: Path) -> None:
    alone = lzma.compress(PLAYS, lzma.FORMAT_ALONE)
    packed = struct.pack("<HH", 9, 5) + alone[:5] + alone[13:]
    assert run(tmp_path, zipped_as(14, packed, PLAYS)).totals == TOTALS


def zeros(path: Path) -> None:
    with gzip.open(path, "wb", 9) as file:
        for _ in range(300):
            file.write(bytes(2**20))


def same_rows(path: Path) -> None:
    packer = zstd.ZstdCompressor(level=3)
    with path.open("wb") as file:
        file.write(packer.compress(HEADER))
        for _ in range(300):
            file.write(packer.compress(ROW * 2**16))
        file.write(packer.flush())


def song(path: Path) -> None:
    """One song, which never ends."""
    with gzip.open(path, "wb", 9) as file:
        file.write(HEADER + ROW)
        for _ in range(300):
            file.write(b"x" * 2**20)


@pytest.mark.parametrize(
    ("make", "code"),
    [(zeros, "not_text"), (same_rows, "decompression_limit"), (song, "decompression_limit")],
)
def test_a_bomb_is_refused_within_a_second(tmp_path: Path, make: Any, code: str) -> None:
    warm = run(tmp_path, PLAYS)
    assert warm.totals == TOTALS
    make(tmp_path / "in")
    # Of all threads: how busy the machine is does not matter.
    begin = time.process_time()
    with pytest.raises(AggregationError) as caught:
        aggregate([tmp_path / "in"], tmp_path / "out")
    assert time.process_time() - begin < 1
    assert caught.value.code == code
    assert names_in(tmp_path) == ["in"]


def test_a_zip_archive_is_refused_by_the_sizes_that_it_tells(tmp_path: Path) -> None:
    data = bytearray(zipped(("a.csv", PLAYS), ("b.csv", PLAYS)))
    for start in (data.index(b"PK\x01\x02"), data.rindex(b"PK\x01\x02")):
        struct.pack_into("<I", data, start + 24, 2**26)
    # Nothing was unpacked: that would have shown that they are not true.
    assert error_of(tmp_path, bytes(data)).code == "decompression_limit"


@pytest.mark.parametrize("packer", PACKERS)
def test_what_is_packed_may_be_so_large(tmp_path: Path, packer: str) -> None:
    data, size = PACKERS[packer](PLAYS), len(PLAYS)
    assert run(tmp_path, data, Limits(decompression_limit_bytes=size)).totals == TOTALS
    error = error_of(tmp_path, data, Limits(decompression_limit_bytes=size - 1))
    assert (error.code, f"{size - 1} bytes" in error.message) == ("decompression_limit", True)


def test_what_is_packed_may_be_so_tight(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(unpacking, "UNJUDGED_BYTES", 10_000)
    data = zipped(*[(f"{n}.csv", HEADER + ROW * 1000) for n in range(3)])
    assert run(tmp_path, data).totals == b"a,2020-01-01,3000\n"
    error = error_of(tmp_path, data, Limits(decompression_ratio=20))
    assert (error.code, "20 times its size" in error.message) == ("decompression_limit", True)


class Cancelled(Exception):
    pass


def test_a_run_on_a_pipe_that_falls_silent_can_be_cancelled(tmp_path: Path, forward: None) -> None:
    asked: list[float] = []
    ended = threading.Event()

    def feed(path: Path) -> None:
        with path.open("wb") as file:
            file.write(HEADER + ROW * 200_000)
            file.flush()
            ended.wait(20)

    def cancel(progress: Progress) -> None:
        if progress.rows_read:
            asked.append(time.monotonic())
            raise Cancelled

    fifo = tmp_path / "fifo"
    os.mkfifo(fifo)
    writer = threading.Thread(target=feed, args=(fifo,))
    writer.start()
    try:
        with pytest.raises(Cancelled):
            aggregate([fifo], tmp_path / "out", limits=Limits(2**18), on_progress=cancel)
        assert time.monotonic() - asked[0] < 1
        assert not [one for one in threading.enumerate() if one.name.startswith("ThreadPool")]
    finally:
        ended.set()
        writer.join()
    assert names_in(tmp_path) == ["fifo"]


def test_pipes_before_the_last_are_read_whole_first(tmp_path: Path, forward: None) -> None:
    plays = HEADER + ROW * 100_000
    with fed(tmp_path / "first", plays) as first, fed(tmp_path / "second", plays) as second:
        (tmp_path / "third").write_bytes(gzip.compress(plays))
        aggregate([first, second, tmp_path / "third"], tmp_path / "out")
    assert without_header((tmp_path / "out").read_bytes()) == b"a,2020-01-01,300000\n"


@pytest.mark.parametrize("packer", PACKERS)
def test_an_inspection_shows_what_is_inside(tmp_path: Path, packer: str) -> None:
    noise = b"".join(b"%d,2020-01-01,1\n" % (n * 2654435761 % 2**32) for n in range(40_000))
    large = PACKERS[packer](PLAYS + noise * 5)
    for data, is_cut in ((PACKERS[packer](PLAYS), False), (large, True), (large[: 2**16], True)):
        (tmp_path / "in").write_bytes(data)
        if "bzip2" in packer and len(data) == 2**16:
            # It is packed in blocks that are larger.
            assert "from its beginning alone" in refused(tmp_path / "in").message
            continue
        found = inspect(tmp_path / "in", Options())
        assert [one.line for one in found.records[:5]] == [2, 3, 4, 5, 6]
        assert (found.records[0].plays, found.is_cut) == (1, is_cut)


def refused(path: Path) -> AggregationError:
    with pytest.raises(AggregationError) as caught:
        inspect(path, Options())
    assert caught.value.source == path
    return caught.value


def test_an_inspection_looks_at_no_more_than_it_needs(tmp_path: Path) -> None:
    (tmp_path / "in").write_bytes(lzma.compress(HEADER + ROW * 10**6))
    found = inspect(tmp_path / "in", Options())
    assert (len(found.records), found.is_cut) == (20, True)


def test_a_text_that_is_cut_within_its_first_file_is_told_of(tmp_path: Path) -> None:
    data = zipped(("folder/", b""), ("a.csv", PLAYS))
    unknown = bytearray(data)
    unknown[6] = 8
    (tmp_path / "in").write_bytes(bytes(unknown).ljust(2**16, b"\0"))
    assert refused(tmp_path / "in").code == "unsupported_archive"
    for cut, code in ((20, "unsupported_archive"), (50, "unsupported_archive")):
        (tmp_path / "in").write_bytes((data[:cut] + b"PK\x03\x04").ljust(2**16, b"\0"))
        assert refused(tmp_path / "in").code == code


def test_zip_archives_with_data_before_them_are_no_archives(tmp_path: Path) -> None:
    assert zipfile.is_zipfile(tmp_path) is False
    assert error_of(tmp_path, b"\0" * 9 + PACKERS["zip"](PLAYS)).code == "not_text"
