"""Tables in text files: what counts as a word, and which line is blamed."""

import pytest
import torch

from mtlib.datasets.columns import numbers, table


@pytest.fixture
def read(tmp_path):
    def read(text, columns, **settings):
        (tmp_path / "t.txt").write_bytes(text if isinstance(text, bytes) else text.encode())
        return table("Set", tmp_path / "t.txt", columns, **settings)

    return read


TWO = {"name": str, "number": int}


def test_words_with_any_white_space_between(read):
    rows = read('\n  a\t 1 \r\n\n"b   -2\nNA 3', TWO)
    assert rows["name"].tolist() == ["a", '"b', "NA"]
    assert numbers(rows, "number").tolist() == [1, -2, 3]


def test_lines_that_are_skipped_and_words_that_are_left(read):
    rows = read("3\nname number\na 1 0 0 2.5\nb 2 9.5\n", TWO, skip=2, more=True)
    assert rows["name"].tolist() == ["a", "b"]
    assert numbers(rows, "number").dtype == torch.int64


def test_several_columns_are_one_tensor_that_may_be_written_to(read):
    found = numbers(read("1 2.5\n3 -4e2\n", {"a": int, "b": float}), ("b", "a"), "float64")
    assert found.tolist() == [[2.5, 1], [-400, 3]]
    found.zero_()


@pytest.mark.parametrize(
    ("text", "settings", "message"),
    [
        ("", {}, "has no rows"),
        ("\n\n", {}, "has no rows"),
        ("1\n", {"skip": 1}, "has no rows"),
        ("a 1\nb\n", {}, "has 1 values in line 2, not 2"),
        ("a 1\nb 2 3\n", {}, "has 3 values in line 2, not 2"),
        ("a 1\n\nb 2 3 4 5\n", {}, "has 5 values in line 3, not 2"),
        ("head\na 1\nb 2.5\n", {"skip": 1}, r"has '2\.5' in line 3 where number is a whole number"),
        ("a 1\nb x\n", {"more": True}, "has 'x' in line 2 where number is a whole number"),
        ("a 1\nb\n", {"more": True}, "has 1 values in line 2, not 2"),
        (f"a {'9' * 99}\n", {}, "is no table of 2 columns"),
        (f"a {'x' * 99}\n", {}, "has 'x{40}' in line 1"),
        (b"a 1\n\xff 2\n", {}, "is no text"),
        (b"a 1\n\0\0\0\n", {}, "is no text"),
    ],
)
def test_the_line_is_blamed(read, text, settings, message):
    with pytest.raises(ValueError, match=rf"^Set: t\.txt {message}"):
        read(text, TWO, **settings)


def test_a_missing_last_word_is_found(read):
    with pytest.raises(ValueError, match="has 1 values in line 2, not 2"):
        read("1 a\n2\n", {"number": int, "name": str})


def test_numbers_that_are_none(read):
    for word in ("nan", "inf", "1,5", "half"):
        with pytest.raises(ValueError, match=f"has '{word}' in line 2 where size is a number"):
            read(f"0.5\n{word}\n", {"size": float})
