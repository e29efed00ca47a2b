"""Writes what the clients' checks came to into a document:  table.py RESULTS_FOLDER DOCUMENT NAME…

RESULTS_FOLDER has a file for each name, with the lines that checks.py describes. What is between the two marks in DOCUMENT
is replaced; all else is kept.
"""
import json
import os
import sys

BEGIN = "<!-- begin: written by scripts/test-clients -->\n"
END = "<!-- end -->\n"
# Checks with a column of their own; the others share the last one.
COLUMNS = ["list", "chat", "stream", "unknown model", "wrong key", "tools", "structured", "embeddings"]


class Result:
    def __init__(self, name, lines):
        self.about = {"name": name, "version": "–", "base": "–", "key": "–"}
        self.checks = {}
        self.skipped = None
        for line in lines:
            outcome, _, rest = line.partition(" ")
            if outcome == "about":
                self.about = json.loads(rest)
            elif outcome == "skipped":
                self.skipped = rest
            elif outcome in ("ok", "FAIL"):
                self.checks[rest.partition("\t")[0]] = outcome

    def cell(self, what):
        return {"ok": "yes", "FAIL": "**no**"}.get(self.checks.get(what), "–")

    def row(self):
        if self.skipped:
            return [self.about["name"], "–", *(["–"] * len(COLUMNS)), f"skipped: {self.skipped}"]
        others = [what if outcome == "ok" else f"**not** {what}"
                  for what, outcome in self.checks.items() if what not in COLUMNS]
        return [self.about["name"], self.about["version"], *map(self.cell, COLUMNS), ", ".join(others) or "–"]


def row(cells):
    return "| " + " | ".join(str(cell).replace("|", "\\|") for cell in cells) + " |\n"


def table(heading, rows):
    return row(heading) + row(["---"] * len(heading)) + "".join(map(row, rows))


def read(folder, name):
    with open(os.path.join(folder, name)) as file:
        return Result(name, file.read().splitlines())


def section(results):
    text = table(["client", "base URL", "key"],
                 [[result.about[field] for field in ("name", "base", "key")] for result in results if not result.skipped])
    return text + "\n" + table(["client", "version", *COLUMNS, "also"], [result.row() for result in results])


def main():
    folder, path, *names = sys.argv[1:]
    with open(path) as file:
        before, begin, rest = file.read().partition(BEGIN)
        _, end, after = rest.partition(END)
    if not begin or not end:
        sys.exit(f"{path} has no place for the table: the lines {BEGIN.strip()} and {END.strip()} are missing")
    with open(path, "w") as file:
        file.write(before + BEGIN + "\n" + section([read(folder, name) for name in names]) + "\n" + END + after)


main()
