"""How large backbones are: small to huge as SimVLM's (arXiv 2108.10904, appendix B), nano and tiny for small machines.

SimVLM takes the first stages of ResNet-101 (base), ResNet-152 (large) and a wider ResNet-152 (huge); it does not say
which net its small model takes, so that is ResNet-101's here.
"""

from __future__ import annotations

from vlpbench.plugin import Size

__all__ = ["SIZES"]

_RESNET = (256, 512, 1024, 2048)

SIZES: dict[str, Size] = {
    size.name: size
    for size in (
        Size("nano", 96, 4, 1, 2, (1, 1, 1, 1), (24, 48, 96, 192), False, False, True, 0.2, 1.0),
        Size("tiny", 192, 6, 3, 3, (2, 2, 2, 2), (48, 96, 192, 384), False, False, False, 0.1, 0.5),
        Size("small", 512, 8, 8, 8, (3, 4, 23, 3), _RESNET, True, True, False, 0.02, 0.02),
        Size("base", 768, 12, 12, 12, (3, 4, 23, 3), _RESNET, True, True, False, 0.02, 0.02),
        Size("large", 1024, 16, 24, 24, (3, 8, 36, 3), _RESNET, True, True, False, 0.02, 0.02),
        Size("huge", 1280, 16, 32, 32, (3, 8, 36, 3), (512, 1024, 2048, 4096), True, True, False, 0.02, 0.02),
    )
}
