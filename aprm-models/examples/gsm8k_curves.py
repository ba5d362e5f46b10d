"""How far two curves of losses are apart; it fails where that is more than 1 %.

python aprm-models/examples/gsm8k_curves.py ours.csv pytorch.csv
"""

import csv
import sys

ours, theirs = ([float(row["loss"]) for row in csv.DictReader(open(path))] for path in sys.argv[1:])
if not ours or len(ours) != len(theirs):
    sys.exit(f"{len(ours)} steps and {len(theirs)}")
differences = [abs(a - b) / b for a, b in zip(ours, theirs)]
worst = max(range(len(ours)), key=differences.__getitem__)
print(f"{len(ours)} steps, losses from {theirs[0]:.4f} to {theirs[-1]:.4f}")
print(f"largest relative difference {differences[worst]:.2e}, at step {worst}: {ours[worst]:.6f} and {theirs[worst]:.6f}")
for end in sorted({1, len(ours) // 3, 2 * len(ours) // 3, len(ours)}):
    print(f"  up to step {end - 1}: {max(differences[:end]):.2e}")
if not max(differences) <= 0.01:
    sys.exit("over 1 %")
