"""Genuine OPA: as a command on policy files, and as a server that decides."""

from collections.abc import Sequence
from pathlib import Path

import msgspec

from kubernaut.domain.errors import Permanent
from kubernaut.lab.parts.catalogue import Parts
from kubernaut.lab.parts.http import answers, request
from kubernaut.lab.parts.process import free_port, output
from kubernaut.lab.parts.server import Server


class Opa(Server):
    """One OPA server over policy files; the commands below work without starting it.

    Args:
        parts: where the binary is.
        policies: folders and files of Rego and data that the server loads.
    """

    what = "opa"

    def __init__(self, parts: Parts, policies: Sequence[Path] = ()) -> None:
        super().__init__()
        self.parts = parts
        self.binary = parts.path("opa", "opa")
        self._policies = [path.resolve() for path in policies]
        self._port = 0

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._port}"

    async def check(self, *paths: Path, strict: bool = True) -> None:
        """Compiles policies.

        Raises:
            Permanent: they don't compile; the message is OPA's.
        """
        await self._command("check", *(["--strict"] if strict else []), *paths)

    async def test(self, *paths: Path) -> str:
        """Runs the policies' own tests and returns OPA's report.

        Raises:
            Permanent: a test fails or there is none; the message is OPA's.
        """
        return await self._command("test", "--verbose", *paths)

    async def eval(self, query: str, *, data: Sequence[Path], input: object = None) -> object:
        """The value of a query, as `data.kubernaut.decision`; None when it is undefined."""
        loads = [argument for path in data for argument in ("--data", path)]
        answer = await self._command(
            "eval", "--format=json", "--stdin-input", *loads, query, text=msgspec.json.encode(input).decode()
        )
        results = msgspec.json.decode(answer).get("result", [])
        return results[0]["expressions"][0]["value"] if results else None

    async def decide(self, path: str, input: object) -> object:
        """The server's decision at `path`, as `kubernaut/decision`; None when it is undefined.

        Raises:
            Permanent: the server refused the question or could not evaluate it.
        """
        status, body = await request("POST", f"{self.url}/v1/data/{path}", body={"input": input})
        if status != 200:
            raise Permanent(f"OPA did not decide {path}: {status} {body.decode(errors='replace')}")
        return msgspec.json.decode(body).get("result")

    async def ready(self) -> bool:
        return await answers(f"{self.url}/health")

    async def _launch(self) -> None:
        self._port = free_port()
        options = [f"--addr=127.0.0.1:{self._port}", "--disable-telemetry", "--log-level=error"]
        command: list[str | Path] = [self.binary, "run", "--server", *options, *self._policies]
        await self.run("opa", command).until(self.ready, within_s=30)

    async def _command(self, *arguments: str | Path, text: str = "") -> str:
        return await output([self.binary, *arguments], text=text)
