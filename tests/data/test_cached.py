"""What files in the cache have in common: checksums that see damage, one maker at a time."""

from __future__ import annotations

import threading
import time

from vlpbench.data.cached import checksum, turn


def test_checksum_of_a_large_file_looks_at_both_ends(tmp_path, monkeypatch):
    monkeypatch.setattr("vlpbench.data.cached._BLOCK", 16)
    path = tmp_path / "large"
    path.write_bytes(bytes(16 * 900 + 5))
    base = checksum(path)
    for place in (0, 16 * 900 + 4):
        with path.open("r+b") as file:
            file.seek(place)
            file.write(b"\1")
        changed = checksum(path)
        assert changed != base
        base = changed


def test_a_file_that_lost_its_end_has_another_checksum(tmp_path):
    path = tmp_path / "short"
    path.write_bytes(bytes(64))
    before = checksum(path)
    path.write_bytes(bytes(63))
    assert checksum(path) != before
    path.write_bytes(b"")
    assert isinstance(checksum(path), int)


def test_one_at_a_time_and_what_the_killed_left_is_gone(tmp_path):
    path, said = tmp_path / "new" / "array.npy", []
    path.parent.mkdir()
    (path.parent / ".array.npy.12345678.npy").write_bytes(b"half")

    def make(name):
        with turn(path):
            said.append(name)
            time.sleep(0.05)
            said.append(name)

    both = [threading.Thread(target=make, args=(name,)) for name in "ab"]
    for thread in both:
        thread.start()
    for thread in both:
        thread.join()
    assert "".join(said) in ("aabb", "bbaa")
    assert not list(path.parent.glob(".array*"))
