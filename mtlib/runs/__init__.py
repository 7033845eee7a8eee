"""Headless runs: a notebook's parameters, its execution, the record it leaves, the report over many.

Nothing is imported here: a notebook takes ``parameters`` and ``record`` alone.
"""

import sys

# For nbformat, jsonschema would compile the grammars of all kinds of addresses, two seconds in every process.
sys.modules.setdefault("rfc3987_syntax", None)
