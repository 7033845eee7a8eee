"""What a value may be: the bracket at the start of a parameter's comment.

``[a|b|c]`` lists choices, ``[low..high]`` bounds a number (both ends included, either may be left
out) and may be one of several choices as in ``[0|2..1000]``, ``[folder]`` is an existing folder or
nothing, ``[device]`` a device that torch finds here, and no bracket is anything of the type.
"""

import math
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

from mtlib import paths

BRACKET = re.compile(r"\[(?P<inside>[^\]]*)\]\s*(?P<meaning>.*)", re.DOTALL)


class Range(Protocol):
    """What a value may be; ``str()`` of it completes the sentence "it accepts …"."""

    def admits(self, value: Any) -> bool:
        """Whether a value of the declared type lies inside."""


@dataclass(frozen=True)
class Anything:
    """No bracket: whatever the type allows, NaN and infinity included."""

    def admits(self, value: Any) -> bool:
        """Always."""
        return True

    def __str__(self) -> str:
        return ""


@dataclass(frozen=True)
class Choices:
    """``[a|b|c]``."""

    values: tuple[Any, ...]

    def admits(self, value: Any) -> bool:
        """Whether the value is one of those listed."""
        return value in self.values

    def __str__(self) -> str:
        return "one of " + ", ".join(str(value) for value in self.values)


@dataclass(frozen=True)
class Between:
    """``[low..high]``, both ends included; a missing end is open, yet the number must be finite."""

    low: float | None
    high: float | None

    def admits(self, value: Any) -> bool:
        """Whether the number is finite and between the ends."""
        finite = isinstance(value, int) or math.isfinite(value)
        return finite and (self.low is None or value >= self.low) and (self.high is None or value <= self.high)

    def __str__(self) -> str:
        if self.low is not None and self.high is not None:
            return f"{self.low} to {self.high}"
        if self.low is not None:
            return f"{self.low} or more"
        return "finite" if self.high is None else f"{self.high} or less"


@dataclass(frozen=True)
class Either:
    """``[0|2..1000]``: single numbers and ranges, whichever holds."""

    ranges: tuple[Range, ...]

    def admits(self, value: Any) -> bool:
        """Whether one of them admits the number."""
        return any(one.admits(value) for one in self.ranges)

    def __str__(self) -> str:
        return " or ".join(str(one).removeprefix("one of ") for one in self.ranges)


@dataclass(frozen=True)
class Device:
    """``[device]``: refused here rather than in the kernel where there is no such device."""

    def admits(self, value: Any) -> bool:
        """Whether torch can compute on the device."""
        import torch  # slow to import, and few notebooks' parameters need it

        if value == "cpu":
            return True
        kind, _, number = value.partition(":")
        return kind == "cuda" and (not number or number.isdecimal()) and int(number or 0) < torch.cuda.device_count()

    def __str__(self) -> str:
        return "cpu, or cuda where torch finds a CUDA device"


@dataclass(frozen=True)
class Folder:
    """``[folder]``; a relative one is looked up from the repository, where headless notebooks run."""

    def admits(self, value: Any) -> bool:
        """Whether the text is empty or an existing folder."""
        try:
            return value == "" or (paths.ROOT / value).is_dir()
        except (OSError, ValueError):  # a name too long for the file system, or with a null character
            return False

    def __str__(self) -> str:
        return "an existing folder, or nothing"


WORDS: dict[str, Callable[[], Range]] = {"folder": Folder, "device": Device}


def split(comment: str) -> tuple[str | None, str]:
    """A comment's bracket (None without one) and the meaning that follows it."""
    found = BRACKET.match(comment)
    if not found:
        return None, comment
    return found["inside"].strip(), found["meaning"].strip()


def build(bracket: str | None, read: Callable[[str], Any], numeric: bool) -> Range:
    """The range that a bracket declares for values which ``read`` reads from text.

    Raises:
        ValueError: the bracket does not suit the type, is empty, or its ends are the wrong way round.
    """
    if bracket is None:
        return Anything()
    if bracket in WORDS and read is str:
        return WORDS[bracket]()
    choices = bracket.split("|")
    if ".." not in bracket:
        return Choices(tuple(read(choice.strip()) for choice in choices))
    if len(choices) > 1:
        return Either(tuple(build(choice, read, numeric) for choice in choices))
    if not numeric:
        raise ValueError("a range of numbers for what is not a number")
    low, _, high = bracket.partition("..")
    ends = Between(_end(low, read), _end(high, read))
    if ends.low is not None and ends.high is not None and ends.low > ends.high:
        raise ValueError("its ends are the wrong way round")
    return ends


def _end(text: str, read: Callable[[str], Any]) -> Any:
    value = read(text) if text.strip() else None
    if value is not None and not math.isfinite(value):
        raise ValueError("leave an open end empty")
    return value
