"""Let the next item of a stream be made while the one before is still being used."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import TypeVar

T = TypeVar("T")


async def ahead(items: AsyncGenerator[T, None]) -> AsyncGenerator[T, None]:
    """The same items in the same order, each begun as soon as the one before is there."""
    async with aclosing(items):
        following = asyncio.create_task(_next(items))
        try:
            while (found := await following) is not None:
                following = asyncio.create_task(_next(items))
                yield found[0]
        finally:
            following.cancel()
            await asyncio.gather(following, return_exceptions=True)


async def _next(items: AsyncGenerator[T, None]) -> tuple[T] | None:
    async for item in items:
        return (item,)
    return None
