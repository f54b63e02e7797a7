# An app that exists only in the program.
import os

from agentscope_runtime.engine import AgentApp


def main():
    app = AgentApp(app_name=os.getenv("APP_NAME", "built"))

    @app.query(framework="text")
    async def answer(self, request, **kwargs):
        yield "built"

    app.run(host="0.0.0.0", port=int(os.getenv("PORT", "8090")))
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
