"""Where the course lies, and files that are whole or not there."""

import os
import stat

import pytest

from mtlib import paths


def test_the_repository_is_found_from_any_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert (paths.repository() / "data" / "papers" / "sos_table1.csv").is_file()


def test_away_from_its_repository_the_course_says_so(tmp_path, monkeypatch):
    monkeypatch.setattr(paths, "ROOT", tmp_path)
    with pytest.raises(FileNotFoundError, match="clone of its repository"):
        paths.repository()


def test_a_file_is_written_with_its_folder_and_replaced_whole(tmp_path):
    path = tmp_path / "new" / "record.json"
    paths.write_atomic(path, "first, and longer")
    paths.write_atomic(path, "é".encode())
    assert path.read_text(encoding="utf-8") == "é"
    assert os.listdir(path.parent) == ["record.json"]
    assert stat.S_IMODE(path.stat().st_mode) == 0o644


def test_a_write_that_fails_leaves_the_old_file_and_no_litter(tmp_path, monkeypatch):
    path = tmp_path / "record.json"
    path.write_text("old")

    def full(*_):
        raise OSError("no space left")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="no space left"):
        paths.write_atomic(path, "new")
    assert path.read_text() == "old"
    assert os.listdir(tmp_path) == ["record.json"]
