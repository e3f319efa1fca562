"""``python -m tests.chaos``: many scenarios, one after the other; exit status 1 where one ended otherwise."""

import argparse
import sys
import tempfile
from pathlib import Path

from tests.chaos.scenarios import COUNTED, carried_out, scenario, undisturbed


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--scenarios", type=int, default=50)
    parser.add_argument("--first", type=int, default=0, help="seed of the first")
    parser.add_argument("--serial", action="store_true", default=None, help="runs in one process only")
    asked = parser.parse_args()
    wrong, whole = 0, {}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for seed in range(asked.first, asked.first + asked.scenarios):
            one = scenario(seed, asked.serial)
            if one.schedule not in whole:
                whole[one.schedule] = undisturbed(one.schedule, folder)
            summary, _ = carried_out(one, folder)
            good = all(summary[key] == whole[one.schedule][key] for key in COUNTED)
            wrong += not good
            sys.stdout.write(f"{'ok   ' if good else 'WRONG'} {one}\n")
            sys.stdout.flush()
    sys.stdout.write(f"{asked.scenarios} scenarios, {wrong} wrong\n")
    sys.exit(wrong > 0)


if __name__ == "__main__":
    main()
