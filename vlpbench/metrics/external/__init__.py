"""Metrics that need a program in Java: each runs in a subprocess with a time limit, and says why where it cannot."""
