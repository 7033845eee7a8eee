"""Settings whose type says what they accept."""

from dataclasses import fields
from typing import Literal, get_args, get_origin, get_type_hints


def check(settings: object) -> None:
    """Refuse a dataclass whose ``Literal`` fields hold something else.

    Raises:
        ValueError: the first such field, what it accepts and what it got.
    """
    hints = get_type_hints(type(settings))
    for item in fields(settings):
        accepted, value = get_args(hints[item.name]), getattr(settings, item.name)
        if get_origin(hints[item.name]) is Literal and value not in accepted:
            kind = type(settings).__name__.lower()
            raise ValueError(f"{kind}: {item.name} is one of {', '.join(map(str, accepted))}, got {value!r}")
