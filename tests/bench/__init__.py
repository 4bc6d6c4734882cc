"""Measurements: each `bench_<name>.py` has `main(quick) -> {"name", "rows": [{"what", "value", "unit"}]}`."""
