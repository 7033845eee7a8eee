"""How readers say what is wrong, and how parts and tasks are chosen."""

import pytest
import torch

from mtlib.datasets.pictures import Raw
from mtlib.datasets.source import Part, choose, damaged, folder_of_all, lines_of, md5, need, reading
from mtlib.paths import repository
from mtlib.tasks import Task

TASKS = (Task("one", "binary", 1), Task("two", "binary", 1), Task("three", "binary", 1))


def test_the_folder_is_what_is_given_then_the_environments_then_the_courses(tmp_path, monkeypatch):
    monkeypatch.setenv("MTLIB_DATA", str(tmp_path / "environment"))
    (tmp_path / "environment").mkdir()
    assert folder_of_all(tmp_path) == tmp_path
    assert folder_of_all(str(tmp_path)) == tmp_path
    assert folder_of_all(None) == folder_of_all("") == tmp_path / "environment"
    monkeypatch.delenv("MTLIB_DATA")
    assert folder_of_all(None) == repository() / "data"
    with pytest.raises(
        FileNotFoundError, match=r"none is no folder; it should hold one folder per data set, see data/"
    ):
        folder_of_all(tmp_path / "none")


def test_what_is_missing_is_named_with_where_to_read_about_it(tmp_path):
    (tmp_path / "there").write_text("")
    assert need("Set", tmp_path, "there") == [tmp_path / "there"]
    with pytest.raises(
        FileNotFoundError, match=r"^Set: second is not in .*; data/README.md says under 'Set' how to get"
    ):
        need("Set", tmp_path, "there", "second", "third")


def test_what_a_library_raises_names_the_file(tmp_path):
    def fail(error):
        with reading("Set", tmp_path / "file.mat"):
            raise error

    with pytest.raises(ValueError, match=r"^Set: file.mat cannot be read \(first line\); nothing of it is used"):
        fail(RuntimeError("first line\nsecond line"))
    with pytest.raises(ValueError, match=r"^Set: file.mat cannot be read \(AssertionError\);"):
        fail(AssertionError())
    with pytest.raises(KeyboardInterrupt):
        fail(KeyboardInterrupt())
    with pytest.raises(
        ValueError, match=r"^Set: file.mat is odd; nothing of it is used, get it again \(data/README.md\)"
    ):
        raise damaged("Set", tmp_path / "file.mat", "is odd")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "is empty"),
        (b" \n\n", "is empty"),
        (b"one\0two", "is no text"),
        (b"\xff\xfe", "is no text"),
        (bytes(20), "is no text"),
    ],
)
def test_a_text_that_is_none(tmp_path, content, message):
    (tmp_path / "list.txt").write_bytes(content)
    with pytest.raises(ValueError, match=f"^Set: list.txt {message}"):
        lines_of("Set", tmp_path / "list.txt")


def test_lines(tmp_path):
    (tmp_path / "list.txt").write_bytes("één\r\n\ntwo\n\n\n".encode())
    assert lines_of("Set", tmp_path / "list.txt") == ["één", "", "two"]
    with pytest.raises(ValueError, match=r"cannot be read"):
        lines_of("Set", tmp_path)


def test_md5(tmp_path):
    (tmp_path / "file").write_bytes(b"hello")
    assert md5(tmp_path / "file") == "5d41402abc4b2a76b9719d911017c592"


def test_a_part_of_a_part():
    x = torch.arange(4 * 12, dtype=torch.uint8).view(4, 3, 2, 2)
    y, source = torch.arange(4).unsqueeze(1), torch.tensor([1, 1, 2, 2])
    rows = torch.tensor([2, 0])
    for held in (x, Raw("Raw", x)):
        part = Part(held, {"one": y}, source).take(rows)
        assert len(part) == 2
        assert torch.equal(part.x if isinstance(held, torch.Tensor) else part.x.x, x[rows])
        assert part.y["one"].flatten().tolist() == [2, 0]
        assert part.source.tolist() == [2, 1]
    assert Part(x, {}).take(rows).source is None


def test_tasks_are_chosen_by_name_in_the_order_asked_for():
    def names(wanted, chosen=()):
        return [task.name for task in choose(TASKS, wanted, chosen)]

    assert names(None) == ["one", "two", "three"]
    assert names(None, ("two",)) == ["two"]
    assert names(["three", "one"], ("two",)) == ["three", "one"]
    for wanted in ([], ["one", "one"], ["four"], "one", ["one", "four"]):
        with pytest.raises(ValueError, match="tasks are one or more of one, two, three, each once, got"):
            names(wanted)
