import pytest

from mtlib import paths
from mtlib.runs import ranges


@pytest.mark.parametrize(
    ("bracket", "inside", "outside"),
    [
        ("0..10", [0, 10, 3], [-1, 11]),
        ("..10", [-(10**400), 10], [11]),
        ("0..", [0, 10**400], [-1]),
        ("..", [-3, 3], []),
        ("1|2|4", [1, 4], [3]),
        ("0|2..5|9", [0, 2, 5, 9], [1, 6, -1]),
    ],
)
def test_whole_numbers(bracket, inside, outside):
    found = ranges.build(bracket, int, numeric=True)
    assert all(found.admits(value) for value in inside)
    assert not any(found.admits(value) for value in outside)


@pytest.mark.parametrize("bracket", ["0..1", "0..", "..1", ".."])
@pytest.mark.parametrize("value", ["nan", "inf", "-inf"])
def test_a_bounded_float_is_finite(bracket, value):
    assert not ranges.build(bracket, float, numeric=True).admits(float(value))
    assert ranges.build(None, float, numeric=True).admits(float(value))


def test_a_folder_is_looked_up_from_the_repository(tmp_path, monkeypatch):
    monkeypatch.setattr(paths, "ROOT", tmp_path)
    (tmp_path / "data").mkdir()
    (tmp_path / "file").touch()
    folder = ranges.build("folder", str, numeric=False)
    assert all(folder.admits(value) for value in ["", "data", str(tmp_path)])
    assert not any(folder.admits(value) for value in ["file", "nowhere", "nul\0", "x" * 10_000])


@pytest.mark.parametrize(
    ("bracket", "read"),
    [("2..1", int), ("a|b", int), ("0.5..1", int), ("a..b", str), ("nan..1", float), ("folder", int), ("", int)],
)
def test_a_bracket_must_suit_its_type(bracket, read):
    with pytest.raises(ValueError):  # noqa: PT011 -- each reader words it in its own way
        ranges.build(bracket, read, numeric=read is not str)


def test_the_rest_of_the_comment_is_the_meaning():
    assert ranges.split("[0..1] learning rate [per step]") == ("0..1", "learning rate [per step]")
    assert ranges.split("learning rate [0..1]") == (None, "learning rate [0..1]")


def test_a_range_among_choices_says_both():
    assert str(ranges.build("0|2..1000", int, numeric=True)) == "0 or 2 to 1000"


@pytest.mark.parametrize(("devices", "inside", "outside"), [(0, ["cpu"], ["cuda", "tpu"]), (1, ["cuda:0"], ["cuda:1"])])
def test_a_device_must_be_there(devices, inside, outside, monkeypatch):
    import torch

    monkeypatch.setattr(torch.cuda, "device_count", lambda: devices)
    found = ranges.build("device", str, numeric=False)
    assert all(found.admits(value) for value in inside)
    assert not any(found.admits(value) for value in [*outside, "cuda:-1", "cuda:x", "cpu:3", ""])
