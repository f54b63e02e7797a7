# Traced functions of every kind, some of which write to the trace.
from agentscope_runtime.engine import AgentApp
from agentscope_runtime.engine.tracing import TraceType, trace
from agentscope_runtime.engine.tracing.wrapper import TracingUtil

TraceType.add_type("PLAN", "PLAN")
app = AgentApp(app_name="traces")


@trace(trace_type=TraceType.TOOL, trace_name="add")
def add(left, right, **kwargs):
    kwargs["trace_event"].on_log("added", step_suffix="last_resp", payload={"left": left})
    return left + right


@trace(TraceType.LLM)
async def words(text, **kwargs):
    kwargs.pop("trace_event").set_attribute("text", text)
    for word in text.split():
        yield word


@trace(trace_type=TraceType.PLAN)
async def plan(text):
    return text.upper()


@trace()
def letters(text, **kwargs):
    yield from text


@app.query(framework="text")
@trace(trace_type=TraceType.AGENT_STEP, trace_name="agent_step", is_root_span=True)
async def answer(self, request, trace_event, **kwargs):
    TracingUtil.set_request_id("r1")
    trace_event.on_log("begins")
    text = request.input[-1].get_text_content()
    yield f"{add(1, right=2)} {await plan(text)} {[word async for word in words(text)]} {[*letters('ab')]}"
