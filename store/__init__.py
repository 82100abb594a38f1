"""Bytes, refs and rows. Knows nothing of loops, diffs or reports."""
