from __future__ import annotations

import io
import tarfile
import uuid
from typing import Any

import pytest

from conftest import Site, scenario
from stacyvm import NotFound, StacyVMError


@scenario
async def test_checkpoints_carry_files_to_new_sandboxes(site: Site, client: Any) -> None:
    name = f"scenario-{uuid.uuid4().hex[:12]}"
    async with await site.spawn(client, metadata={"task": "7"}) as parent:
        await parent.write_file("/workspace/kept.txt", "kept")
        made = await parent.checkpoint(name)
        assert (made.name, made.state, made.provider, made.sandbox_id) == (name, "ready", site.level, parent.id)
        assert name in [one.name for one in await client.checkpoints.list()]
        assert (await client.checkpoints.get(name)).id == made.id
        with pytest.raises(StacyVMError) as taken:
            await parent.checkpoint(name)
        assert taken.value.code == "CONFLICT"
        async with await client.spawn(checkpoint=name, ttl="5m") as child:
            assert await child.read_file("/workspace/kept.txt") == "kept"
            info = child.info
            assert (info.checkpoint, info.parent_sandbox, info.metadata["task"]) == (name, parent.id, "7")
            await client.checkpoints.delete(name)
            assert (await child.exec("cat kept.txt")).stdout == "kept"
    with pytest.raises(NotFound):
        await client.checkpoints.get(name)


@scenario
async def test_forks_begin_alike_and_go_apart(site: Site, client: Any) -> None:
    async with await site.spawn(client) as parent:
        await parent.write_file("/workspace/shared.txt", "same")
        fork = await parent.fork(2, ttl="5m", metadata={"of": "fork"})
        assert len({copy.id for copy in fork.sandboxes} | {parent.id}) == 3 and fork.failures == []
        for copy in fork.sandboxes:
            assert await copy.read_file("/workspace/shared.txt") == "same"
            assert (copy.info.parent_sandbox, copy.info.metadata["of"]) == (parent.id, "fork")
            await copy.write_file("/workspace/shared.txt", copy.id)
        for copy in fork.sandboxes:
            assert await copy.read_file("/workspace/shared.txt") == copy.id
            await copy.destroy()
        assert await parent.read_file("/workspace/shared.txt") == "same"


@scenario
async def test_paused_sandboxes_stand_still(site: Site, client: Any) -> None:
    async with await site.spawn(client) as sandbox:
        await sandbox.pause()
        assert sandbox.state == "paused"
        with pytest.raises(StacyVMError) as refused:
            await sandbox.exec("true")
        assert refused.value.code == "CONFLICT" and "resume" in str(refused.value)
        await sandbox.resume()
        assert sandbox.state == "running"
        assert (await sandbox.exec("echo on")).stdout == "on\n"


@scenario
async def test_images_are_imported_and_removed(site: Site, client: Any) -> None:
    name = f"scenario-{uuid.uuid4().hex[:12]}:1"
    archive = io.BytesIO()
    with tarfile.open(fileobj=archive, mode="w") as tar:
        entry = tarfile.TarInfo("etc/motd")
        entry.size = len(name)
        tar.addfile(entry, io.BytesIO(name.encode()))
    archive.seek(0)
    async with site.client(admin_api_key=site.admin_key) as admin:
        imported = await admin.images.import_archive(archive, name)
        assert [image.names for image in imported] == [[name]]
        assert name in [one for image in await admin.images.list() for one in image.names]
        image = await admin.images.get(name)
        assert (image.digest, image.layers) == (imported[0].digest, 1)
        with pytest.raises(StacyVMError) as refused:
            await admin.images.pull("127.0.0.1:1/not/there:1")
        assert refused.value.code == "BAD_REQUEST"
        assert (await admin.images.prune(unnamed=True)).freed_bytes >= 0
        await admin.images.remove(name)
        with pytest.raises(NotFound):
            await admin.images.get(name)
