"""The contract between the house and what plugs into it: objectives, backbones, data sets. `vlpbench.plugin` is its door."""
