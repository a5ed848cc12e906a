"""Data analysis: a CSV goes into a sandbox, a program works on it there, a report and a chart come back.

    ./stacyvm serve                                  # in another terminal
    python examples/data-analysis/main.py [FOLDER]   # where the chart goes; default: a temporary one
"""

import json
import os
import sys
import tempfile
from pathlib import Path

from stacyvm import Client

here = Path(__file__).parent
target = Path(sys.argv[1] if len(sys.argv) > 1 else tempfile.mkdtemp())

with Client(os.environ.get("STACYVM_URL", "http://localhost:7423"), os.environ.get("STACYVM_API_KEY")) as client:
    with client.spawn(ttl="10m") as sandbox:
        sandbox.upload(here / "sales.csv", "/workspace/sales.csv")
        sandbox.upload(here / "analysis.py", "/workspace/analysis.py")
        run = sandbox.exec_stream("python3 analysis.py", timeout="1m")
        for chunk in run:
            print(chunk.data, end="", file=sys.stderr if chunk.stream == "stderr" else sys.stdout)
        if run.exit_code != 0:
            sys.exit(f"the analysis ended with {run.exit_code}")
        report = json.loads(sandbox.read_file("/workspace/report.json"))
        sandbox.download("/workspace/chart.svg", target / "chart.svg")

for region, amount in report.items():
    print(f"{region:<8}{amount:>12.2f}")
print(f"the chart is in {target / 'chart.svg'}")
