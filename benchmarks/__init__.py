"""Benchmarks: each module without a leading underscore prints a table and is run by ``make bench``."""
