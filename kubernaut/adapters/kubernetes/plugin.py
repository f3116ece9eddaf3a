"""A plugin that gives credentials is run without a terminal, and ends with the wait for it.

kubernetes-asyncio would leave one that hangs behind, one more with each attempt.
"""

import asyncio
import json
import os
import signal
from asyncio.subprocess import DEVNULL, PIPE
from contextlib import suppress
from typing import Any

from kubernetes_asyncio.config import ConfigException
from kubernetes_asyncio.config.exec_provider import ExecProvider


async def run_plugin(provider: ExecProvider) -> dict[str, Any]:
    """The status of the ExecCredential that a plugin prints.

    Args:
        provider: what to run, with which arguments and variables, as the kubeconfig says.

    Raises: ConfigException, OSError.
    """
    spec = {"apiVersion": provider.api_version, "kind": "ExecCredential", "spec": {"interactive": False}}
    env = {**provider.env, "KUBERNETES_EXEC_INFO": json.dumps(spec)}
    process = await asyncio.create_subprocess_exec(
        *provider.args, env=env, stdin=DEVNULL, stdout=PIPE, stderr=PIPE, start_new_session=True
    )
    try:
        said, complaint = await process.communicate()
    finally:
        if process.returncode is None:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)  # and what it has started, which would keep its pipes open
            await process.wait()
    name = provider.args[0]
    if process.returncode:
        raise ConfigException(f"the plugin {name} ended with {process.returncode}: {_line(complaint)}")
    try:
        credential = json.loads(said)
    except ValueError as e:
        raise ConfigException(f"what the plugin {name} printed is not JSON") from e
    if not isinstance(credential, dict):
        raise ConfigException(f"what the plugin {name} printed is not an ExecCredential")
    if credential.get("apiVersion") != provider.api_version:
        version = credential.get("apiVersion")
        raise ConfigException(f"the plugin {name} speaks {version}, the kubeconfig says {provider.api_version}")
    status = credential.get("status")
    return status if isinstance(status, dict) else {}


def _line(text: bytes) -> str:
    return " ".join(text.decode(errors="replace").split()) or "it said nothing"
