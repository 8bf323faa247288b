"""The baseline of `http`: FastAPI and asyncpg, one model, one INSERT, nothing else."""

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import asyncpg
from fastapi import FastAPI, Request
from pydantic import BaseModel


class Reporter(BaseModel):
    name: str
    identity_number: str
    phone: str


class Report(BaseModel):
    household_no: str
    division: str
    hardships: list[str]
    description: str
    reported_on: str
    reporter: Reporter


@asynccontextmanager
async def lifespan(app: FastAPI) -> AsyncIterator[None]:
    async with asyncpg.create_pool(os.environ["BARE_DATABASE_URL"], min_size=1, max_size=8) as pool:
        await pool.execute(
            "CREATE TABLE IF NOT EXISTS bare (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, division text,"
            " description text, body text)"
        )
        app.state.pool = pool
        yield


app = FastAPI(lifespan=lifespan)


@app.post("/bare", status_code=202)
async def bare(body: Report, request: Request) -> dict[str, int]:
    made = await request.app.state.pool.fetchval(
        "INSERT INTO bare (division, description, body) VALUES ($1, $2, $3) RETURNING id",
        body.division,
        body.description,
        body.model_dump_json(),
    )
    return {"id": made}
