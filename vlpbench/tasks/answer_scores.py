"""How likely each answer of one long list is, for every row: the list is a tree, walked over cached keys and values.

3,129 answers of VQA begin with far fewer words than they have; each beginning is read once for a row.
Axes: B rows, A answers, L words of an answer, E nodes of the tree, k nodes read at a time, V words.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from vlpbench.contract.abilities import Backbone, Context, DecodingState, TextState
from vlpbench.tasks.answer_trie import AnswerTrie
from vlpbench.tasks.likelihood import shared_out, trimmed

__all__ = ["answer_scores"]


@torch.no_grad()
def answer_scores(
    backbone: Backbone, context: Context, answers: TextState, start: list[int], block: int = 2048,
    per_token: bool = False,
) -> Tensor:
    """B, A: log P of each answer (A, L: words, then EOS, right-padded), the same list for all rows of the context.

    `start` is BOS and the words of a prompt, read once a row. `per_token` divides by the number of words, the end
    included. At most `block` words (rows times answers) are read at a time, so B, A, V never exists; it changes speed
    and memory, not the scores. An answer without any word gets minus infinity.
    """
    tokens, mask = trimmed(answers, "answers")
    if not start:
        raise ValueError("a start has BOS at least")
    trie = AnswerTrie.of(tokens.cpu().numpy(), mask.cpu().numpy())
    paths = torch.from_numpy(trie.paths).to(context.memory.device)
    rows, scores = len(context.memory), []
    for low in range(0, rows, block):
        index = torch.arange(low, min(low + block, rows), device=context.memory.device)
        walk = _Walk.begin(backbone, context if len(index) == rows else context.rows(index), trie, start, block)
        nodes = torch.nn.functional.pad(walk.scores, (0, 1))  # what is no word adds nothing
        total = nodes.new_zeros(len(index), len(paths))
        for column in paths.T:  # B, A, L need not exist
            total += nodes[:, column]
        scores.append(total)
    whole = torch.cat(scores) if scores else torch.zeros(0, len(tokens), device=context.memory.device)
    return shared_out(whole, mask.sum(1), per_token)


@dataclass
class _Walk:
    """One walk over the whole tree, for some rows."""

    backbone: Backbone
    trie: AnswerTrie
    rows: int
    """B."""
    most: int
    """Nodes of one row that are read at a time."""
    scores: Tensor
    """B, E: log P of each node's word, given those before it."""

    @classmethod
    def begin(cls, backbone: Backbone, context: Context, trie: AnswerTrie, start: list[int], block: int) -> _Walk:
        """Read the prompt, then the tree."""
        rows, device = len(context.memory), context.memory.device
        walk = cls(
            backbone, trie, rows, max(1, block // rows),
            torch.zeros(rows, trie.nodes, device=device),
        )
        if trie.levels:
            state = backbone.begin(context, 1, len(start) + len(trie.levels) - 1)
            logits = torch.empty(0)
            for word in start:
                logits = backbone.step(state, torch.full((rows, 1), word, device=device))
            walk.visit(state, logits, torch.zeros(1, dtype=torch.long), 0)
        return walk

    def visit(self, state: DecodingState, logits: Tensor, above: Tensor, level: int) -> None:
        """Score the nodes of a level below the nodes `above` (k, numbers within their own level, on the host).

        `logits` (B, k, V) follow the nodes `above`; those that answers go on from are read in turn, `most` at a time.
        """
        nodes, device = self.trie.levels[level], logits.device
        children = [self.trie.below(level, int(one), int(one) + 1) for one in above]
        number = torch.cat([torch.arange(part.start, part.stop) for part in children])
        beam = torch.cat([torch.full((part.stop - part.start,), at) for at, part in enumerate(children)])
        word = torch.from_numpy(nodes.word)[number]
        here = beam.to(device), word.to(device)
        self.scores[:, (number + nodes.first).to(device)] = logits[:, *here] - logits.logsumexp(2)[:, here[0]]
        inner = torch.from_numpy(nodes.inner)[number].nonzero()[:, 0]
        del logits
        for some in inner.split(self.most) if len(inner) else ():  # nothing would be split into one piece of nothing
            onto = state.going_on(here[0][some.to(device)].expand(self.rows, -1))
            read = here[1][some.to(device)].expand(self.rows, -1)
            self.visit(onto, self.backbone.step(onto, read), number[some], level + 1)
