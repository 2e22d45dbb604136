"""Measurements. Each figure is printed beside its floor, measured in the same run."""
