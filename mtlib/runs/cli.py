"""The command line: ``python -m mtlib run|notebooks|verify|teach|report``.

Exit codes: 0 done; 1 a notebook did not run, or verify found differences; 2 the command itself is
wrong, found before any kernel starts, with one line on standard error; 130 stopped by Ctrl-C.
"""

import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import click

from mtlib import paths
from mtlib.runs import execute, notebooks, parameters, record, report

REFUSED = (parameters.ParameterError, notebooks.NotebookError, record.RecordError)


class OneLine(click.Group):
    """A command group whose errors are one line each, and whose exit codes are the module's."""

    def main(self, args: Sequence[str] | None = None, prog_name: str | None = None, **extra: Any) -> None:
        """Run a command line and exit."""
        extra.pop("standalone_mode", None)
        try:
            code = super().main(args, prog_name or "python -m mtlib", standalone_mode=False, **extra)
        except click.ClickException as error:
            code = _complain(error.format_message(), error.exit_code)
        except REFUSED as error:
            code = _complain(str(error), 2)
        except execute.RunFailed as error:
            code = _complain(str(error), 1)
        except click.Abort:  # what click makes of Ctrl-C
            code = _complain("stopped; what a notebook had done is kept as its .partial.ipynb", 130)
        sys.exit(code or 0)


def _complain(message: str, code: int) -> int:
    click.echo("mtlib: " + " ".join(message.split()), err=True)
    return code


@click.group(cls=OneLine, invoke_without_command=True)
@click.pass_context
def cli(context: click.Context) -> None:
    """Run, refresh, check and copy the notebooks of the course."""
    try:
        paths.repository()
    except FileNotFoundError as error:
        raise click.UsageError(str(error)) from None
    if context.invoked_subcommand is None:
        click.echo(context.get_help())


@cli.command(add_help_option=False)
@click.argument("names", nargs=-1, metavar="NOTEBOOK...")
@click.option("--profile", metavar="NAME", help="Same as -p profile NAME: smoke, quick, standard or paper.")
@click.option("-p", "settings", nargs=2, multiple=True, metavar="NAME VALUE", help="Set a parameter; lists as 2,9.")
@click.option("--to", type=Path, metavar="FOLDER", help="Where results go; default: runs in the repository.")
@click.option("-h", "--help", "help_wanted", is_flag=True, help="This, or after a NOTEBOOK its parameters.")
@click.pass_context
def run(
    context: click.Context,
    names: tuple[str, ...],
    profile: str | None,
    settings: tuple[tuple[str, str], ...],
    to: Path | None,
    help_wanted: bool,
) -> int:
    """Execute notebooks headless.

    NOTEBOOK is a number (01), a name, a path, or all.

    Beside each finished notebook lies its record (.json); report.html shows all of the folder.
    """
    if help_wanted:
        click.echo("\n\n".join(_describe(path) for path in notebooks.choose(names)) if names else _overview(context))
        return 0
    if not names:
        raise click.UsageError("say which notebook: a number such as 01, a name, a path, or all")
    chosen = notebooks.choose(names)
    texts = _texts(profile, settings)
    given = {path: _named(path, lambda path=path: parameters.parse(parameters.read(path), texts)) for path in chosen}
    to = _folder(to or paths.repository() / "runs")
    _say_expected(given)
    failures = 0
    finished = False
    for path, values in given.items():
        try:
            execute.run(path, values, to, click.echo)
            finished = True
        except execute.RunFailed as error:
            failures += _complain(str(error), 1)
    if finished:
        click.echo(f"report: {execute.nearby(report.write(to))}")
    return min(failures, 1)


@cli.command("notebooks")
@click.argument("names", nargs=-1, metavar="[NOTEBOOK...]")
def refresh(names: tuple[str, ...]) -> int:
    """Refresh the committed outputs, in place.

    Each notebook is executed at its own defaults, quick; a failing one stays as it was.
    """
    chosen = notebooks.choose(names or ["all"])
    for path in chosen:
        _named(path, lambda path=path: parameters.read(path))
    _say_expected({path: {} for path in chosen})
    for path in chosen:
        _named(path, lambda path=path: execute.refresh(path, click.echo))
    return 0


@cli.command()
@click.argument("names", nargs=-1, metavar="[NOTEBOOK...]")
def verify(names: tuple[str, ...]) -> int:
    """Compare committed with fresh outputs.

    Figures by their arrays, records by claims and keys; the differences go to standard error.
    """
    _say_expected({path: {} for path in notebooks.choose(names or ["all"])})
    from mtlib.runs import verify as verification  # figures and nbconvert take a second to import: here and below

    differences = verification.verify(names, click.echo)
    for line in differences:
        click.echo(line, err=True)
    return 1 if differences else 0


@cli.command()
@click.option("--to", type=Path, metavar="FOLDER", help="Default: teach in the repository.")
def teach(to: Path | None) -> int:
    """Write student and instructor copies.

    Students get no solutions and no outputs, instructors everything, unfolded.
    """
    notebooks.choose(["all"])  # before a folder is made for nothing
    from mtlib.runs import copies

    for path in copies.teach(_folder(to or paths.repository() / "teach")):
        click.echo(execute.nearby(path))
    return 0


@cli.command("report")
@click.argument("folder", type=Path)
def write_report(folder: Path) -> int:
    """Write report.html from a folder of runs."""
    if not folder.is_dir():
        raise click.UsageError(f"there is no folder {folder}")
    click.echo(execute.nearby(report.write(folder)))
    return 0


def _texts(profile: str | None, settings: Sequence[tuple[str, str]]) -> dict[str, str]:
    """What was given on the command line, by name."""
    texts: dict[str, str] = {}
    for name, text in settings:
        if name in texts:
            raise click.UsageError(f"parameter '{name}' is given twice: {texts[name]!r} and {text!r}")
        texts[name] = text
    if profile is not None and texts.setdefault("profile", profile) != profile:
        raise click.UsageError(f"parameter 'profile' is given twice: {texts['profile']!r} and {profile!r}")
    return texts


def _named(path: Path, work: Callable[[], Any]) -> Any:
    """Do the work; an error about parameters says which notebook it is about."""
    try:
        return work()
    except parameters.ParameterError as error:
        raise parameters.ParameterError(f"{path.stem}: {error}") from None


def _folder(path: Path) -> Path:
    """The folder, made if need be; anything else that is there is refused."""
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise click.UsageError(f"--to {path} cannot be a folder: {error.strerror}") from None
    if not os.access(path, os.W_OK):
        raise click.UsageError(f"--to {path} cannot be written to")
    return path


def _say_expected(given: dict[Path, dict[str, Any]]) -> None:
    """How long it will take, before it starts: per notebook, and in all where there are several."""
    total = 0.0
    for path, values in given.items():
        notebook = notebooks.load(path)
        profile = values.get("profile") or parameters.read(notebook)["profile"].default
        seconds = notebooks.expected_seconds(notebook, profile)
        total += seconds or 0
        says = f"about {execute.spell(seconds)} expected" if seconds else "its expected time is not declared"
        changed = " at the profile's own settings" if seconds and values.keys() - {"profile"} else ""
        click.echo(f"{path.stem} · {profile} · {says}{changed}")
    if len(given) > 1 and total:
        click.echo(f"{len(given)} notebooks · about {execute.spell(total)} expected in all")


def _overview(context: click.Context) -> str:
    known = "\n".join(f"  {path.stem}" for path in notebooks.all_notebooks()) or "  none yet"
    return f"{context.get_help()}\n\nNotebooks (run NOTEBOOK --help lists its parameters):\n{known}"


def _describe(path: Path) -> str:
    """A notebook's parameters with type, default, accepted values and meaning."""
    declared = _named(path, lambda: parameters.read(path))
    lines = [f"Parameters of {path.stem} (-p NAME VALUE):"]
    for one in declared.values():
        lines.append(f"\n  {one.name}: {one.type} = {one.default!r}")
        lines += [f"      {text}" for text in (one.meaning, f"accepts {one.accepted()}") if text]
    return "\n".join(lines)
