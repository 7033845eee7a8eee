"""What the tests of several figures share."""

import pytest

from mtlib.figures import packed, png


@pytest.fixture
def checked():
    """checked(drawing) -> the drawing, which renders, packs and has an alt text and a finding."""

    def checked(drawing):
        assert packed(drawing)
        assert len(drawing.alt) > 60
        assert drawing.finding.endswith(".")
        assert png(drawing.figure, drawing.photo).startswith(b"\x89PNG")
        return drawing

    return checked
