# Endpoints and tasks.
import asyncio
from dataclasses import dataclass

from pydantic import BaseModel

from agentscope_runtime.engine import AgentApp
from agentscope_runtime.engine.schemas.agent_schemas import AgentRequest

app = AgentApp(app_name="Endpoints", broker_url="redis://nowhere", backend_url="redis://nowhere")


class Order(BaseModel):
    what: str


@dataclass
class Point:
    x: int


@app.query(framework="text")
async def answer(self, request, **kwargs):
    yield "ok"


@app.endpoint("/sync")
def sync_handler(request: AgentRequest):
    return {"status": "ok", "texts": [message.get_text_content() for message in request.input]}


@app.endpoint("/order", methods=["POST", "PUT"])
async def order(order: Order):
    return order


@app.endpoint("/stream_async")
async def stream_async(order: Order):
    for number in range(2):
        yield f"{order.what} {number}"
    yield Point(1)


@app.endpoint("/stream_sync")
def stream_sync(body: dict):
    yield body
    raise ValueError("no more")


@app.task("/task", queue="celery1")
async def task_handler(request: dict):
    await asyncio.sleep(0)
    return {"double": request["number"] * 2}


@app.task("/failing_task")
def failing_task(request: dict):
    raise RuntimeError("broken")


app.run(host="127.0.0.1", port=8090)
