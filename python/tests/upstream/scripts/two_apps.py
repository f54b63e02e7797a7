from agentscope_runtime.engine import AgentApp

one, two = AgentApp(app_name="one"), AgentApp(app_name="two")
