"""Keys and values of what has been said so far: written where there is room, never moved.

`Past` grows word by word and shows no more than was written, which is least to compute. `FixedPast` shows all of its
room at every step, so that no shape ever changes: what a graph of a GPU needs, and no gain elsewhere.
Axes: B batch, N heads, F places written, k beams, H width of a head.
"""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor

from vlpbench.parts.attention import Keys

__all__ = ["FixedPast", "Past"]


@dataclass
class _Room:
    """Tensors with places to write to, which several pasts may share."""

    keys: Tensor
    """B, N, room, H."""
    values: Tensor
    """B, N, room, H."""
    taken: int
    """Places written by anybody."""


class Past:
    """What one layer's positions to come may look at.

    All beams of a row write into the same places and a mask says which of them each beam sees, so a search that goes on
    from other beams moves nothing, and k beams are k queries of one attention. Where two go on from the same past, the
    first that writes takes the room and the other a copy.
    """

    def __init__(self, ahead: int, before: Keys | None = None) -> None:
        """For `ahead` positions to come of each beam, behind the keys `before` (B, N, F, H) that all of them share."""
        self._ahead = ahead
        self._filled = 0 if before is None else before[0].shape[2]
        self._room = None if before is None else _Room(*before, self._filled)

    def grow(self, new: Keys) -> Keys:
        """Write keys and values of one more position of each beam (B, N, k, H); all of them so far (B, N, F, H)."""
        many = new[0].shape[2]
        until, room = self._filled + many, self._room
        if room is None or room.taken != self._filled or room.keys.shape[2] < until:
            room = self._moved(new, self._filled + max(1, self._ahead) * many)
        room.keys[:, :, self._filled : until] = new[0]
        room.values[:, :, self._filled : until] = new[1]
        room.taken = until
        self._room, self._filled, self._ahead = room, until, self._ahead - 1
        return room.keys[:, :, :until], room.values[:, :, :until]

    def written(self) -> Keys:
        """All so far (B, N, F, H); ValueError where nothing was written yet."""
        if self._room is None:
            raise ValueError("nothing was written yet")
        return self._room.keys[:, :, : self._filled], self._room.values[:, :, : self._filled]

    def _moved(self, like: Keys, places: int) -> _Room:
        """The same in a room of so many places."""
        rows, heads, _, width = like[0].shape
        keys, values = (part.new_empty(rows, heads, places, width) for part in like)
        if self._room is not None:
            keys[:, :, : self._filled] = self._room.keys[:, :, : self._filled]
            values[:, :, : self._filled] = self._room.values[:, :, : self._filled]
        return _Room(keys, values, self._filled)

    def rows(self, index: Tensor | None) -> Past:
        """A past of its own for some rows (N indices), or for all of them, which copies nothing until both write."""
        picked = Past(self._ahead)
        picked._filled, picked._room = self._filled, self._room
        if index is not None and self._room is not None:
            picked._room = _Room(self._room.keys[index], self._room.values[index], self._filled)
        return picked


class FixedPast:
    """What one layer's positions to come may look at, in a room for all of them that is there from the start.

    Each step writes where `places` says and shows the whole room; a mask must hide what was not written yet.
    """

    def __init__(self, room: Keys, places: Tensor) -> None:
        """`room`: B, N, F, H each, and no NaN in it; `places` (k): where the next position of each beam goes, which
        whoever shares the tensor moves on between steps.
        """
        self.room, self._places = room, places

    @classmethod
    def like(cls, written: Keys, rows: int, ahead: int, places: Tensor) -> FixedPast:
        """Room for what `written` (any rows) has and for `ahead` places more, for `rows` rows; zeros everywhere."""
        _, heads, filled, width = written[0].shape
        keys, values = (part.new_zeros(rows, heads, filled + ahead, width) for part in written)
        return cls((keys, values), places)

    def grow(self, new: Keys) -> Keys:
        """Write keys and values of one more position of each beam (B, N, k, H); the whole room (B, N, F, H)."""
        for room, part in zip(self.room, new, strict=True):
            room.index_copy_(2, self._places, part.to(room.dtype))
        return self.room

    def begin(self, written: Keys) -> None:
        """Start behind what other rows have written (n, N, f, H): the first n rows' first f places."""
        for room, part in zip(self.room, written, strict=True):
            room[: len(part), :, : part.shape[2]] = part

    def front(self, rows: int) -> FixedPast:
        """The first rows, in the same room."""
        return FixedPast((self.room[0][:rows], self.room[1][:rows]), self._places)
