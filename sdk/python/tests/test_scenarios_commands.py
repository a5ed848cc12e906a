from __future__ import annotations

import asyncio
from typing import Any

import pytest

from conftest import Site, eventually, scenario
from stacyvm import ExecTimeout, NotFound, RequestTimeout, SandboxNotFound


async def runs(sandbox: Any, marker: str) -> bool:
    """Whether a command with these words runs in the sandbox."""
    script = f'for f in /proc/[0-9]*/cmdline; do tr "\\0" " " <$f 2>/dev/null; echo; done | grep -v grep | grep -c "{marker[0]}[{marker[1]}]{marker[2:]}"'
    return (await sandbox.exec(script)).stdout.strip() != "0"


@scenario
async def test_exec_tells_output_and_exit_code(site: Site, client: Any) -> None:
    async with await site.spawn(client) as sandbox:
        result = await sandbox.exec("echo out; echo err >&2; exit 3")
        assert (result.exit_code, result.stdout, result.stderr) == (3, "out\n", "err\n")
        assert result.duration


@scenario
async def test_exec_argv_changes_no_argument(site: Site, client: Any) -> None:
    words = ["two words", "it's", '"$HOME"', "`id`", "a\nb", "🙂", "*"]
    expected = "".join(f"<{word}>" for word in words)
    async with await site.spawn(client) as sandbox:
        assert (await sandbox.exec("printf", ["<%s>", *words], mode="argv")).stdout == expected
        assert (await sandbox.exec("printf", ["<%s>", *words])).stdout == expected


@scenario
async def test_exec_has_env_workdir_and_stdin(site: Site, client: Any) -> None:
    async with await site.spawn(client) as sandbox:
        result = await sandbox.exec(
            'echo "$GREETING in $(pwd): $(cat)"', env={"GREETING": "grüezi"}, workdir="/tmp", stdin="from stdin"
        )
        assert result.stdout == "grüezi in /tmp: from stdin\n"


@scenario
async def test_exec_timeout_is_its_own_error(site: Site, client: Any) -> None:
    async with await site.spawn(client) as sandbox:
        begun = asyncio.get_running_loop().time()
        with pytest.raises(ExecTimeout) as caught:
            await sandbox.exec("sleep 60", timeout="300ms")
        assert caught.value.code == "TIMEOUT" and sandbox.id in caught.value.message
        assert asyncio.get_running_loop().time() - begun < 20


@scenario
async def test_stream_comes_as_it_is_written(site: Site, client: Any) -> None:
    async with await site.spawn(client) as sandbox:
        stream = sandbox.exec_stream("echo first; until [ -e go ]; do sleep 0.02; done; echo second >&2; exit 4")
        seen = []
        async for chunk in stream:
            if not seen:
                await sandbox.write_file("/workspace/go", "")
            seen.append(chunk)
        assert [(c.stream, c.data) for c in seen] == [("stdout", "first\n"), ("stderr", "second\n"), ("stdout", "")]
        assert seen[-1].exit_code == 4 and stream.exit_code == 4 and stream.duration


@scenario
async def test_stream_timeout_is_an_error_after_the_output(site: Site, client: Any) -> None:
    async with await site.spawn(client) as sandbox:
        seen = ""
        with pytest.raises(ExecTimeout):
            async for chunk in sandbox.exec_stream("echo begun; sleep 60", timeout="500ms"):
                seen += chunk.data
        assert seen.startswith("begun\n")


@scenario
async def test_stream_that_cannot_start_tells_why(site: Site, client: Any) -> None:
    sandbox = await site.spawn(client)
    await sandbox.destroy()
    with pytest.raises(SandboxNotFound) as caught:
        await sandbox.exec_stream("true").wait()
    assert caught.value.sandbox_id == sandbox.id and not isinstance(caught.value, NotFound)


@scenario
async def test_abandoned_stream_ends_the_command(site: Site, client: Any) -> None:
    async with await site.spawn(client) as sandbox:
        stream = sandbox.exec_stream("while :; do echo abandoned; sleep 0.1; done")
        async for _ in stream:
            assert await runs(sandbox, "abandoned")
            break
        await stream.aclose()

        async def gone() -> bool:
            return not await runs(sandbox, "abandoned")

        await eventually(gone)


@scenario
async def test_cancelled_exec_ends_the_command(site: Site, client: Any) -> None:
    async with await site.spawn(client) as sandbox:

        async def started() -> bool:
            return await runs(sandbox, "sleep 4321")

        async def gone() -> bool:
            return not await started()

        if site.kind == "async":
            call = asyncio.ensure_future(sandbox.exec("sleep 4321"))
            await eventually(started)
            call.cancel()
            with pytest.raises(asyncio.CancelledError):
                await call
        else:
            # A blocking program cannot cancel: its timeout ends the call.
            async with site.client(timeout=1.0) as hasty:
                with pytest.raises(RequestTimeout):
                    await (await hasty.get(sandbox.id)).exec("sleep 4321")
        await eventually(gone)


@scenario
async def test_background_process_runs_on_and_is_replayed(site: Site, client: Any) -> None:
    async with await site.spawn(client) as sandbox:
        started = await sandbox.start_background("echo one; until [ -e go ]; do sleep 0.02; done; echo two; exit 7")
        assert started.running and started.process_id in [p.process_id for p in await sandbox.processes()]

        async def has_printed() -> bool:
            return (await sandbox.process(started.process_id)).output_bytes == 4

        await eventually(has_printed)
        assert "".join([c.data async for c in sandbox.process_output(started.process_id)]) == "one\n"
        await sandbox.write_file("/workspace/go", "")
        output = sandbox.process_output(started.process_id, follow=True)
        assert "".join([c.data async for c in output]) == "one\ntwo\n" and output.exit_code == 7
        later = sandbox.process_output(started.process_id, offset=4)
        assert "".join([c.data async for c in later]) == "two\n"
        ended = await sandbox.process(started.process_id)
        assert not ended.running and ended.exit_code == 7


@scenario
async def test_background_process_takes_signals(site: Site, client: Any) -> None:
    async with await site.spawn(client) as sandbox:
        first = await sandbox.start_background("trap 'exit 42' TERM; echo ready; while :; do sleep 0.05; done")
        second = await sandbox.start_background("sleep 600")
        async for _ in sandbox.process_output(first.process_id, follow=True):
            break
        await sandbox.signal_process(first.process_id, "TERM")
        assert await sandbox.process_output(first.process_id, follow=True).wait() == 42
        await sandbox.kill_process(second.process_id)
        await sandbox.process_output(second.process_id, follow=True).wait()
        assert not (await sandbox.process(second.process_id)).running
        with pytest.raises(NotFound):
            await sandbox.process(999_999)


async def read_until(session: Any, wanted: bytes) -> bytes:
    seen = b""
    while wanted not in seen:
        output = await session.read(timeout=20)
        assert output is not None, f"the session ended after {seen!r}"
        seen += output.data
    return seen


@scenario
async def test_terminal_has_size_input_and_signals(site: Site, client: Any) -> None:
    async with await site.spawn(client) as sandbox:
        async with sandbox.open_session("sh", tty=True, cols=100, rows=30) as session:
            await session.write("stty size\n")
            await read_until(session, b"30 100")
            await session.resize(120, 40)
            await session.write("stty size\n")
            await read_until(session, b"40 120")
            # The terminal shows what is typed: only what runs can print the words without the quotes.
            await session.write(
                "sh -c \"trap 'echo stop''ped; exit' INT; echo rea''dy; while :; do sleep 0.05; done\"\n"
            )
            await read_until(session, b"ready")
            await session.signal("INT")
            await read_until(session, b"stopped")
            await session.write("exit 5\n")
            assert await session.wait() == 5


@scenario
async def test_session_carries_bytes_both_ways(site: Site, client: Any) -> None:
    async with await site.spawn(client) as sandbox:
        async with sandbox.open_session("cat", mode="argv") as session:
            data = bytes(range(256)) * 40
            await session.write(data)
            await session.close_input()
            assert b"".join([output.data async for output in session]) == data
            assert session.exit_code == 0


@scenario
async def test_session_is_attached_to_again(site: Site, client: Any) -> None:
    async with await site.spawn(client) as sandbox:
        async with sandbox.open_session(
            "echo one; until [ -e go ]; do sleep 0.02; done; echo two; exit 6", background=True
        ) as session:
            assert await read_until(session, b"one\n") == b"one\n"
            number, offset = session.process_id, session.offset
        await sandbox.write_file("/workspace/go", "")
        async with sandbox.attach(number, offset) as again:
            assert b"".join([output.data async for output in again]) == b"two\n" and again.exit_code == 6
        async with sandbox.attach(number) as whole:
            assert b"".join([output.data async for output in whole]) == b"one\ntwo\n"


@scenario
async def test_session_that_cannot_start_tells_why(site: Site, client: Any) -> None:
    sandbox = await site.spawn(client)
    await sandbox.destroy()
    with pytest.raises(SandboxNotFound) as caught:
        async with sandbox.open_session("true"):
            pass
    assert caught.value.sandbox_id == sandbox.id
