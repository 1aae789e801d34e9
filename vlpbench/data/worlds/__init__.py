"""Built-in worlds: scenes that are drawn, described and asked about, written once in the formats of real sets."""
