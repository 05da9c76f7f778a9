"""Results: kept as NDJSON, one file a section, and written as tables and plots from there.

A row is {"cells": {heading: text, …}, "data": {…numbers…}, "command": …}, and where a goal is set "goal": {"name", "share"}:
what was reached as a share of the target, 1 and more being good.
"""

import json
import re
import shutil
import subprocess
from pathlib import Path

from harness import machine, median, spread, today


def row(what, cells, command, data=None, share=None):
    result = {"cells": {"what": what} | cells, "data": data or {}, "command": command}
    if share is not None:
        result["goal"] = {"name": what, "share": share}
    return result


def ratio_row(what, ours, theirs, name, target, command, unit="s", note="", higher=False, data=None):
    """Both sides' medians and their ratio; `higher` where more of the unit is better."""
    a, b = median(ours), median(theirs)
    ratio = a / b if higher else b / a
    cells = {
        "here": f"{number(a)} {unit}",
        "there": f"{number(b)} {unit}, {name}" + (f" ({note})" if note else ""),
        "ratio": f"{number(ratio)} ×",
        "target": f"{target} ×",
        "spread": "one run" if len(ours) == 1 else f"{spread(ours):.0%}, {spread(theirs):.0%}",
    }
    kept = {"here": ours, "there": theirs, "unit": unit, "ratio": ratio, "target": target}
    return row(what, cells, command, kept | (data or {}), ratio / target)


def number(value):
    """Three digits."""
    if value >= 100:
        return f"{value:,.0f}"
    return f"{value:.3g}" if value >= 1 else f"{value:.2g}"


def keep(bench, section, rows):
    if not rows:
        return
    lines = [json.dumps(row | {"section": section, "date": today(), "machine": machine()}) for row in rows]
    (bench.out / f"{section}.ndjson").write_text("".join(line + "\n" for line in lines), encoding="utf-8")


def write(bench, sections):
    """Brings every section's table in BENCHMARKS.md up to its results; sections without results stay as they are."""
    target = Path("BENCHMARKS.md")
    text = target.read_text(encoding="utf-8")
    goals = []
    for section in sections:
        path = bench.out / f"{section}.ndjson"
        if not path.exists():
            continue
        rows = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
        goals += [row["goal"] for row in rows if "goal" in row]
        marked = re.compile(f"(<!-- bench:{section} -->\n).*?(<!-- /bench -->)", re.DOTALL)
        table = markdown(rows)
        if not marked.search(text):
            raise SystemExit(f"bench: BENCHMARKS.md has no <!-- bench:{section} --> … <!-- /bench -->")
        text = marked.sub(lambda match: match[1] + table + match[2], text)
    folder = bench.out if bench.quick else Path("Benchmarks")
    (bench.out / "BENCHMARKS.md" if bench.quick else target).write_text(text, encoding="utf-8")
    plot(bench, goals, folder / "goals.svg")


def markdown(rows):
    """A table, and under it how its rows were measured: once where all have that in common."""
    # Rows may have cells that others lack.
    headings = list(dict.fromkeys(heading for row in rows for heading in row["cells"]))
    lines = ["| " + " | ".join(headings) + " | measured |", "| " + "--- | " * (len(headings) + 1)]
    for row in rows:
        cells = [str(row["cells"].get(heading, "")).replace("|", "\\|") for heading in headings]
        how = f"{row['date']}, {row['machine']}: `{row['command']}`".replace("|", "\\|")
        lines.append("| " + " | ".join(cells + [how]) + " |")
    return "\n".join(line.rstrip() for line in lines) + "\n"


def plot(bench, goals, target):
    """Bars: how much of every goal was reached."""
    if not goals or not shutil.which("gnuplot"):
        return
    table = bench.out / "goals.tsv"
    names = [goal["name"].replace('"', "'") for goal in goals]
    shares = [goal["share"] for goal in goals]
    table.write_text("".join(f'"{name}"\t{share}\n' for name, share in zip(names, shares)), encoding="utf-8")
    subprocess.run(
        ["gnuplot", "-e", f"input='{table}'; output='{target}'; rows={len(goals)}", "Benchmarks/goals.gnuplot"],
        check=True,
    )
