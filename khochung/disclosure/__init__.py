"""Nobody's secret goes out: how counts are protected, what was ever released, and what all of it together gives away."""
