"""Writes every golden file anew."""

import shutil
import sys

from tactful.decisions.kernel.decide import KERNEL
from tests.decisions.golden import FOLDER, SNAPSHOTS, decision, explanations, record, unexplained

for case in SNAPSHOTS:
    now = decision(case).as_bytes()
    if record(case).exists() and unexplained(record(case).read_bytes(), now):
        sys.exit(
            f"{case}: decide gives other bytes as kernel {KERNEL}: raise KERNEL in decisions/kernel/decide.py first"
        )

for folder in (path for path in FOLDER.iterdir() if path.is_dir()):
    shutil.rmtree(folder)
for case in SNAPSHOTS:
    record(case).parent.mkdir()
    record(case).write_bytes(decision(case).as_bytes())
    for name, text in explanations(case).items():
        (FOLDER / case / name).write_text(text, encoding="utf-8")
