"""The command line: one thin, lazily loaded file a group of commands. Parse, call one function, print."""

from __future__ import annotations
