"""The schematic of SOS-SE says the sizes that it is given."""

from mtlib.figures import packed, png
from mtlib.figures.sos_se import se_block


def words(drawing):
    return [text.get_text() for ax in drawing.figure.axes for text in ax.texts]


def test_the_papers_sizes():
    drawing = se_block()
    assert packed(drawing)
    assert png(drawing.figure).startswith(b"\x89PNG")
    assert "common\n512" in words(drawing)
    assert "40 specific\nof 32 each" in words(drawing)
    assert [word for word in words(drawing) if word.startswith("block")] == [
        "block 1\n64 channels", "block 2\n64 channels", "block 3\n128 channels", "block 4\n128 channels",
    ]  # fmt: skip
    assert sum("predictions" in word for word in words(drawing)) == 4
    assert sum("reported" in word for word in words(drawing)) == 1


def test_other_sizes():
    drawing = se_block((8, 16), common=6, specific=3, tasks=5)
    assert drawing.arrays["channels"] == [8, 16]
    assert "5 specific\nof 3 each" in words(drawing)
    assert "Each of 2 blocks predicts all 5 attributes" in drawing.finding
