"""BERT's block against torch's own post-norm layer, whose key bias is set to zero."""

from __future__ import annotations

import torch
from torch import nn

from vlpbench.parts.masks import padding
from vlpbench.parts.post_norm import BERT_EPS, PostNormBlock


def test_it_is_torchs_post_norm_layer():
    torch.manual_seed(0)
    mine = PostNormBlock(16, 4).eval()
    theirs = nn.TransformerEncoderLayer(16, 4, 64, 0.0, "gelu", BERT_EPS, batch_first=True, norm_first=False).eval()
    with torch.no_grad():
        for parameter in mine.parameters():
            parameter += 0.3 * torch.randn(parameter.shape)
        three = (mine.attention.query, mine.attention.key, mine.attention.value)
        theirs.self_attn.in_proj_weight.copy_(torch.cat([one.weight for one in three]))
        theirs.self_attn.in_proj_bias.copy_(
            torch.cat([mine.attention.query.bias, torch.zeros(16), mine.attention.value.bias]))
        for ours, torchs in ((mine.attention.out, theirs.self_attn.out_proj), (mine.attention_norm, theirs.norm1),
                             (mine.mlp[0], theirs.linear1), (mine.mlp[2], theirs.linear2),
                             (mine.mlp_norm, theirs.norm2)):
            torchs.load_state_dict(ours.state_dict())
        x, present = torch.randn(3, 5, 16), torch.arange(5) < torch.tensor([[5], [3], [1]])
        expected = theirs(x, src_key_padding_mask=~present)
        found = mine(x, padding(present))
    assert torch.allclose(found[present], expected[present], atol=1e-5)
    assert {norm.eps for norm in (mine.attention_norm, mine.mlp_norm)} == {1e-12}
