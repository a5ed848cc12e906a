from __future__ import annotations

import asyncio
import urllib.request
from datetime import datetime, timedelta, timezone
from typing import Any
from urllib.parse import urlsplit

import pytest

from conftest import Site, eventually, scenario
from stacyvm import (
    ConnectionError,
    NotFound,
    ProviderError,
    RequestTimeout,
    ResourceLimit,
    SandboxNotFound,
    StacyVMError,
    Template,
)


@scenario
async def test_health_tells_the_version(site: Site, client: Any) -> None:
    health = await client.health()
    assert health["status"] == "ok" and health["version"] and health["uptime"]
    assert (await client.ready())["status"] == "ready"
    levels = {provider["name"]: provider["healthy"] for provider in await client.providers()}
    assert levels[site.level] is True
    assert (await client.provider_manager().get(site.level))["name"] == site.level


@scenario
async def test_spawn_runs_until_destroyed(site: Site, client: Any) -> None:
    sandbox = await site.spawn(client)
    assert sandbox.state == "running" and sandbox.provider == site.level and sandbox.expires_at
    assert sandbox.id in [info.id for info in await client.list()]
    assert (await client.get(sandbox.id)).id == sandbox.id
    await sandbox.destroy()
    assert sandbox.state == "destroyed"
    assert sandbox.id not in [info.id for info in await client.list()]


@scenario
async def test_spawn_carries_owner_and_metadata(site: Site, client: Any) -> None:
    async with site.client(user_id="ada") as ada:
        async with await site.spawn(ada, memory_mb=256, vcpus=1, metadata={"task": "7"}) as sandbox:
            await sandbox.refresh()
            info = sandbox.info
            assert (info.owner_id, info.memory_mb, info.vcpus, info.metadata) == ("ada", 256, 1, {"task": "7"})


@scenario
async def test_scope_destroys_even_after_a_failure(site: Site, client: Any) -> None:
    with pytest.raises(ZeroDivisionError):
        async with await site.spawn(client) as sandbox:
            assert 1 / 0
    with pytest.raises(SandboxNotFound):
        await client.get(sandbox.id)


@scenario
async def test_extend_moves_the_expiry(site: Site, client: Any) -> None:
    async with await site.spawn(client, ttl="5m") as sandbox:
        await sandbox.extend_ttl("2h")
        for _ in range(2):
            left = datetime.fromisoformat(sandbox.expires_at[:19] + "+00:00") - datetime.now(timezone.utc)
            assert timedelta(hours=1, minutes=58) < left < timedelta(hours=2, minutes=1)
            await sandbox.refresh()


@scenario
async def test_expired_sandbox_is_not_found(site: Site, client: Any) -> None:
    sandbox = await site.spawn(client, ttl="1s")

    async def gone() -> bool:
        try:
            await client.get(sandbox.id)
        except SandboxNotFound as error:
            return bool(error.sandbox_id == sandbox.id)
        return False

    await eventually(gone)


@scenario
async def test_destroyed_sandbox_is_not_found(site: Site, client: Any) -> None:
    sandbox = await site.spawn(client)
    await sandbox.destroy()
    await sandbox.destroy()
    calls = [
        lambda: sandbox.exec("true"),
        lambda: sandbox.refresh(),
        lambda: sandbox.read_file("/etc/passwd"),
        lambda: sandbox.extend_ttl(),
        lambda: client.get(sandbox.id),
    ]
    for call in calls:
        with pytest.raises(SandboxNotFound) as caught:
            await call()
        assert caught.value.sandbox_id == sandbox.id and not isinstance(caught.value, NotFound)
        assert caught.value.code == "NOT_FOUND" and caught.value.status_code == 404


@scenario
async def test_preview_shows_what_the_sandbox_serves(site: Site, client: Any) -> None:
    async with await site.spawn(client) as sandbox:
        await sandbox.write_file("/workspace/site/index.html", "<h1>hello</h1>")
        await sandbox.start_background("busybox httpd -f -p 8000 -h /workspace/site")

        async def listens() -> bool:
            return 8000 in [port.port for port in await sandbox.ports()]

        await eventually(listens)
        url = sandbox.get_preview_url(8000)
        assert url.startswith(f"http://8000-{sandbox.id}.")
        # The server's own address under the preview's name: no DNS is needed.
        request = urllib.request.Request(site.url, headers={"Host": urlsplit(url).netloc})
        page = await asyncio.to_thread(lambda: urllib.request.urlopen(request, timeout=10).read())
        assert page == b"<h1>hello</h1>"
        assert sandbox.get_preview_url(8000, "https").startswith("https://8000-")


@scenario
async def test_errors_carry_code_status_and_text(site: Site, client: Any) -> None:
    async with await site.spawn(client) as sandbox:
        with pytest.raises(StacyVMError) as caught:
            await site.spawn(client, ttl="soon")
        assert (caught.value.code, caught.value.status_code) == ("BAD_REQUEST", 400) and "soon" in caught.value.message
        assert caught.value.request_id
        with pytest.raises(NotFound) as missing:
            await site.spawn(client, provider="nosuch")
        assert (missing.value.code, missing.value.status_code) == ("NOT_FOUND", 404) and "nosuch" in str(missing.value)
        with pytest.raises(ResourceLimit) as limit:
            await sandbox.exec("true", timeout="1000h")
        assert (limit.value.code, limit.value.status_code) == ("RESOURCE_LIMIT", 429)
    async with site.client(api_key="wrong") as stranger:
        with pytest.raises(StacyVMError) as refused:
            await stranger.list()
        assert (refused.value.code, refused.value.status_code) == ("UNAUTHORIZED", 401)
        assert not isinstance(refused.value, (ProviderError, ConnectionError, SandboxNotFound))


@scenario
async def test_unreachable_server_is_a_connection_error(site: Site, client: Any) -> None:
    closed = await asyncio.start_server(lambda *_: None, "127.0.0.1", 0)
    port = closed.sockets[0].getsockname()[1]
    closed.close()
    await closed.wait_closed()
    async with await site.spawn(client) as living, site.client(f"http://127.0.0.1:{port}") as lost:
        sandbox = type(getattr(living, "_value", living))(getattr(lost, "_value", lost)._transport, {"id": living.id})
        if site.kind == "sync":
            sandbox = type(living)(sandbox)
        calls = [
            lambda: lost.list(),
            lambda: lost.health(),
            lambda: lost.spawn(),
            lambda: lost.templates.list(),
            lambda: sandbox.exec("true"),
            lambda: sandbox.read_file("/x"),
            lambda: sandbox.write_bytes("/x", b""),
            lambda: sandbox.exec_stream("true").wait(),
            lambda: lost.events().__anext__(),
        ]
        for call in calls:
            with pytest.raises(ConnectionError) as caught:
                await call()
            assert str(port) in str(caught.value)
        with pytest.raises(ConnectionError):
            async with sandbox.open_session("true"):
                pass


@scenario
async def test_silent_server_is_a_timeout_error(site: Site, client: Any) -> None:
    silent = await asyncio.start_server(lambda *_: None, "127.0.0.1", 0)
    port = silent.sockets[0].getsockname()[1]
    async with site.client(f"http://127.0.0.1:{port}", timeout=0.3) as lost:
        for call in (lost.list, lost.health, lost.spawn, lambda: lost.get("sb-00000000"), lost.templates.list):
            with pytest.raises(RequestTimeout) as caught:
                await call()
            assert isinstance(caught.value, ConnectionError)
    silent.close()


@scenario
async def test_admission_decides_without_spawning(site: Site, client: Any) -> None:
    before = {info.id for info in await client.list()}
    allowed = await client.admission(ttl="10m")
    assert allowed.allowed and not allowed.reason
    refused = await client.admission(ttl="9000h")
    assert not refused.allowed and refused.reason == "max_ttl"
    assert {info.id for info in await client.list()} == before


@scenario
async def test_quotas_bound_an_owner(site: Site, client: Any) -> None:
    owner = f"owner-{site.kind}-python"
    async with site.client(admin_api_key=site.admin_key) as admin, site.client(user_id=owner) as bounded:
        before = await admin.quota_summary()
        try:
            saved = await admin.quotas.save(owner, max_sandboxes=1, max_ttl="1h")
            assert (saved.owner_id, saved.max_sandboxes, saved.max_ttl) == (owner, 1, "1h0m0s")
            after = await admin.quota_summary()
            assert after.total == before.total + 1 and after.with_max_sandboxes == before.with_max_sandboxes + 1
            assert owner in [quota.owner_id for quota in await admin.quotas.list()]
            async with await site.spawn(bounded):
                with pytest.raises(ResourceLimit) as caught:
                    await site.spawn(bounded)
                assert caught.value.code == "RESOURCE_LIMIT"
                usage = await admin.quotas.usage(owner)
                assert (usage.active_sandboxes, usage.max_sandboxes) == (1, 1) and usage.quota_configured
        finally:
            await admin.quotas.delete(owner)
        with pytest.raises(NotFound):
            await admin.quotas.get(owner)


@scenario
async def test_templates_are_saved_and_spawned(site: Site, client: Any) -> None:
    async with site.client(admin_api_key=site.admin_key) as admin:
        name = f"python/{site.kind} 1"
        template = Template(
            name, site.image, memory_mb=256, vcpus=1, ttl="10m", metadata={"team": "a"}, env={"COLOR": "blue"}
        )
        try:
            await admin.templates.save(template)
            saved = await admin.templates.get(name)
            assert (saved.image, saved.memory_mb, saved.vcpus, saved.metadata) == (site.image, 256, 1, {"team": "a"})
            assert name in [one.name for one in await admin.templates.list()]
            with pytest.raises(StacyVMError) as caught:
                await admin.templates.save(template)
            assert caught.value.code == "CONFLICT"
            template.memory_mb = 300
            await admin.templates.save(template, overwrite=True)
            async with await admin.templates.spawn(name, ttl="5m") as sandbox:
                assert sandbox.info.metadata["template"] == name and sandbox.info.memory_mb == 300
                assert (await sandbox.exec("echo $COLOR")).stdout == "blue\n"
            async with await admin.spawn_template(name) as sandbox:
                assert sandbox.state == "running"
        finally:
            await admin.templates.delete(name)
        with pytest.raises(NotFound):
            await admin.templates.get(name)


@scenario
async def test_events_are_delivered_and_resumed(site: Site, client: Any) -> None:
    async with client.events() as events:
        sandbox = await site.spawn(client)
        await sandbox.destroy()
        seen = []
        async for event in events:
            if event.sandbox_id == sandbox.id:
                seen.append(event)
            if event.type == "sandbox.destroyed" and event.sandbox_id == sandbox.id:
                break
    assert [event.type for event in seen] == ["sandbox.created", "sandbox.running", "sandbox.destroyed"]
    assert all(event.id and event.timestamp for event in seen)
    async with client.events(sandbox_id=sandbox.id, after_id=seen[0].id) as events:
        assert [(await events.__anext__()).type for _ in range(2)] == ["sandbox.running", "sandbox.destroyed"]


@scenario
async def test_stats_logs_and_pool_answer(site: Site, client: Any) -> None:
    async with await site.spawn(client) as sandbox:
        stats = await sandbox.stats()
        assert stats.supported and stats.mem_bytes and stats.mem_limit_bytes
        assert isinstance(await sandbox.logs(10), list)
    assert (await client.pool_status())["enabled"] in (True, False)
    assert await client.prune() >= 0
