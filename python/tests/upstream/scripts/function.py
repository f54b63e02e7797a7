# A plain function without `self`.
from agentscope_runtime.engine import AgentApp

the_only_one = AgentApp()


@the_only_one.query(framework="text")
def answer(request):
    return request.input[0].content[0].text.upper()
