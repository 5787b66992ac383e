#!/usr/bin/python3
"""Makes incidents.csv and area.geojson: seeded, invented. Prints nothing.

expected.json was made from them by the numpy reference of the back-test; each
case has its command there.
"""
import csv
import datetime
import json
import random

random.seed(20260301)
centres = [(random.uniform(110.02, 110.18), random.uniform(1.02, 1.18), random.uniform(0.002, 0.012)) for _ in range(7)]
rows = []
for i in range(900):
    lon, lat, sd = random.choice(centres)
    if random.random() < 0.25:
        lon, lat = random.uniform(110.0, 110.2), random.uniform(1.0, 1.2)
    else:
        lon, lat = random.gauss(lon, sd), random.gauss(lat, sd)
    day = datetime.date(2024, 1, 1) + datetime.timedelta(days=random.randrange(730))
    rows.append((f"p{i}", f"{day}T{random.randrange(24):02d}:00", f"{lon:.5f}", f"{lat:.5f}",
                 f"{(lon - 110) * 364000:.0f}", f"{(lat - 1) * 363000:.0f}", random.choice(["land", "sea", "sea"])))
with open("incidents.csv", "w", newline="") as f:
    out = csv.writer(f, lineterminator="\n")
    out.writerow(["id", "datetime", "lon", "lat", "x_ft", "y_ft", "category"])
    out.writerows(rows)
outer = [[110.0, 1.0], [110.2, 1.01], [110.19, 1.2], [110.05, 1.19], [110.0, 1.0]]
hole = [[110.08, 1.05], [110.1, 1.05], [110.1, 1.09], [110.08, 1.09], [110.08, 1.05]]
json.dump({"type": "FeatureCollection", "features": [
    {"type": "Feature", "properties": {}, "geometry": {"type": "Polygon", "coordinates": [outer, hole]}}]}, open("area.geojson", "w"))
