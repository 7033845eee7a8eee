"""Table 1 of the paper as relations: expressions and action units (X-2, X-7 to X-10)."""

import pytest
import torch

from mtlib.coupling.printed import relations
from mtlib.faces.names import ACTION_UNITS, EXPRESSIONS

STUDY, DATABASE = relations("study"), relations("database")


def row(own, expression, what):
    """{unit: value} of what is not 0."""
    values = getattr(own, what)[own.classes.index(expression)].tolist()
    return {int(name[2:]): round(value, 6) for name, value in zip(own.attributes, values, strict=True) if value}


# (w by the study, w = p by the data base), as they stand in the paper.
PRINTED = {
    "neutral": ({}, {}),
    "happiness": ({12: 1, 25: 1, 6: 0.51}, {12: 0.82, 25: 0.7, 6: 0.57, 7: 0.83, 10: 0.63}),
    "sadness": ({4: 1, 15: 1, 1: 0.6, 6: 0.5, 11: 0.26, 17: 0.67}, {4: 0.53, 15: 0.42, 1: 0.31, 7: 0.13}),
    "fear": (
        {1: 1, 4: 1, 20: 1, 25: 1, 2: 0.57, 5: 0.63, 26: 0.33},
        {1: 0.52, 4: 0.4, 25: 0.85, 7: 0.57, 10: 0.57},
    ),
    "anger": ({4: 1, 7: 1, 24: 1, 10: 0.26, 17: 0.52, 23: 0.29}, {4: 0.65, 7: 0.45, 25: 0.4, 10: 0.33}),
    "surprise": ({1: 1, 2: 1, 25: 1, 26: 1, 5: 0.66}, {1: 0.38, 2: 0.37, 25: 0.85, 26: 0.3, 5: 0.5, 7: 0.2}),
    "disgust": ({9: 1, 10: 1, 17: 1, 4: 0.31, 24: 0.26}, {10: 0.85, 4: 0.6, 7: 0.75, 25: 0.8}),
}


@pytest.mark.parametrize("expression", EXPRESSIONS)
def test_table_1(expression):
    study, database = PRINTED[expression]
    assert row(STUDY, expression, "weight") == study
    assert row(STUDY, expression, "probability") == dict.fromkeys(study, 1)  # 0/1, whatever the weight
    assert row(DATABASE, expression, "weight") == row(DATABASE, expression, "probability") == database


def test_x7_the_units_are_the_union_of_the_studys_lists():
    assert STUDY.listed.all()
    assert len(STUDY.attributes) == 17
    assert [int(name[2:]) for name in STUDY.attributes] == sorted({u for study, _ in PRINTED.values() for u in study})


def test_x2_the_data_base_does_not_list_six_of_the_17_units():
    out = [name for name, listed in zip(DATABASE.attributes, DATABASE.listed, strict=True) if not listed]
    assert out == ["AU9", "AU11", "AU17", "AU20", "AU23", "AU24"]


def test_the_surprise_of_the_study_is_a_part_of_its_fear():
    """So Eq. (4) cannot tell them apart on a face that shows all of fear; nor anger from disgust by the data base."""
    assert set(PRINTED["surprise"][0]) < set(PRINTED["fear"][0])
    assert set(PRINTED["anger"][1]) == set(PRINTED["disgust"][1]) < set(PRINTED["fear"][1])


@pytest.mark.parametrize("source", ["study", "database"])
def test_any_order_of_names_and_others_among_them(source):
    """X-8: "other" has no relation; six expressions are a part of the table."""
    own, names = relations(source), ("other", *EXPRESSIONS[::-1])
    units = ("AU99", "AU12", "AU4", "AU1")
    found = relations(source, names, units)
    assert found.weight.shape == (8, 4)
    assert not found.weight[0].any()
    assert not found.weight[:, 0].any()
    columns = [own.attributes.index(unit) for unit in units[1:]]
    for what in ("weight", "probability"):
        assert torch.equal(getattr(found, what)[1:, 1:], getattr(own, what).flip(0)[:, columns])
    six = relations(source, EXPRESSIONS[1:])
    assert torch.equal(six.weight, own.weight[1:])


def test_what_cannot_be_is_refused():
    with pytest.raises(ValueError, match="from 'study' or 'database', got 'people'"):
        relations("people")
    for expressions, units in (("cat", "dog"), ("AU12",)), (EXPRESSIONS, ("12", "25")), (("neutral",), ("AU12",)):
        with pytest.raises(ValueError, match="none of them is among"):
            relations("study", expressions, units)
    with pytest.raises(ValueError, match="each once"):
        relations("study", EXPRESSIONS, ("AU12", "AU12"))


def test_names_are_those_of_drawn_faces():
    assert STUDY.classes == EXPRESSIONS
    assert STUDY.attributes == tuple(f"AU{unit}" for unit in ACTION_UNITS)
