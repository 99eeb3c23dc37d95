"""`make bench` measures, writes tables and draws; `make bench-check` compares ratios with the committed."""

from __future__ import annotations

import argparse
import subprocess
import sys

from tools.problem import Problem

from benchmarks import check, runs, tables
from benchmarks.places import HERE, ROOT, Effort
from benchmarks.prepare import PLOTTING, prepare


def _measure(arguments: argparse.Namespace) -> int:
    effort = Effort(quick=arguments.quick)
    prepare()
    runs.run(effort, arguments.only or runs.SECTIONS, fresh=arguments.fresh)
    return _report(arguments)


def _report(arguments: argparse.Namespace) -> int:
    effort = Effort(quick=arguments.quick)
    prepare()
    text = tables.report(effort.results)
    (effort.results / "tables.md").write_text(text)
    plots = HERE / "plots" if not effort.quick else effort.results
    command = [str(PLOTTING / "bin/python"), str(HERE / "plots.py"), str(effort.results), str(plots)]
    subprocess.run(command, cwd=ROOT, check=True)
    print(text)
    return 0


def _check(_: argparse.Namespace) -> int:
    prepare()
    worse = check.check()
    return 1 if worse else 0


def main() -> int:
    parser = argparse.ArgumentParser(prog="benchmarks", description=__doc__)
    commands = parser.add_subparsers(required=True)
    for name, work in (("run", _measure), ("report", _report), ("check", _check)):
        command = commands.add_parser(name)
        command.set_defaults(work=work)
        if name == "check":
            continue
        command.add_argument("--quick", action="store_true", help="few rounds, into .cache/bench/quick")
        if name == "run":
            command.add_argument("--fresh", action="store_true", help="forget an interrupted run")
            command.add_argument("--only", action="append", choices=list(runs.SECTIONS))
    arguments = parser.parse_args()
    try:
        return int(arguments.work(arguments))
    except Problem as problem:
        print(f"error: {problem}", file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(main())
