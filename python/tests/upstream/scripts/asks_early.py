# A program that asks for a key.
from agentscope_runtime.engine import AgentApp

key = input("Key: ")
app = AgentApp()
