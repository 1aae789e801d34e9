"""The contract between the house and what plugs into it. `vlpbench.plugin` is its door."""
