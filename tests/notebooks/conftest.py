"""What the tests of several notebooks share."""

import ast
import io
import symtable
from contextlib import redirect_stdout

import pytest

from mtlib.runs import notebooks


@pytest.fixture
def source(request):
    """source(kind) -> all cells of a kind, "code" or "markdown", of the notebook that a test module is about."""

    def source(kind):
        return "\n".join(
            cell.source for cell in notebooks.load(request.module.NOTEBOOK).cells if cell.cell_type == kind
        )

    return source


@pytest.fixture
def names():
    """names(statement) -> (variables of the notebook that it gives a value or changes, those that it uses)."""

    def names(statement):
        table = symtable.symtable(ast.unparse(statement), "cell", "exec")
        gives = {one.get_name() for one in table.get_symbols() if one.is_assigned() or one.is_imported()}
        for node in ast.walk(statement):
            if isinstance(node, ast.Attribute | ast.Subscript) and isinstance(node.ctx, ast.Store):  # batch.x = ...
                gives |= {part.id for part in ast.walk(node.value) if isinstance(part, ast.Name)}
        uses = {one.get_name() for one in table.get_symbols() if one.is_referenced()}
        return gives, uses | set(_global_names(table))

    return names


def _global_names(table):
    """What the functions in a table, and those in them, take from outside."""
    for inner in table.get_children():
        yield from (one.get_name() for one in inner.get_symbols() if one.is_global())
        yield from _global_names(inner)


@pytest.fixture
def said_by():
    """said_by(source) -> what a piece of code prints that begins with nothing."""

    def said_by(source):
        with redirect_stdout(io.StringIO()) as said:
            exec(source, {"__name__": "__main__"})
        return said.getvalue()

    return said_by


@pytest.fixture
def said_with(names, said_by):
    """said_with(path, {source: replacement}) -> what a notebook's exercises print with these answers, at smoke.

    Of the other cells only what the exercises need is run: the statements that give their names a value.
    """

    def said_with(path, answers):
        sources, wanted = [], set()
        for cell in notebooks.load(path).cells:
            if cell.cell_type == "code":
                source = cell.source
                for given, answer in answers.items():
                    source = source.replace(given, answer)
                if source != cell.source:
                    wanted.add(len(sources))
                sources.append(source)
            if "parameters" in cell.metadata.get("tags", []):
                sources.append("profile = 'smoke'")
        kept, needed = [], set()
        for place in reversed(range(len(sources))):
            for statement in reversed(ast.parse(sources[place]).body):
                gives, uses = names(statement)
                if place in wanted or gives & needed:
                    kept.append(statement)
                    needed |= uses
        return said_by(ast.unparse(ast.Module(kept[::-1], [])))

    return said_with
