# 1.0.x: a graph without an agent of LangChain, in a function that makes and runs the app.
from langchain_core.messages import AIMessage
from langgraph.graph import END, START, MessagesState, StateGraph

from agentscope_runtime.engine import AgentApp
from agentscope_runtime.engine.schemas.agent_schemas import AgentRequest
from agentscope_runtime.engine.services.agent_state import InMemoryStateService


def refine(state: MessagesState):
    return {"messages": [AIMessage(content=state["messages"][-1].content + " and cats")]}


def joke(state: MessagesState):
    return {"messages": [AIMessage(content=f"A joke about {state['messages'][-1].content}")]}


def build_graph():
    graph = StateGraph(MessagesState)
    graph.add_node("refine", refine)
    graph.add_node("joke", joke)
    graph.add_edge(START, "refine")
    graph.add_edge("refine", "joke")
    graph.add_edge("joke", END)
    return graph.compile()


def run_app():
    agent_app = AgentApp(app_name="Jokes")

    @agent_app.init
    async def init_func(self):
        self.state_service = InMemoryStateService()
        await self.state_service.start()

    @agent_app.query(framework="langgraph")
    async def query_func(self, msgs, request: AgentRequest = None, **kwargs):
        async for message, meta_data in build_graph().astream({"messages": msgs}, stream_mode="messages"):
            yield message, meta_data["langgraph_node"] == "joke"
        await self.state_service.save_state(request.user_id, {"done": True}, request.session_id)

    agent_app.run(host="127.0.0.1", port=8090)


if __name__ == "__main__":
    run_app()
