"""ARFF files of anybody's: categories, what is missing, sparse rows, and what is wrong with a file."""

import pytest
import torch

from mtlib.datasets import arff

HEADER = """% a comment
@relation 'things with labels'

@attribute weight numeric
@attribute colour {red, green, 'dark blue'}
@attribute 'two words' real
@attribute count INTEGER
@attribute heavy {0,1}
@attribute bright {1,0}
@data
"""
TRAIN = """1.5, red, 0, 1, 0, 1
2.5, 'dark blue', -1e2, 2.5, 1, 0
% another comment
?, green, 3, 4, ?, 0

5, ?, 4, ?, 1, 1
"""
TEST = """?, red, 1, ?, 0, 0
"""


@pytest.fixture
def files(tmp_path):
    """files(train rows, test rows, header) -> the two paths."""

    def write(train=TRAIN, test=TEST, header=HEADER):
        for name, rows in {"train": train, "test": test}.items():
            (tmp_path / f"{name}.arff").write_text(header + rows)
        return tmp_path / "train.arff", tmp_path / "test.arff"

    return write


def test_every_cell_by_hand(files):
    data = arff.load(*files(), labels=["heavy", "bright"])
    # Means over the training rows: weight 3, count 2.5, which is no whole number though the header says INTEGER.
    expected = [[1.5, 1, 0, 0, 0, 1], [2.5, 0, 0, 1, -100, 2.5], [3, 0, 1, 0, 3, 4], [5, 0, 0, 0, 4, 2.5]]
    assert data.train.x.tolist() == expected
    assert data.train.x.dtype == torch.float32
    assert data.test.x.tolist() == [[3, 1, 0, 0, 1, 2.5]]
    assert data.train.y["labels"].tolist() == [[0, 1], [1, 0], [-1, 0], [1, 1]]
    assert data.train.y["labels"].dtype == torch.int8
    assert data.test.y["labels"].tolist() == [[0, 0]]
    assert (data.name, data.tasks[0].kind, data.tasks[0].columns) == ("train", "binary", ("heavy", "bright"))


def test_labels_may_stand_anywhere_and_in_any_order(files):
    data = arff.load(*files(), labels=["bright"])
    assert data.train.x.shape == (4, 8)  # the other label is a feature now, of two columns
    swapped = arff.load(*files(), labels=["bright", "heavy"])
    assert torch.equal(
        swapped.train.y["labels"], arff.load(*files(), labels=["heavy", "bright"]).train.y["labels"].flip(1)
    )


def test_sparse_rows_hold_what_is_not_zero_or_the_first_value(files):
    dense = "0, red, 0, 3, 0, 1\n7, green, 0, 0, 1, 0\n"
    sparse = "{3 3}\n{0 7, 1 green, 4 1, 5 0}\n"
    for train, test in ((sparse, dense), (dense, sparse)):
        data = arff.load(*files(train, test), labels=["heavy", "bright"])
        assert data.train.x.tolist() == data.test.x.tolist() == [[0, 1, 0, 0, 0, 3], [7, 0, 1, 0, 0, 0]]
        assert data.train.y["labels"].tolist() == data.test.y["labels"].tolist() == [[0, 1], [1, 0]]
    data = arff.load(*files(dense, "{0 ?, 4 ?}\n"), labels=["heavy", "bright"])
    assert data.test.x[0, 0] == 3.5
    assert data.test.y["labels"].tolist() == [[-1, 1]]


def test_labels_as_mulan_lists_them(files, tmp_path):
    names = '<label name="bright"><label name="heavy"/></label>'
    (tmp_path / "names.xml").write_text(f'<labels xmlns="http://mulan.sourceforge.net/labels">{names}</labels>')
    assert arff.load(*files(), labels=tmp_path / "names.xml").tasks[0].columns == ("bright", "heavy")
    assert arff.load(*files(), labels=str(tmp_path / "names.xml")).tasks[0].columns == ("bright", "heavy")


def test_targets_are_numbers_and_may_be_missing(files):
    data = arff.load(*files(), labels=["weight", "count"], kind="points")
    assert (data.tasks[0].name, data.tasks[0].kind) == ("targets", "points")
    assert data.train.y["targets"].nan_to_num(-1).tolist() == [[1.5, 1], [2.5, 2.5], [-1, 4], [5, -1]]
    assert data.train.y["targets"].dtype == torch.float32
    assert data.train.x.shape == (4, 8)


def test_a_column_that_is_always_missing_is_zero(files):
    data = arff.load(*files("?, red, 1, 1, 0, 0\n", "2, red, 1, 1, 0, 0\n"), labels=["heavy"])
    assert (data.train.x[0, 0], data.test.x[0, 0]) == (0, 2)


@pytest.mark.parametrize(
    ("labels", "message"),
    [
        (["heavy", "light"], "train.arff has no column 'light'"),
        ([], "train.arff needs one or more labels, and features beside them"),
        (["weight", "colour", "two words", "count", "heavy", "bright"], "train.arff needs one or more labels"),
        (["colour"], "train.arff has a label colour of red, green, dark blue, not 0 and 1"),
        (["weight"], "train.arff has a label weight that is neither 0 nor 1"),
    ],
)
def test_labels_that_are_none(files, labels, message):
    with pytest.raises(ValueError, match=message):
        arff.load(*files(), labels=labels)


def test_other_bad_arguments(files, tmp_path):
    with pytest.raises(ValueError, match="kind is one of binary, points, got 'classes'"):
        arff.load(*files(), labels=["heavy"], kind="classes")
    with pytest.raises(ValueError, match="has categories in colour, which should be a number"):
        arff.load(*files(), labels=["colour"], kind="points")
    with pytest.raises(FileNotFoundError, match=r"none.arff is not there"):
        arff.load(files()[0], tmp_path / "none.arff", labels=["heavy"])
    with pytest.raises(FileNotFoundError, match=r"none.xml is not there"):
        arff.load(*files(), labels=tmp_path / "none.xml")


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ("1, red, 0, 1, 0\n", "is damaged in example 1 .BadDataFormat"),
        ("1, red, 0, 1, 0, 1, 1\n", "is damaged in example 1 .BadDataFormat"),
        (TRAIN + "1, red", "is damaged in example 5 .BadDataFormat"),
        ("1, red, 0, 1, 0, 1\n1, pink, 0, 1, 0, 1\n", "is damaged in example 2 .BadNominalValue"),
        ("one, red, 0, 1, 0, 1\n", "is damaged in example 1 .BadNumericalValue"),
        ("1, red, 0, 1, 2, 1\n", "is damaged in example 1 .BadNominalValue"),
        ("{6 1}\n", "is damaged in example 1 .BadDataFormat"),
        ("{0 1, 100%}\n", "is damaged in example 1 .BadLayout"),
        ("inf, red, 0, 1, 0, 1\n", "has a number that is infinite"),
        ("\n% nothing\n", "has no examples"),
        ("1, red, 0, 1, 0, \0\n", "is no text"),
    ],
)
def test_a_damaged_row_is_counted(files, rows, message):
    with pytest.raises(ValueError, match=f"^ARFF: train.arff {message}"):
        arff.load(*files(rows), labels=["heavy", "bright"])


@pytest.mark.parametrize(
    ("header", "message"),
    [
        ("", "cannot be read"),
        ("@relation\n@data\n", "cannot be read"),
        (HEADER.replace("@data", ""), "cannot be read"),
        (HEADER.replace("numeric", "numbers"), "cannot be read .Bad @ATTRIBUTE type, at line 4"),
        (HEADER.replace("'two words'", "weight"), "cannot be read .Bad @ATTRIBUTE name weight at line 6"),
        (HEADER.replace("{red, green, 'dark blue'}", "string"), "has texts in colour"),
        (HEADER.replace("numeric", 'date "yyyy"'), "cannot be read .Bad @ATTRIBUTE type"),
        (HEADER.replace("@attribute count INTEGER\n", ""), "is damaged in example 1"),
    ],
)
def test_a_damaged_header_is_named(files, header, message):
    with pytest.raises(ValueError, match=f"^ARFF: train.arff {message}"):
        arff.load(*files(header=header), labels=["heavy", "bright"])


def test_both_files_have_the_same_columns(files, tmp_path):
    train, test = files()
    test.write_text(HEADER.replace("{red, green,", "{green, red,") + TEST)
    with pytest.raises(ValueError, match=r"ARFF: test.arff does not have the columns of train.arff"):
        arff.load(train, test, labels=["heavy"])


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "cannot be read"),
        (b"<labels><label name='heavy'/>", "cannot be read"),
        (b"<labels><label/></labels>", "cannot be read"),
        (b"<labels></labels>", "lists no labels, or one twice"),
        (b"<labels><label name='heavy'/><label name='heavy'/></labels>", "lists no labels, or one twice"),
    ],
)
def test_a_damaged_list_of_labels_is_named(files, tmp_path, content, message):
    (tmp_path / "names.xml").write_bytes(content)
    with pytest.raises(ValueError, match=f"^ARFF: names.xml {message}"):
        arff.load(*files(), labels=tmp_path / "names.xml")


def test_a_folder_or_other_bytes_in_place_of_a_file(files, tmp_path):
    train, test = files()
    test.write_bytes(b"\xff\xfe\x00\x01")
    with pytest.raises(ValueError, match=r"ARFF: test.arff is no text"):
        arff.load(train, test, labels=["heavy"])
    with pytest.raises(ValueError, match=r"cannot be read \(.*Is a directory|Permission"):
        arff.load(train, tmp_path, labels=["heavy"])
