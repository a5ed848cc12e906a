"""Runs inside the sandbox: sales.csv in, report.json and chart.svg out."""
import csv
import json
from collections import defaultdict

revenue: "dict[str, float]" = defaultdict(float)
with open("sales.csv", newline="") as source:
    for row in csv.DictReader(source):
        revenue[row["region"]] += int(row["units"]) * float(row["price"])
        print(f"read {row['date']} {row['region']}", flush=True)

report = {region: round(amount, 2) for region, amount in sorted(revenue.items())}
with open("report.json", "w") as target:
    json.dump(report, target)

largest = max(report.values())
bars = "".join(
    f'<text x="0" y="{20 * i + 14}">{region}</text>'
    f'<rect x="80" y="{20 * i}" width="{300 * amount / largest:.0f}" height="16" fill="steelblue"/>'
    for i, (region, amount) in enumerate(report.items())
)
with open("chart.svg", "w") as target:
    target.write(f'<svg xmlns="http://www.w3.org/2000/svg" width="400" height="{20 * len(report)}">{bars}</svg>')
