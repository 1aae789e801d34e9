"""Square patches of a picture, each through two linear layers with a GELU between them."""

from __future__ import annotations

from collections.abc import Sequence

from torch import Tensor, nn
from torch.nn.functional import pixel_unshuffle

from vlpbench.plugin import Size, Stem, hookimpl


class ExampleStem(Stem):
    """Patches of 8 x 8 pixels, or as large as the number behind the colon says: "example-stem:16"."""

    name = "example-stem"
    api_version = 1  # the plugin contract it was written for
    version = 1  # raise it whenever the same settings give other numbers

    def __init__(self, size: Size, pixels: int, argument: str = "") -> None:
        super().__init__(size, pixels, argument)
        said = argument or "8"
        if not said.isdecimal() or not int(said) or pixels % int(said):
            raise ValueError(f"image.size {pixels} cannot be cut into patches of {said} x {said} pixels")
        self.side = int(said)
        self.grid = pixels // self.side, pixels // self.side  # rows and columns of tokens
        self.hidden = nn.Linear(3 * self.side**2, size.width)
        self.out = nn.Linear(size.width, size.width)

    def forward(self, images: Tensor) -> Tensor:
        """B, 3, H, W -> B, P, D, in raster order."""
        patches = pixel_unshuffle(images, self.side).flatten(2).transpose(1, 2)
        return self.out(nn.functional.gelu(self.hidden(patches)))


@hookimpl
def vlpbench_stems() -> Sequence[type[Stem]]:
    """What this plugin brings."""
    return [ExampleStem]
