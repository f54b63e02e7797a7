"""Conversions from and to the messages of OpenAI's Chat Completions."""

from __future__ import annotations

from typing import Any, Dict, List, Optional, Sequence, Union

from ._model import BaseModel
from .constants import MessageType, Role
from .contents import DataContent, ImageContent, TextContent
from .messages import Message
from .tools import FunctionCall, FunctionCallOutput, Tool


def from_openai_message(message: Any) -> Message:
    """The message for one of Chat Completions. Text beside tool calls is dropped, as by upstream."""
    if isinstance(message, Message):
        return message
    given: Dict[str, Any] = message.model_dump() if isinstance(message, BaseModel) else message
    if given.get("type") in MessageType.all_values():
        return Message(**given)
    if given["role"] == Role.ASSISTANT and "tool_calls" in given:
        calls = [_data(_call(call)) for call in given["tool_calls"]]
        return Message(type=MessageType.FUNCTION_CALL, content=calls)
    if given["role"] == Role.TOOL:
        output = FunctionCallOutput(call_id=given["tool_call_id"], output=given["content"])
        return Message(type=MessageType.FUNCTION_CALL_OUTPUT, content=[_data(output)])
    content = given["content"]
    parts = [TextContent(text=content)] if isinstance(content, str) else [_part(part) for part in content]
    return Message(type=MessageType.MESSAGE, role=given["role"], content=parts)


def _call(call: Dict[str, Any]) -> FunctionCall:
    function = call.get("function") or {}
    return FunctionCall(call_id=call.get("id"), name=function.get("name"), arguments=function.get("arguments"))


def _data(value: BaseModel) -> Any:
    return DataContent(data=value.model_dump())


def _part(part: Dict[str, Any]) -> Any:
    if part["type"] == "text":
        return TextContent(text=part["text"])
    if part["type"] == "image_url":
        return ImageContent(image_url=part["image_url"]["url"])
    return DataContent(data=part["text"])


def convert_to_openai_tool_call(function: Any) -> Dict[str, Any]:
    """A tool call of Chat Completions for the data of a function call."""
    call = {"name": function.get("name"), "arguments": function.get("arguments")}
    return {"id": function.get("call_id"), "type": "function", "function": call}


def convert_to_openai_messages(messages: Sequence[Message]) -> List[Dict[str, Any]]:
    """Messages of Chat Completions. Types that it does not know are left out, and contents keep their own form."""
    converted: List[Dict[str, Any]] = []
    for message in messages:
        contents: List[Any] = message.content  # type: ignore[assignment]
        if message.type == MessageType.MESSAGE:
            parts = [content.model_dump() for content in contents]
            converted.append({"role": message.role, "content": parts})
        elif message.type == MessageType.FUNCTION_CALL:
            calls = [convert_to_openai_tool_call(content.data) for content in contents]
            converted.append({"role": Role.ASSISTANT, "tool_calls": calls})
        elif message.type == MessageType.FUNCTION_CALL_OUTPUT:
            for content in contents:
                call_id, output = content.data.get("call_id"), content.data.get("output")
                converted.append({"role": Role.TOOL, "tool_call_id": call_id, "content": output})
    return converted


def convert_to_openai_tools(tools: Optional[Sequence[Union[Tool, Dict[str, Any]]]]) -> Optional[List[Dict[str, Any]]]:
    """Tools of Chat Completions; nothing if there are none."""
    if not tools:
        return None
    return [tool.model_dump() if isinstance(tool, BaseModel) else tool for tool in tools]
