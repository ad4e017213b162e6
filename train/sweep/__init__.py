"""The table of families and fusions, trained row after row."""
