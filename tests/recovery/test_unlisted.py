"""What our own folders say of batches that the database has lost."""

from pathlib import Path

from engine.recovery.unlisted import Folders

BATCH = "ccss_test_letters_20261129_001"


def test_the_vendors_files_in_the_order_in_which_they_are_applied(tmp_path: Path) -> None:
    """An ack, the statuses by their number, the final, and the final that came again with the day
    on which the data was destroyed, whatever its hash; nothing that no vendor sends."""
    names = (
        f"{BATCH}.ack.json.pgp",
        f"{BATCH}.status.001.csv.pgp",
        f"{BATCH}.status.002.csv.pgp",
        f"{BATCH}.final.json.pgp",
        f"0a1b2c3d_{BATCH}.final.json.pgp",
    )
    for name in (*sorted(names), "notes.pgp"):
        (tmp_path / name).write_bytes(b"")
    found = Folders(tmp_path / "outgoing", tmp_path).answered()
    assert {batch: [path.name for path in paths] for batch, paths in found.items()} == {
        BATCH: list(names)
    }
