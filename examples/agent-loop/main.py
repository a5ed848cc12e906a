"""An agent loop: a model writes code, a sandbox runs it, and what it printed goes back to the model until the task is done.

ScriptedModel stands in for a language model: it answers from a list, the first time with a mistake, so that the loop has something to do.
Put a real one in its place; the loop stays as it is.

    ./stacyvm serve                         # in another terminal
    python examples/agent-loop/main.py
"""

import os
from typing import List, Optional

from stacyvm import Client, ExecTimeout, Sandbox

TASK = "How many primes are there below 10,000?"
MAX_TURNS = 5


class ScriptedModel:
    """No language model: the same answers every time, chosen by what was seen so far."""

    def next_program(self, task: str, seen: List[str]) -> Optional[str]:
        if not seen:
            return "limit = 10_000\nprint(sum(is_prime(n) for n in range(limit)))"
        if "NameError" in seen[-1]:
            return (
                "def is_prime(n):\n    return n > 1 and all(n % d for d in range(2, int(n**0.5) + 1))\n\n"
                "print(sum(is_prime(n) for n in range(10_000)))"
            )
        return None


def run(sandbox: Sandbox, program: str) -> str:
    """What the program printed, as the model is to see it. Whatever the program does, it does in there."""
    sandbox.write_file("/workspace/program.py", program)
    try:
        result = sandbox.exec("python3 program.py", timeout="20s")
    except ExecTimeout:
        return "the program did not end within 20 s"
    return result.stdout if result.exit_code == 0 else f"exit code {result.exit_code}\n{result.stderr}"


def main() -> None:
    model, seen = ScriptedModel(), []
    with Client(os.environ.get("STACYVM_URL", "http://localhost:7423"), os.environ.get("STACYVM_API_KEY")) as client:
        with client.spawn(ttl="10m") as sandbox:
            for turn in range(1, MAX_TURNS + 1):
                program = model.next_program(TASK, seen)
                if program is None:
                    break
                seen.append(run(sandbox, program))
                print(f"--- turn {turn} ---\n{program}\n--- it printed ---\n{seen[-1].strip()}")
    print(f"{TASK} {seen[-1].strip()}")
    assert seen[-1].strip() == "1229"


main()
