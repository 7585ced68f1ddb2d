"""``python -m tools.flood [SIGN_INS]``: the flood of 5,000; writes the plot to docs/flood.svg and prints the figures."""

import os
import sys

from sandbox.repository import ROOT
from sandbox.world import Sandbox
from tests.support.sandbox_app import PARAMETERS, QUICK
from tools.flood import flood

os.environ["POWERTOOLS_METRICS_NAMESPACE"] = "Tripod"  # as in Lambda: a hundred counts are written out at once
with Sandbox(parameters=PARAMETERS, settings=QUICK, streams=False) as sandbox:
    came = flood.run(sandbox, int((sys.argv[1:] or ["5000"])[0]), per_second=500)
(ROOT / "docs" / "flood.svg").write_text(flood.svg(came))
most = max(owed for *_, owed in came.curve)
print(f"{came.completed} sign-ins completed at 500 a second, {came.refused} refused, {came.throttled} creations throttled")
print(f"{most} tokens owed at most, nothing after {came.drained_after:.0f} s, {came.lost} lost")
sys.exit(bool(came.refused or came.lost or not came.completed))
