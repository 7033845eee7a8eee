import math

import pytest
from hypothesis import given
from hypothesis import strategies as st
from nbformat.v4 import new_code_cell, new_notebook

from mtlib.runs import parameters
from mtlib.runs.parameters import ParameterError

EXTRA = """
flag: bool = True  # [true|false] a switch
free: float = 1  # anything at all
words: list[str] = ["a"]  # words without a range
powers: list[float] = [1e-3, 2]  # [1e-5..10] of a list each"""


def notebook(source):
    return new_notebook(cells=[new_code_cell(source, metadata={"tags": ["parameters"]})])


@pytest.fixture(scope="module")
def declared(declaration):
    return parameters.read(notebook(declaration + EXTRA))


def test_read(make, tmp_path):
    found = parameters.read(make(tmp_path / "tiny.ipynb"))
    assert list(found) == ["profile", "steps", "rate", "sets", "data_root"]
    assert (found["sets"].type, found["sets"].default) == ("list[int]", [2, 9])
    assert found["rate"].meaning == "learning rate"
    assert found["profile"].accepted() == "str, one of smoke, quick, standard, paper"
    assert found["sets"].accepted() == "a list of int, at least one, each 1 to 10"


def test_defaults_take_the_declared_type(declared):
    assert type(declared["free"].default) is float
    assert parameters.complete(declared, {"steps": 7})["powers"] == [1e-3, 2.0]


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("rate: float = 0.1  # as in lr=0.1", "a second '='"),
        ('rate: str = "a=b"', "a second '='"),
        ("rate: int | None = 3", "its form"),
        ('rate: str = "a#b"', "its form"),
        ("rate = 3", "declared once"),
        ("steps: int = 3\nsteps: int = 4", "declared once"),
        ("import os", "declared once"),
        ("rate: float = 1 / 3", "a constant"),
        ("rate: tuple = (1, 2)", "its type is not"),
        ("rate: int = 3  # [a|b] x", "does not suit int"),
        ("rate: int = 3  # [4..1] x", "wrong way round"),
        ("rate: int = 3  # [5..9] x", "'rate' cannot be 3"),
        ("rate: int = True", "'rate' cannot be True"),
        ("rate: float = 'x'  # [0..1]", "'rate' cannot be 'x'"),
        ("rate: list[int] = []  # [0..1]", "at least one"),
        ("rate: int =", "not Python"),
    ],
)
def test_a_wrong_declaration_is_named(line, says, caplog):
    with pytest.raises(ParameterError) as error:
        parameters.read(notebook('profile: str = "quick"  # [smoke|quick] x\n' + line))
    assert says in str(error.value)
    assert "rate" in str(error.value) or "line" in str(error.value)
    assert "\n" not in str(error.value)
    assert not caplog.records  # papermill's own warning would be a second line


@pytest.mark.parametrize("source", ["steps: int = 3", 'profile: str = "quick"', "profile: int = 3  # [1|3]"])
def test_a_profile_with_choices_is_needed(source):
    with pytest.raises(ParameterError, match="profile"):
        parameters.read(notebook(source))


def test_exactly_one_parameters_cell():
    with pytest.raises(ParameterError, match="here are 0"):
        parameters.read(new_notebook())


@pytest.mark.parametrize(
    ("name", "text", "value"),
    [
        ("steps", "1_000", 1000),
        ("rate", "1e-3", 0.001),
        ("rate", "1", 1.0),
        ("sets", "2,9", [2, 9]),
        ("sets", "[2, 9]", [2, 9]),
        ("sets", " 3 ", [3]),
        ("flag", "True", True),
        ("flag", "false", False),
        ("free", "inf", math.inf),
        ("words", "", []),
        ("words", "[a, b]", ["a", "b"]),
        ("words", "['a, b']", ["a, b"]),
        ("data_root", "", ""),
        ("profile", "paper", "paper"),
    ],
)
def test_parse(declared, name, text, value):
    found = parameters.parse(declared, {name: text})[name]
    assert found == value
    assert type(found) is type(value)


def test_a_folder_is_made_absolute_as_the_shell_saw_it(declared, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "faces").mkdir()
    assert parameters.parse(declared, {"data_root": "faces"}) == {"data_root": str(tmp_path / "faces")}


REFUSED = [
    *(("steps", text) for text in ["0", "-5", "1001", "2.0", "1e2", "", "three", "True", "9" * 5000, "\udc80"]),
    *(("rate", text) for text in ["-1e-3", "1.1", "nan", "inf", "1e999", "x"]),
    *(("sets", text) for text in ["", "[]", "2,,9", "0,1", "2,11", "[2, 9", "[1, True]", "[1.0]", "[[1]]", "[2],[3]"]),
    *(("flag", text) for text in ["1", "yes", ""]),
    *(("data_root", text) for text in ["no/such/folder", "nul\0"]),
    *(("profile", text) for text in ["fast", "", "Quick"]),
    ("powers", "1e-3,nan"),
]


@pytest.mark.parametrize(("name", "text"), REFUSED)
def test_refused_in_one_line_that_says_all(declared, name, text):
    with pytest.raises(ParameterError) as error:
        parameters.parse(declared, {name: text})
    message = str(error.value)
    assert f"parameter '{name}' cannot be {text!r}"[:60] in message
    assert message.endswith(f"it accepts {declared[name].accepted()}")
    assert "\n" not in message
    assert len(message) < 250


def test_an_unknown_name_is_told_the_known_ones(declared):
    with pytest.raises(ParameterError, match=r"'stps' \(did you mean 'steps'\?\); known: profile, steps, rate"):
        parameters.parse(declared, {"stps": "3"})


@given(st.integers(1, 1000), st.floats(0, 1), st.lists(st.integers(1, 10), min_size=1), st.booleans())
def test_in_range_values_come_back(declared, steps, rate, sets, flag):
    values = {"steps": steps, "rate": rate, "sets": sets, "flag": flag}
    assert parameters.parse(declared, {name: str(value) for name, value in values.items()}) == values
    joined = ",".join(str(one) for one in sets)
    assert parameters.parse(declared, {"sets": joined}) == {"sets": sets}
    assert parameters.complete(declared, values) | values == parameters.complete(declared, values)


@given(
    st.one_of(
        st.tuples(st.just("steps"), st.integers(max_value=0) | st.integers(min_value=1001)),
        st.tuples(st.just("rate"), st.floats().filter(lambda x: not 0 <= x <= 1)),
        st.tuples(st.just("sets"), st.lists(st.integers()).filter(lambda x: not x or not all(1 <= i <= 10 for i in x))),
    )
)
def test_anything_out_of_range_is_refused(declared, case):
    name, value = case
    with pytest.raises(ParameterError, match=name):
        parameters.parse(declared, {name: str(value)})
    with pytest.raises(ParameterError, match=name):
        parameters.complete(declared, {name: value})


def namespace(**changed):
    return {"profile": "quick", "steps": 3, "rate": 0.5, "sets": [1], "data_root": ""} | changed


def test_check_by_hand(declaration):
    parameters.check(["", "import os", declaration, "parameters.check(In, globals())"], namespace())
    parameters.check(["", declaration], namespace(rate=1))  # an int where a float is meant


@pytest.mark.parametrize(
    "changed",
    [
        {"steps": -5},
        {"steps": 2.0},
        {"steps": True},
        {"rate": math.nan},
        {"sets": []},
        {"sets": (1,)},
        {"profile": "x"},
    ],
)
def test_check_refuses_what_the_hand_set(changed, declaration):
    with pytest.raises(ParameterError, match=next(iter(changed))):
        parameters.check(["", declaration, "steps = -5"], namespace(**changed))


def test_check_takes_the_latest_parameters_cell(declaration):
    wider = declaration.replace("[1..1000]", "[1..5000]")
    parameters.check(["", declaration, wider, 'note: str = "x"', "%%time\n1"], namespace(steps=4000))
    with pytest.raises(ParameterError, match="1 to 1000"):
        parameters.check(["", wider, declaration], namespace(steps=4000))


def test_check_reads_the_value_not_the_default(declaration):
    edited = declaration.replace("= 3", "= -3")  # edited by hand, and then injected over
    parameters.check(["", edited], namespace(steps=5))
    with pytest.raises(ParameterError, match="-3"):
        parameters.check(["", edited], namespace(steps=-3))


def test_check_needs_the_cell_and_its_names(declaration):
    with pytest.raises(ParameterError, match="no parameters cell"):
        parameters.check(["", "profile = 'quick'"], namespace())
    gone = namespace()
    del gone["rate"]
    with pytest.raises(ParameterError, match="'rate' is gone"):
        parameters.check(["", declaration], gone)


def test_check_without_history_is_silent():
    parameters.check([""], {})  # how nbval executes cells
