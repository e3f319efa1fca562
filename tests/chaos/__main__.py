"""``python -m tests.chaos``: many scenarios, one after the other; exit status 1 where one ended otherwise.

Told are, of each kind of scenario: how many ended as the undisturbed run (digest, quality, bytes, updates,
and every byte of the records); turns of clients that are missing from the records, or in them twice;
and runs that said all was well and had another result.
"""

import argparse
import subprocess
import sys
import tempfile
from collections import Counter, defaultdict
from pathlib import Path

import pyarrow.parquet as pq

from tests.chaos.scenarios import COUNTED, carried_out, scenario, undisturbed

COLUMNS = ("scenarios", "as undisturbed", "lost", "doubled", "silent")


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--scenarios", type=int, default=50)
    parser.add_argument("--first", type=int, default=0, help="seed of the first")
    parser.add_argument("--serial", action="store_true", default=None, help="runs in one process only")
    asked = parser.parse_args()
    whole, kinds = {}, defaultdict(Counter)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for seed in range(asked.first, asked.first + asked.scenarios):
            one = scenario(seed, asked.serial)
            if one.schedule not in whole:
                whole[one.schedule] = undisturbed(one.schedule, folder)
            found = outcome(one, folder, whole[one.schedule])
            kinds[one.kind].update(found)
            say(f"{'ok   ' if found['as undisturbed'] else 'WRONG'} {one}")
    say(table(kinds))
    sys.exit(any(found["as undisturbed"] < found["scenarios"] for found in kinds.values()))


def outcome(one, folder, whole):
    """What came of a scenario, as numbers to add up."""
    found = Counter(scenarios=1)
    try:
        summary, out = carried_out(one, folder)
    except (AssertionError, subprocess.TimeoutExpired) as error:
        say(str(error))  # not silent
        return found
    expected, records = folder / f"whole {one.schedule}" / "records.parquet", out / "records.parquet"
    same = {key: summary[key] for key in COUNTED} == {key: whole[key] for key in COUNTED}
    good = same and records.read_bytes() == expected.read_bytes()
    ours, theirs = turns(records), turns(expected)
    return found + Counter(
        {
            "as undisturbed": int(good),
            "lost": (theirs - ours).total(),
            "doubled": (ours - theirs).total(),
            "silent": int(not good),
        }
    )


def turns(path):
    """How often the records have each turn of a client."""
    read = pq.read_table(path, columns=["kind", "client", "turn"])
    return Counter(
        (client, turn)
        for kind, client, turn in zip(*(column.to_pylist() for column in read.columns), strict=True)
        if kind == "turn"
    )


def table(kinds):
    """Of Markdown: a row for each kind of scenario, and one for all."""
    rows = [(kind, *(found[column] for column in COLUMNS)) for kind, found in sorted(kinds.items())]
    rows.append(("all", *(sum(found[column] for found in kinds.values()) for column in COLUMNS)))
    lines = [("killed", *COLUMNS), ["---"] * (1 + len(COLUMNS)), *rows]
    return "\n".join("| " + " | ".join(map(str, line)) + " |" for line in lines)


def say(line):
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
