"""What upstream's apps have of Celery. The server executes tasks itself."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Callable, Dict, Optional, Set, TypeVar

from ._options import log

if TYPE_CHECKING:
    from .tasks import Tasks

__all__ = ["CeleryMixin"]

Function = TypeVar("Function", bound=Callable[..., Any])


class CeleryMixin:
    """Methods of an app that has tasks."""

    celery_app: Any = None
    _tasks: Optional[Tasks] = None

    def tasks_of_app(self) -> Tasks:
        """The tasks, which are made when the first one is asked for."""
        if self._tasks is None:
            from .tasks import Tasks

            self._tasks = Tasks()
        return self._tasks

    def get_registered_queues(self) -> Set[str]:
        """The names of the queues, which only appear in answers."""
        return set(self.tasks_of_app().queues)

    def register_celery_task(self, func: Function, queue: str = "celery") -> Function:
        """Takes a function that ``submit_task`` can start."""
        self.tasks_of_app().queues.append(queue)
        return func

    def submit_task(self, func: Callable[..., Any], *args: Any) -> str:
        """Starts a function, and returns the task's id."""
        return self.tasks_of_app().start(func, *args)

    def get_task_status(self, task_id: str) -> Dict[str, Any]:
        """How far a task has come."""
        return self.tasks_of_app().state(task_id)

    def run_task_processor(self, *_values: Any, **_options: Any) -> None:
        """Says that no other process is needed."""
        log.warning("run_task_processor does nothing: the server executes tasks itself, without Celery")
