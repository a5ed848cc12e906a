from __future__ import annotations

import asyncio
import hashlib
import io
from typing import Any

import pytest

from conftest import Site, scenario
from stacyvm import NotFound, StacyVMError


@scenario
async def test_text_files_come_back_unchanged(site: Site, client: Any) -> None:
    text = 'Grüße, 世界, 🙂\n\ttab and \\ and "quotes"\n'
    async with await site.spawn(client) as sandbox:
        await sandbox.write_file("/workspace/new/deep/näme.txt", text)
        assert await sandbox.read_file("/workspace/new/deep/näme.txt") == text
        await sandbox.write_file("/workspace/run.sh", "echo hi", "0755")
        assert (await sandbox.stat_file("/workspace/run.sh")).mode == "0755"
        assert (await sandbox.exec("./run.sh")).stdout == "hi\n"


@scenario
async def test_bytes_come_back_unchanged(site: Site, client: Any) -> None:
    data = bytes(range(256)) * 3
    async with await site.spawn(client) as sandbox:
        await sandbox.write_bytes("/workspace/data.bin", data)
        assert await sandbox.read_bytes("/workspace/data.bin") == data
        assert await sandbox.read_bytes("/workspace/data.bin", 250, 12) == data[250:262]
        assert await sandbox.read_bytes("/workspace/data.bin", 250) == data[250:]
        assert await sandbox.read_bytes("/workspace/data.bin", 10_000, 5) == b""


@scenario
async def test_large_files_are_streamed(site: Site, client: Any) -> None:
    piece = bytes(range(256)) * 4096
    sent = hashlib.sha256()

    def pieces() -> Any:
        for number in range(24):
            part = number.to_bytes(4, "big") + piece[4:]
            sent.update(part)
            yield part

    async with await site.spawn(client) as sandbox:
        await sandbox.upload(pieces(), "/workspace/large.bin")
        inside = (await sandbox.exec("sha256sum large.bin")).stdout.split()[0]
        received = hashlib.sha256()
        size = 0
        async with sandbox.open_read("/workspace/large.bin") as file:
            while part := await file.read(1_000_000):
                received.update(part)
                size += len(part)
        assert size == 24 * len(piece)
        assert sent.hexdigest() == inside == received.hexdigest()
        copy = io.BytesIO()
        await sandbox.download("/workspace/large.bin", copy)
        assert hashlib.sha256(copy.getvalue()).hexdigest() == inside


@scenario
async def test_missing_file_is_not_found(site: Site, client: Any) -> None:
    async with await site.spawn(client) as sandbox:
        for call in (sandbox.read_file, sandbox.read_bytes, sandbox.stat_file, sandbox.list_files, sandbox.delete_file):
            with pytest.raises(NotFound) as caught:
                await call("/workspace/missing")
            assert caught.value.code == "NOT_FOUND" and "/workspace/missing" in caught.value.message


@scenario
async def test_directories_are_listed_and_searched(site: Site, client: Any) -> None:
    async with await site.spawn(client) as sandbox:
        await sandbox.make_directory("/workspace/tree/sub")
        await sandbox.write_file("/workspace/tree/b.txt", "12345")
        await sandbox.write_file("/workspace/tree/sub/a.txt", "")
        entries = await sandbox.list_files("/workspace/tree")
        assert [(e["name"], e.path, e.is_dir) for e in entries] == [
            ("b.txt", "/workspace/tree/b.txt", False),
            ("sub", "/workspace/tree/sub", True),
        ]
        assert entries[0]["size"] == 5 and entries[0].type == "file" and entries[0].mode == "0644"
        assert (await sandbox.stat_file("/workspace/tree")).is_dir
        found = await sandbox.glob_files("/workspace/tree/**/*.txt")
        assert sorted(found) == ["/workspace/tree/b.txt", "/workspace/tree/sub/a.txt"]
        assert await sandbox.glob_files("/workspace/tree/*.none") == []


@scenario
async def test_files_are_moved_changed_and_deleted(site: Site, client: Any) -> None:
    async with await site.spawn(client) as sandbox:
        await sandbox.write_file("/workspace/old.txt", "x")
        await sandbox.move_file("/workspace/old.txt", "/workspace/there/new.txt")
        await sandbox.chmod_file("/workspace/there/new.txt", "600")
        assert (await sandbox.stat_file("/workspace/there/new.txt")).mode == "0600"
        with pytest.raises(StacyVMError) as caught:
            await sandbox.delete_file("/workspace/there")
        assert caught.value.code == "CONFLICT" and caught.value.status_code == 409
        await sandbox.delete_file("/workspace/there/new.txt")
        await sandbox.write_file("/workspace/there/again.txt", "x")
        await sandbox.delete_file("/workspace/there", recursive=True)
        for path in ("/workspace/old.txt", "/workspace/there"):
            with pytest.raises(NotFound):
                await sandbox.stat_file(path)


@scenario
async def test_many_sandboxes_at_once(site: Site, client: Any) -> None:
    async def one(number: int) -> str:
        async with await site.spawn(client) as sandbox:
            assert (await sandbox.exec(f"echo {number}")).stdout == f"{number}\n"
            await sandbox.write_file("/workspace/number", str(number))
            assert await sandbox.read_file("/workspace/number") == str(number)
            return str(sandbox.id)

    ids = await asyncio.gather(*(one(number) for number in range(8)))
    assert len(set(ids)) == 8
    assert not set(ids) & {info.id for info in await client.list()}
