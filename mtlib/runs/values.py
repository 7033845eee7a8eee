"""One parameter: its type and range, and what it makes of a value or of a shell's text."""

import ast
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mtlib.runs import ranges

LONGEST = 60  # characters of a refused value that a message repeats


class ParameterError(ValueError):
    """A parameter that is declared wrongly, unknown, or given what it does not accept: one line."""

    def _render_traceback_(self) -> list[str]:
        # IPython asks for this: in a notebook the line says everything, the stack nothing.
        return [f"ParameterError: {self}"]


def _bool(text: str) -> bool:
    word = text.strip().lower()
    if word not in ("true", "false"):
        raise ValueError(text)
    return word == "true"


READERS = {"bool": _bool, "int": int, "float": float, "str": str}
# Exact types: True is an int and numpy.float64 a float, yet neither leaves JSON as what it was.
PLAIN = {"bool": (bool,), "int": (int,), "float": (int, float), "str": (str,)}


@dataclass(frozen=True)
class Parameter:
    """One declared parameter.

    Args:
        name: as the notebook's code uses it.
        type: ``bool``, ``int``, ``float``, ``str``, or ``list[…]`` of one of these.
        default: the committed value.
        accepts: the range that the value, or each element of a list, must lie in.
        meaning: the rest of the comment.
    """

    name: str
    type: str
    default: Any
    accepts: ranges.Range
    meaning: str

    @property
    def element(self) -> str:
        """The scalar type: of the value itself, or of a list's elements."""
        return self.type.removeprefix("list[").removesuffix("]")

    @property
    def is_list(self) -> bool:
        """Whether the value is a list."""
        return self.type != self.element

    def accepted(self) -> str:
        """What it accepts, in words: ``int, 0 to 1000``."""
        limits = str(self.accepts)
        if not self.is_list:
            return f"{self.element}, {limits}" if limits else self.element
        return f"a list of {self.element}" + (f", at least one, each {limits}" if limits else "")

    def refusal(self, value: Any) -> ParameterError:
        """The error that names the parameter, what was given and what it accepts."""
        shown = repr(value)
        shown = shown if len(shown) <= LONGEST else shown[:LONGEST] + "…"
        return ParameterError(f"parameter '{self.name}' cannot be {shown}: it accepts {self.accepted()}")

    def checked(self, value: Any) -> Any:
        """The value, an int made float where the type says float.

        Raises:
            ParameterError: it has another type or lies outside the range.
        """
        elements = value if self.is_list else [value]
        bounded = not isinstance(self.accepts, ranges.Anything)
        if type(elements) is not list or (bounded and not elements):
            raise self.refusal(value)
        if not all(type(e) in PLAIN[self.element] and self.accepts.admits(e) for e in elements):
            raise self.refusal(value)
        if self.element == "float":
            try:
                elements = [float(e) for e in elements]
            except OverflowError:  # an int beyond the largest float
                raise self.refusal(value) from None
        return elements if self.is_list else elements[0]

    def parsed(self, text: str) -> Any:
        """The value that a shell's text means.

        Raises:
            ParameterError: the text is not of the type, or its value lies outside the range.
        """
        try:
            text.encode()  # bytes that a shell could not decode can be written to no notebook
            value = self._elements(text) if self.is_list else READERS[self.element](text)
            if isinstance(self.accepts, ranges.Folder) and text:
                value = str(Path(text).absolute())  # notebooks run in the repository, a shell anywhere
            return self.checked(value)
        except ValueError:  # a ParameterError too: say what was typed, not what it was read as
            raise self.refusal(text) from None

    def _elements(self, text: str) -> Any:
        inside = text.strip()
        if inside.startswith("[") and inside.endswith("]"):
            try:
                return ast.literal_eval(inside)
            except (ValueError, SyntaxError, TypeError, MemoryError, RecursionError):
                inside = inside[1:-1]  # [a, b]: words without quotes
        read = READERS[self.element]
        return [read(part.strip()) for part in inside.split(",")] if inside.strip() else []
