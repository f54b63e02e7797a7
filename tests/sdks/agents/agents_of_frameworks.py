"""The agents of all frameworks whose packages fit together, in one process, which imports what they share once."""

from agno_agent import agent as agno
from autogen_agent import agent as autogen
from langgraph_agent import agent as langgraph
from openai_agents_agent import agent as openai_agents
from pydantic_ai_agent import agent as pydantic_ai
