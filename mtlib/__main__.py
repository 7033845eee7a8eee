"""``python -m mtlib``: the course's command line, if the course is installed and not only the library."""

import sys
from importlib.util import find_spec

# What the runner imports beyond the library's own dependencies, as modules.
NEEDED = ("click", "ipykernel", "jinja2", "nbconvert", "nbformat", "numpy", "papermill")


def main() -> None:
    """Hand over to the command line, or say in one line what is missing and exit with 2."""
    missing = [name for name in NEEDED if find_spec(name) is None]
    if missing:
        problem = f"{', '.join(missing)} not installed: pip install -e '.[course]'"
        print(f"mtlib: {problem}", file=sys.stderr)
        sys.exit(2)
    from mtlib.runs.cli import cli

    cli()


if __name__ == "__main__":
    main()
