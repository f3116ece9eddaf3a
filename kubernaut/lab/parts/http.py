"""One HTTP request to a server of ours: a session for each call, so nothing is bound to an event loop."""

import asyncio
import ssl

import aiohttp
import msgspec


async def request(
    method: str,
    url: str,
    *,
    body: object = None,
    token: str = "",
    ca: ssl.SSLContext | None = None,
    timeout_s: float = 10.0,
) -> tuple[int, bytes]:
    """Sends one request, with `body` as JSON (for PATCH as a JSON merge patch).

    Returns:
        The HTTP status and the body; status 0 and the reason when no answer came.
    """
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    data = None
    if body is not None:
        headers["Content-Type"] = "application/merge-patch+json" if method == "PATCH" else "application/json"
        data = msgspec.json.encode(body)
    connector = aiohttp.TCPConnector(ssl=ca or True, force_close=True)
    try:
        async with (
            asyncio.timeout(timeout_s),
            aiohttp.ClientSession(connector=connector) as session,
            session.request(method, url, data=data, headers=headers) as response,
        ):
            return response.status, await response.read()
    except (aiohttp.ClientError, OSError) as e:
        return 0, str(e).encode()


async def answers(url: str, *, token: str = "", ca: ssl.SSLContext | None = None) -> bool:
    """Whether a GET is answered with 200 now."""
    return (await request("GET", url, token=token, ca=ca, timeout_s=5.0))[0] == 200
