"""The database remembers which keys sealed it: a changed or newly made key stops start-up."""

from pathlib import Path

import asyncpg

from shared.security.keys import HELD_BY, KeyLost, fingerprints


async def check_keys(directory: asyncpg.Pool, folder: Path, service: str) -> None:
    """Compare the keys of `service` with those remembered; raises KeyLost."""
    known = {row["name"]: row["fingerprint"] for row in await directory.fetch("SELECT * FROM key_fingerprint")}
    ours = fingerprints(folder, HELD_BY[service])
    changed = [name for name in HELD_BY[service] if name in known and known[name] != ours.get(name)]
    if changed:
        raise KeyLost(f"密钥 {'、'.join(changed)} 与数据库加密时使用的不一致；请恢复原密钥文件")


async def remember_keys(connection: asyncpg.Connection, folder: Path) -> None:
    """Write down the keys a new database is sealed with; keys known already stay as they are."""
    await connection.executemany(
        "INSERT INTO directory.key_fingerprint (name, fingerprint) VALUES ($1, $2) ON CONFLICT DO NOTHING",
        list(fingerprints(folder).items()),
    )
