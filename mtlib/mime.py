"""The MIME types under which a notebook carries what machines read."""

FIGURE = "application/vnd.mtlib.figure+json"  # a figure's id, alt text, finding and arrays
RECORD = "application/vnd.mtlib.record+json"  # a run's data, seeds, metrics and claims
