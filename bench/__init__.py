"""Benchmarks: each prints what it ran and ratios measured side by side in one run."""
