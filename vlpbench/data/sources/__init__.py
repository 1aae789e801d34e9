"""Readers of the file formats that sets come in, one format a file."""
