"""Torch blocks that know no vlpbench type: each could be pasted into another project."""
