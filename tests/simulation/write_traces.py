"""Write the golden traces: ``python -m tests.simulation.write_traces``, from the root of the checkout.

Only where the order or the time of events was meant to change: then published results change, too.
"""

import csv

from tests.simulation.test_golden_traces import COLUMNS, GOLDEN, TRACES, opening


def main():
    GOLDEN.mkdir(parents=True, exist_ok=True)
    for name, settings in TRACES.items():
        with (GOLDEN / f"{name}.csv").open("w", encoding="utf-8", newline="") as file:
            csv.writer(file, lineterminator="\n").writerows([COLUMNS, *opening(*settings)])


if __name__ == "__main__":
    main()
