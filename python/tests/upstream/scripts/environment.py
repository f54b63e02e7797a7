# A program that reads a file of variables, has a log of its own, and changes the working directory.
import logging
import os
import tempfile

from dotenv import load_dotenv

from agentscope_runtime.engine import AgentApp

load_dotenv(os.path.join(os.path.dirname(__file__), "environment.env"))
logging.basicConfig(level=logging.INFO, format="OWN %(message)s")
logger = logging.getLogger(__name__)
os.chdir(tempfile.gettempdir())

app = AgentApp(app_name=os.environ["AGENT_NAME"])


@app.query(framework="text")
async def answer(self, request, **kwargs):
    logger.info("answering")
    from helpers_of_environment import greeting

    yield f"{greeting} {os.environ['AGENT_NAME']}"


app.run(host=os.getenv("HOST", "127.0.0.1"), port=int(os.getenv("PORT") or 8090))
