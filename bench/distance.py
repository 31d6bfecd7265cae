"""A mail server far away: passes on what is sent to it at once, and each answer after a while.

distance.py PORT TO MILLISECONDS
"""

import asyncio
import sys
from contextlib import suppress


async def serve(port: int, to: int, seconds: float) -> None:
    """Answers at one port for the server at another one."""

    async def passed_on(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        answers, commands = await asyncio.open_connection("127.0.0.1", to)
        with suppress(ConnectionError):  # some hang up without a word
            await asyncio.gather(_at_once(reader, commands), _later(answers, writer, seconds))

    server = await asyncio.start_server(passed_on, "127.0.0.1", port)
    async with server:
        await server.serve_forever()


async def _at_once(source: asyncio.StreamReader, target: asyncio.StreamWriter) -> None:
    while octets := await source.read(65536):
        target.write(octets)
        await target.drain()
    target.close()


async def _later(source: asyncio.StreamReader, target: asyncio.StreamWriter, seconds: float) -> None:
    loop = asyncio.get_running_loop()
    while octets := await source.read(65536):
        loop.call_later(seconds, target.write, octets)
    loop.call_later(2 * seconds, target.close)


if __name__ == "__main__":
    asyncio.run(serve(int(sys.argv[1]), int(sys.argv[2]), float(sys.argv[3]) / 1000))
