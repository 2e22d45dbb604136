"""dlt reads the parcels and loads them, with the backend that is its fastest. Prints rows and seconds."""

import sys
import time

import dlt
from dlt.sources.sql_database import sql_table

source, target, folder = sys.argv[1:]
table = sql_table(credentials=source, schema="mplis", table="dc_thua_dat", backend="pyarrow", chunk_size=100_000)
pipeline = dlt.pipeline(
    "peer", destination=dlt.destinations.postgres(target), dataset_name="dlt_peer", pipelines_dir=folder
)
began = time.perf_counter()
pipeline.run(table, write_disposition="replace")
seconds = time.perf_counter() - began
rows = pipeline.last_trace.last_normalize_info.row_counts["dc_thua_dat"]
print(rows, seconds)
