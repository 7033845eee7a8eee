"""A notebook's parameters: read from its ``parameters`` cell, parsed from the shell, checked by hand.

One line of that cell is ``name: type = default  # [range] meaning``. Types are bool, int, float, str
and lists of them; :mod:`mtlib.runs.ranges` says what a range may be. For a list the range holds for
each element, and the list must not be empty.
"""

import ast
import difflib
import logging
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mtlib.runs import ranges
from mtlib.runs.values import READERS, Parameter, ParameterError

if TYPE_CHECKING:
    from nbformat import NotebookNode

TYPE = re.compile(r"(list\[)?(bool|int|float|str)(?(1)\])")
FORM = "'name: type = constant  # [range] meaning'"


def read(notebook: "Path | NotebookNode") -> dict[str, Parameter]:
    """The parameters a notebook declares, in its order.

    Raises:
        ParameterError: no parameters cell or several, a line that papermill would silently skip, an
            unknown type, a default outside its own range, or no ``profile`` with its choices.
        NotebookError: the file is missing, or no notebook.
    """
    if isinstance(notebook, Path):
        from mtlib.runs import notebooks

        notebook = notebooks.load(notebook)
    sources = [cell.source for cell in notebook.cells if "parameters" in cell.metadata.get("tags", [])]
    if len(sources) != 1:
        raise ParameterError(f"exactly one cell must be tagged 'parameters', here are {len(sources)}")
    declared = _declared(sources[0])
    profile = declared.get("profile")
    if profile is None or profile.type != "str" or not isinstance(profile.accepts, ranges.Choices):
        raise ParameterError("the parameters cell needs a line 'profile: str = \"quick\"  # [smoke|quick] …'")
    for parameter in declared.values():
        try:
            parameter.checked(parameter.default)
        except ParameterError as error:
            raise ParameterError(f"declared default: {error}") from None
    return declared


def parse(declared: Mapping[str, Parameter], given: Mapping[str, str]) -> dict[str, Any]:
    """Values from a shell's texts, for the names given.

    Raises:
        ParameterError: an unknown name, or a text that its parameter does not accept.
    """
    _must_be_known(declared, given)
    return {name: declared[name].parsed(text) for name, text in given.items()}


def complete(declared: Mapping[str, Parameter], values: Mapping[str, Any]) -> dict[str, Any]:
    """All parameters: the values given, and defaults for the rest.

    Raises:
        ParameterError: an unknown name, or a value that its parameter does not accept.
    """
    _must_be_known(declared, values)
    return {name: one.checked(values.get(name, one.default)) for name, one in declared.items()}


def check(cells: Sequence[str], namespace: Mapping[str, Any]) -> None:
    """Check the parameters of a notebook run by hand: ``parameters.check(In, globals())``.

    The latest of ``cells`` that consists of annotated assignments only, ``profile`` among them,
    declares; the values are those that the namespace holds now, whoever set them.

    Raises:
        ParameterError: no such cell has run, it is declared wrongly, or a value is not accepted.
    """
    if not any(cells):
        return  # nbval keeps no history: it repeats values that were checked when the notebook ran
    source = next((cell for cell in reversed(cells) if _declares(cell)), None)
    if source is None:
        raise ParameterError(f"no parameters cell has run; its lines, 'profile' among them, read {FORM}")
    for name, parameter in _declared(source).items():
        if name not in namespace:
            raise ParameterError(f"parameter '{name}' is gone: it accepts {parameter.accepted()}")
        parameter.checked(namespace[name])


def _must_be_known(declared: Mapping[str, Parameter], given: Mapping[str, Any]) -> None:
    for name in given:
        if name not in declared:
            close = difflib.get_close_matches(name, declared, n=1)
            hint = f" (did you mean '{close[0]}'?)" if close else ""
            raise ParameterError(f"unknown parameter {name!r}{hint}; known: {', '.join(declared)}")


def _target(statement: ast.stmt) -> str | None:
    """The name that an annotated assignment sets; None for any other statement."""
    if isinstance(statement, ast.AnnAssign) and isinstance(statement.target, ast.Name) and statement.value:
        return statement.target.id
    return None


def _declares(source: str) -> bool:
    try:
        targets = [_target(statement) for statement in ast.parse(source).body]
    except (SyntaxError, ValueError):
        return False
    return "profile" in targets and None not in targets


def _declared(source: str) -> dict[str, Parameter]:
    """Each annotated assignment of a cell as a parameter, by papermill's own reading."""
    statements = _statements(source)
    seen = {one.name: one for one in _inspected(source)}
    declared = {}
    for name, (value, where) in statements.items():
        try:
            default = ast.literal_eval(value)
        except ValueError:
            raise ParameterError(f"{where}: the value must be a constant") from None
        if name not in seen or not _same(seen[name].default, default):
            reason = "a second '=' in it" if where.count("=") > 1 else "its form"
            raise ParameterError(f"{where}: papermill would skip or misread it because of {reason}; write {FORM}")
        declared[name] = _parameter(seen[name], default, where)
    return declared


def _statements(source: str) -> dict[str, tuple[ast.expr, str]]:
    """By name: the value assigned, and the words that tell a reader where."""
    try:
        body = ast.parse(source).body
    except SyntaxError as error:
        raise ParameterError(f"line {error.lineno} of the parameters cell is not Python; write {FORM}") from None
    found: dict[str, tuple[ast.expr, str]] = {}
    for statement in body:
        line = source.splitlines()[statement.end_lineno - 1].strip()
        where = f"line {statement.end_lineno} of the parameters cell, {line!r}"
        name = _target(statement)
        if name is None or name in found:
            raise ParameterError(f"{where}: each parameter is declared once, as {FORM}")
        found[name] = statement.value, where
    return found


def _inspected(source: str) -> list[Any]:
    from papermill.translators import PythonTranslator

    log = logging.getLogger("papermill.translators")
    before, log.disabled = log.disabled, True  # it warns of the lines that raise a clear error here
    try:
        return PythonTranslator.inspect({"source": source})
    finally:
        log.disabled = before


def _same(text: str, value: Any) -> bool:
    try:
        return repr(ast.literal_eval(text)) == repr(value)
    except (ValueError, SyntaxError):
        return False


def _parameter(seen: Any, default: Any, where: str) -> Parameter:
    kind = seen.inferred_type_name.replace(" ", "")
    if not TYPE.fullmatch(kind):
        raise ParameterError(f"{where}: its type is not bool, int, float, str, or list[…] of one of these")
    element = kind.removeprefix("list[").removesuffix("]")
    bracket, meaning = ranges.split(seen.help)
    try:
        accepts = ranges.build(bracket, READERS[element], numeric=element in ("int", "float"))
    except ValueError as error:
        raise ParameterError(f"{where}: the range [{bracket}] does not suit {kind}: {error}") from None
    if isinstance(accepts, ranges.Folder) and kind != "str":
        raise ParameterError(f"{where}: a folder is one str")
    if type(default) is int and kind == "float":
        default = float(default)
    return Parameter(seen.name, kind, default, accepts, meaning)
