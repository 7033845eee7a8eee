"""Packed rows: what is read is what was made, whatever happened to the file; what a kill left is gone on from."""

import json
import os
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from mtlib import storage
from mtlib.storage import Packed, check_room

N, ROW = 11, (3, 4)
BYTES = N * 12
KEY = {"holds": "numbers", "version": 1, "seed": 0}
STARTS = [0, 3, 6, 9]  # of the chunks, as below


@pytest.fixture(autouse=True)
def small_chunks(monkeypatch):
    monkeypatch.setattr(storage, "CHUNK", 3 * 12 + 5)  # three rows, and not quite a fourth


def rows(start=0, stop=N, shift=0):
    return ((torch.arange(N * 12).view(N, *ROW) * 37 + 1 + shift) % 251).to(torch.uint8)[start:stop]


class Maker:
    """Makes rows and notes where they began; dies before one of them, if asked to."""

    def __init__(self, dies_at=None, shift=0):
        self.starts, self.dies_at, self.shift = [], dies_at, shift

    def __call__(self, start, stop):
        if start == self.dies_at:
            raise KeyboardInterrupt
        self.starts.append(start)
        return rows(start, stop, self.shift)


def pack(folder, **key):
    return Packed(Path(folder) / "numbers", {**KEY, **key}, (N, *ROW))


@pytest.fixture
def packed(tmp_path):
    pack(tmp_path).ensure(rows)
    return tmp_path


def names(folder):
    return sorted(file.name for file in folder.iterdir() if not file.name.startswith("."))


def test_rows_are_made_once_in_chunks_and_then_read(tmp_path):
    make = Maker()
    for _ in range(3):
        found = pack(tmp_path / "new" / "folder").ensure(make)
        assert torch.equal(found, rows())
        assert found.dtype == torch.uint8
    assert make.starts == STARTS
    assert names(tmp_path / "new" / "folder") == ["numbers.bin", "numbers.json"]


def test_a_line_says_what_is_done_and_it_is_the_same_whether_made_or_read(tmp_path, capsys):
    pack(tmp_path).ensure(rows, "packing numbers")
    first = capsys.readouterr().out
    assert first == "· packing numbers: done\n"
    pack(tmp_path).ensure(rows, "packing numbers")
    assert capsys.readouterr().out == first


def test_writing_to_the_tensor_never_reaches_the_file(packed):
    pack(packed).open().zero_()
    assert torch.equal(pack(packed).open(), rows())


@pytest.mark.skipif(sys.platform != "linux", reason="a file with holes, and a system that counts memory")
def test_a_file_may_be_larger_than_the_memory(tmp_path):
    with open(tmp_path / "large", "wb") as file:
        file.truncate(2**40)
    with open(tmp_path / "large", "rb") as file:
        mapped = storage._map(file.fileno(), 2**40)
    mapped[2**40 - 1] = 7
    assert mapped[2**40 - 1] == 7
    mapped.close()


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda start, stop: rows(start, stop).float(), r"rows are \(3, 3, 4\) uint8, got \(3, 3, 4\) torch.float32"),
        (lambda start, stop: rows(start, stop - 1), r"got \(2, 3, 4\) torch.uint8"),
    ],
)
def test_what_are_no_such_rows_is_refused(tmp_path, make, message):
    with pytest.raises(ValueError, match=message):
        pack(tmp_path).ensure(make)
    assert "numbers.bin" not in names(tmp_path)


# ------------------------------------------------------------------ damage: found, said, made again


def overwrite(name, change):
    def damage(folder):
        content = bytearray((folder / name).read_bytes())
        (folder / name).write_bytes(change(content))

    return damage


def flipped(content):
    content[7 * 12] ^= 1
    return content


DAMAGE = {
    "cut": (overwrite("numbers.bin", lambda c: c[:-1]), r"numbers\.bin has 131 bytes, not 132"),
    "grown": (overwrite("numbers.bin", lambda c: c + b"0"), r"numbers\.bin has 133 bytes, not 132"),
    "emptied": (overwrite("numbers.bin", lambda c: b""), r"numbers\.bin has 0 bytes"),
    "zeroed": (overwrite("numbers.bin", lambda c: bytes(len(c))), r"numbers\.bin is damaged in rows 0 to 2"),
    "a bit flipped": (overwrite("numbers.bin", flipped), r"numbers\.bin is damaged in rows 6 to 8"),
    "the last byte": (overwrite("numbers.bin", lambda c: c[:-1] + b"\xff"), r"is damaged in rows 9 to 10"),
    "header cut": (overwrite("numbers.json", lambda c: c[:-3]), r"numbers\.json is damaged"),
    "header zeroed": (overwrite("numbers.json", lambda c: bytes(len(c))), r"numbers\.json is damaged"),
    "header of another kind": (overwrite("numbers.json", lambda c: b"[1, 2]"), r"numbers\.json is damaged"),
    "a checksum less": (overwrite("numbers.json", lambda c: c[: c.rindex(b",")] + b"]}"), r"numbers\.json is damaged"),
}


@pytest.mark.parametrize("damage", DAMAGE)
def test_damage_is_found_said_and_the_rows_made_again(packed, capsys, damage):
    spoil, message = DAMAGE[damage]
    spoil(packed)
    with pytest.raises(ValueError, match=message):
        pack(packed).open()
    make = Maker()
    assert torch.equal(pack(packed).ensure(make), rows())
    assert make.starts == STARTS
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 1
    assert lines[0].endswith("it is made again")
    assert torch.equal(pack(packed).open(), rows())


@pytest.mark.parametrize(
    ("other", "message"),
    [
        ({"version": 2}, "version is 1, not 2"),
        ({"seed": 5}, "seed is 0, not 5"),
        ({"size": 64}, "size is None, not 64"),
    ],
)
def test_rows_of_another_key_are_never_taken_for_these(packed, capsys, other, message):
    make = Maker(shift=3)
    assert torch.equal(pack(packed, **other).ensure(make), rows(shift=3))
    assert make.starts == STARTS
    assert f"· numbers.json is another one: {message}: it is made again" in capsys.readouterr().out


@pytest.mark.parametrize(("name", "value"), [("FORMAT", 2), ("CHUNK", 48)])
def test_another_layout_is_never_taken_for_this_one(packed, monkeypatch, name, value):
    monkeypatch.setattr(storage, name, value)
    with pytest.raises(ValueError, match=f"{name.lower()} is"):
        pack(packed).open()


def test_a_shape_of_as_many_bytes_is_another_one(packed):
    with pytest.raises(ValueError, match=r"shape is \[11, 3, 4\], not \[11, 4, 3\]"):
        Packed(packed / "numbers", KEY, (N, 4, 3)).open()


@settings(max_examples=30, deadline=None)
@given(st.sampled_from(["numbers.bin", "numbers.json"]), st.floats(0, 1, exclude_max=True), st.integers(1, 255))
def test_whatever_byte_is_changed_the_rows_are_right(name, place, change):
    with tempfile.TemporaryDirectory() as folder:
        pack(folder).ensure(rows)
        content = bytearray((Path(folder) / name).read_bytes())
        content[int(place * len(content))] ^= change
        (Path(folder) / name).write_bytes(content)
        make = Maker()
        assert torch.equal(pack(folder).ensure(make), rows())
        assert make.starts == STARTS or (name == "numbers.json" and make.starts == [])  # one blank for another


# ------------------------------------------------------------------ kills: what is there is gone on from


@pytest.mark.parametrize("place", range(1, 4))
def test_what_was_stopped_goes_on_where_it_was(tmp_path, place):
    with pytest.raises(KeyboardInterrupt):
        pack(tmp_path).ensure(Maker(dies_at=STARTS[place]))
    assert names(tmp_path) == ["numbers.part", "numbers.part.json"]
    make = Maker()
    assert torch.equal(pack(tmp_path).ensure(make), rows())
    assert make.starts == STARTS[place:]
    assert names(tmp_path) == ["numbers.bin", "numbers.json"]


def test_what_was_stopped_of_another_key_is_begun_anew(tmp_path):
    with pytest.raises(KeyboardInterrupt):
        pack(tmp_path).ensure(Maker(dies_at=6, shift=3))
    make = Maker()
    assert torch.equal(pack(tmp_path, version=2).ensure(make), rows())
    assert make.starts == STARTS


@settings(max_examples=30, deadline=None)
@given(st.floats(0, 1), st.floats(0, 1), st.booleans())
def test_however_much_of_the_part_is_left_the_rows_are_right(part, journal, zeroed):
    with tempfile.TemporaryDirectory() as folder:
        with pytest.raises(KeyboardInterrupt):
            pack(folder).ensure(Maker(dies_at=9))
        for name, left in (("numbers.part", part), ("numbers.part.json", journal)):
            content = (Path(folder) / name).read_bytes()
            kept = content[: int(left * len(content))]
            (Path(folder) / name).write_bytes(kept + bytes(len(content) - len(kept)) * zeroed)
        make = Maker()
        assert torch.equal(pack(folder).ensure(make), rows())
        assert make.starts == STARTS[4 - len(make.starts) :]


def test_a_kill_between_the_header_and_the_rows_costs_nothing(tmp_path, monkeypatch):
    replace = os.replace

    def killed(source, target):
        if str(target).endswith(".bin"):
            raise KeyboardInterrupt
        replace(source, target)

    with monkeypatch.context() as patch:
        patch.setattr(os, "replace", killed)
        with pytest.raises(KeyboardInterrupt):
            pack(tmp_path).ensure(rows)
    make = Maker()
    assert torch.equal(pack(tmp_path).ensure(make), rows())
    assert make.starts == []


def test_a_process_killed_while_it_writes_has_lost_a_chunk_at_most(tmp_path):
    code = f"""
import time
from pathlib import Path
import torch
from mtlib import storage

storage.CHUNK = {storage.CHUNK}

def make(start, stop):
    if start >= 6:
        time.sleep(60)
    return ((torch.arange({N} * 12).view({N}, *{ROW}) * 37 + 1) % 251).to(torch.uint8)[start:stop]

storage.Packed(Path({str(tmp_path / "numbers")!r}), {KEY!r}, ({N}, *{ROW})).ensure(make)
"""
    process = subprocess.Popen([sys.executable, "-c", code])
    journal = tmp_path / "numbers.part.json"
    until = time.monotonic() + 60
    while not (journal.exists() and len(journal.read_text().splitlines()) == 3):  # a header, two checksums
        assert process.poll() is None
        assert time.monotonic() < until
        time.sleep(0.02)
    process.kill()
    process.wait()
    make = Maker()
    assert torch.equal(pack(tmp_path).ensure(make), rows())
    assert make.starts == STARTS[2:]


def test_of_two_at_once_one_makes_the_rows_and_the_other_waits_for_them(tmp_path):
    pytest.importorskip("fcntl")
    makers, found = [Maker(), Maker()], []
    begun = threading.Barrier(2)

    def ensure(maker):
        def make(start, stop):
            time.sleep(0.02)
            return maker(start, stop)

        begun.wait()
        found.append(pack(tmp_path).ensure(make))

    threads = [threading.Thread(target=ensure, args=(maker,)) for maker in makers]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert all(torch.equal(each, rows()) for each in found)
    assert len(found) == 2
    assert sorted(makers[0].starts + makers[1].starts) == STARTS


# ------------------------------------------------------------------ room


@pytest.fixture
def free(monkeypatch):
    """free(bytes): the disk has so many left."""

    def free(left):
        usage = shutil.disk_usage(".")._replace(free=left)
        monkeypatch.setattr(shutil, "disk_usage", lambda folder: usage)

    return free


def test_a_full_disk_is_told_before_anything_is_made(tmp_path, free):
    free(BYTES - 1)
    make = Maker()
    with pytest.raises(OSError, match="numbers: 132 bytes are wanted, 131 are free"):
        pack(tmp_path / "new").ensure(make)
    assert make.starts == []


def test_of_a_part_only_the_rest_is_wanted_and_of_a_whole_file_nothing(tmp_path, free):
    with pytest.raises(KeyboardInterrupt):
        pack(tmp_path).ensure(Maker(dies_at=6))
    assert pack(tmp_path).missing() == BYTES - 72
    free(BYTES - 72)
    pack(tmp_path).ensure(rows)
    assert pack(tmp_path).missing() == 0
    free(0)
    check_room([pack(tmp_path)])
    pack(tmp_path).ensure(rows)


def test_the_header_says_what_the_file_holds(packed):
    header = json.loads((packed / "numbers.json").read_text())["header"]
    assert header == {**KEY, "format": 1, "shape": [N, *ROW], "chunk": 3}
