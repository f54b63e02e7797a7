# 1.1.x: middleware and dependencies that look at the request.
from fastapi import Depends, Header, HTTPException, Request
from fastapi.responses import JSONResponse

from agentscope_runtime.engine.app import AgentApp

app = AgentApp(app_name="guarded", endpoint_path="/chat")


@app.middleware("http")
async def check_key(request: Request, call_next):
    if request.headers.get("x-api-key") != "secret":
        return JSONResponse({"detail": "Wrong key"}, status_code=401)
    response = await call_next(request)
    response.headers["x-checked-by"] = "script"
    return response


def tenant(request: Request, authorization: str = Header()):
    if authorization == "Bearer nobody":
        raise HTTPException(403, "Nobody may not ask")
    return f"{authorization} in {request.query_params.get('room')}"


@app.query(framework="text")
async def answer(self, request, who: str = Depends(tenant), **kwargs):
    yield who


@app.get("/own")
async def own():
    return {"own": True}


app.run()
