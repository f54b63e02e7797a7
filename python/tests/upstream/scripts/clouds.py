from agentscope_runtime.engine.deployers import KubernetesDeployManager  # noqa: F401
