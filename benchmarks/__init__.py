"""Measurements. They print ratios inside one run; they never assert a time."""
