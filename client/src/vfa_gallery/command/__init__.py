"""The `vfa` command; needs the `cli` extra."""

import sys
from io import TextIOWrapper


def main() -> None:
    """Run the command, or say what to install."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):
            # A terminal that cannot show a character shows "?" in its place.
            stream.reconfigure(errors="replace")
    try:
        from vfa_gallery.command.app import vfa
    except ModuleNotFoundError as missing:
        if missing.name not in {"click", "rich"}:
            raise
        sys.exit(f"error: {missing.name} is missing; install the client with its extra [cli]")
    except KeyboardInterrupt:
        sys.exit(130)
    vfa()
