"""Reads sales.csv, prints what it finds while it works, writes report.json and a page that shows it."""
import csv
import html
import json
import statistics
from collections import defaultdict
from pathlib import Path

here = Path("/workspace")
revenue = defaultdict(float)
orders = []

with open(here / "sales.csv", newline="") as source:
    for row in csv.DictReader(source):
        amount = int(row["units"]) * float(row["price"])
        revenue[row["region"]] += amount
        orders.append(amount)
        print(f"read {row['date']} {row['region']:<6} {row['product']:<9} {amount:10.2f}", flush=True)

report = {
    "orders": len(orders),
    "total": round(sum(orders), 2),
    "median_order": round(statistics.median(orders), 2),
    "by_region": {region: round(amount, 2) for region, amount in sorted(revenue.items())},
}
(here / "report.json").write_text(json.dumps(report, indent=2) + "\n")

rows = "".join(f"<tr><td>{html.escape(r)}</td><td>{a:.2f}</td></tr>" for r, a in report["by_region"].items())
(here / "site").mkdir(exist_ok=True)
(here / "site" / "index.html").write_text(
    f"<!doctype html><title>Sales</title><h1>Sales: {report['total']:.2f}</h1><table>{rows}</table>\n")
print(f"total {report['total']:.2f} in {report['orders']} orders; wrote report.json and site/index.html", flush=True)
