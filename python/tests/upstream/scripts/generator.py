# A query function that is not asynchronous.
import threading

from agentscope_runtime.engine import AgentApp

app = AgentApp(app_name="Slow one!")
threads = []


@app.query(framework="text")
def answer(self, request=None, **kwargs):
    threads.append(threading.current_thread())
    yield "one "
    yield "two"


app.run()
