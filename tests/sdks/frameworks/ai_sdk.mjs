// Vercel's AI SDK over each of its providers for OpenAI's protocols: ai_sdk.mjs SERVER.
import assert from "node:assert/strict";
import { createOpenAI } from "@ai-sdk/openai";
import { createOpenAICompatible } from "@ai-sdk/openai-compatible";
import { createOpenResponses } from "@ai-sdk/open-responses";
import { APICallError, generateText, Output, stepCountIs, streamText, tool } from "ai";
import { z } from "zod";

const baseURL = `${process.argv[2]}/v1`;
const openai = createOpenAI({ baseURL, apiKey: "none" });
const models = {
  "responses": openai.responses("scripted"),
  "chat completions": openai.chat("scripted"),
  "compatible": createOpenAICompatible({ name: "server", baseURL, supportsStructuredOutputs: true })("scripted"),
  "open responses": createOpenResponses({ name: "server", url: `${baseURL}/responses` })("scripted"),
};
const weather = tool({
  description: "Tells the weather.",
  inputSchema: z.object({ city: z.string() }),
  execute: async ({ city }) => `sunny in ${city}`,
});
const statuses = { "fail 400": 400, "fail 401": 502, "fail 429": 429, "fail 500": 502, "fail context": 400 };

for (const [name, model] of Object.entries(models)) {
  const ask = (prompt, more = {}) =>
    generateText({ model, maxRetries: 0, stopWhen: stepCountIs(4), ...(typeof prompt === "string" ? { prompt } : { messages: prompt }), ...more });
  const is = (found, expected, what) => assert.deepEqual(found, expected, `${name}, ${what}`);
  is((await ask("hello")).text, "You said: hello", "text");
  const streamed = streamText({ model, prompt: "hello", maxRetries: 0 });
  let text = "";
  for await (const part of streamed.textStream) text += part;
  is(text, "You said: hello", "stream");
  is((await ask("calculate")).text, "The tools say: 42", "tools of the agent");
  const own = streamText({ model, prompt: "calculate", maxRetries: 0, stopWhen: stepCountIs(4) });
  is(await own.text, "The tools say: 42", "tools of the agent, streamed");
  const first = await ask("call", { tools: { weather } });
  is(first.text, "The tools say: sunny in Rome", "tools of the client");
  is((await ask("calculate", { tools: { weather } })).text, "The tools say: 42", "tools of both");
  const structured = await ask("hello", { output: Output.object({ schema: z.object({ answer: z.number() }) }) });
  is(structured.output, { answer: 42 }, "structured output");
  const messages = [{ role: "user", content: "call" }, ...first.response.messages, { role: "user", content: "again" }];
  is((await ask(messages, { tools: { weather } })).text, "You said: again", "second turn");
  for (const [question, status] of Object.entries(statuses)) {
    const error = await ask(question).then(() => assert.fail(`${name}: '${question}' did not fail`), (error) => error);
    is([APICallError.isInstance(error), error.statusCode], [true, status], question);
  }
}
console.log("ai");
