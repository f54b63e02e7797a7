// Chat Completions with OpenAI's own client: `node chat_completions.mjs DEMO SCRIPTED`, the addresses of two servers.

import assert from "node:assert/strict";
import OpenAI from "openai";

const [demo, scripted] = process.argv
  .slice(2)
  .map((address) => new OpenAI({ baseURL: `${address}/v1`, apiKey: "none" }));

const user = (text) => [{ role: "user", content: text }];
const tool = (name) => ({ type: "function", function: { name, parameters: { type: "object", properties: {} } } });

// Models, and a plain answer.
const models = [];
for await (const model of demo.models.list()) models.push(model.id);
assert.deepEqual(models, ["demo"]);
const answer = await demo.chat.completions.create({ model: "demo", messages: user("What is 6 times 7?") });
assert.equal(answer.choices[0].message.content, "6 × 7 = 42");
assert.equal(answer.choices[0].finish_reason, "stop");

// A stream.
const stream = await scripted.chat.completions.create({
  model: "m",
  messages: user("hi you"),
  stream: true,
  stream_options: { include_usage: true },
});
let [text, usage] = ["", null];
for await (const chunk of stream) {
  text += chunk.choices[0]?.delta.content ?? "";
  usage = chunk.usage ?? usage;
}
assert.equal(text, "You said: hi you");
assert.equal(usage.total_tokens, 7);

// The helper, with parallel calls.
const tools = [tool("weather"), tool("time")];
const helped = scripted.chat.completions.stream({ model: "m", messages: user("in parallel"), tools });
const message = await helped.finalMessage();
assert.deepEqual(message.tool_calls.map((call) => call.function.name), ["weather", "time"]);
const outputs = message.tool_calls.map((call, number) => ({
  role: "tool",
  tool_call_id: call.id,
  content: String(number),
}));
const second = await scripted.chat.completions.create({
  model: "m",
  messages: [...user("in parallel"), message, ...outputs],
  tools,
});
assert.equal(second.choices[0].message.content, "The tools say: 0, 1");

// The helper that runs tools by itself.
const weather = {
  type: "function",
  function: { name: "weather", description: "", parse: JSON.parse, function: ({ city }) => `sunny in ${city}`,
    parameters: { type: "object", properties: { city: { type: "string" } } } },
};
const ran = scripted.chat.completions.runTools({ model: "m", messages: user("call it"), tools: [weather] });
assert.equal(await ran.finalContent(), "The tools say: sunny in Rome");

// Structured output.
const format = { type: "json_schema", json_schema: { name: "answer", schema: { type: "object", properties: { answer: { type: "integer" } } } } };
const parsed = await scripted.chat.completions.parse({ model: "m", messages: user("?"), response_format: format });
assert.deepEqual(JSON.parse(parsed.choices[0].message.content), { answer: 42 });

// Errors, none of which is retried.
const failing = { model: "m", messages: user("fail"), user: "failing" };
await assert.rejects(demo.chat.completions.create({ ...failing, n: 2 }), OpenAI.BadRequestError);
await assert.rejects(demo.models.retrieve("gpt-9"), OpenAI.NotFoundError);
await assert.rejects(demo.chat.completions.create(failing), OpenAI.InternalServerError);
await assert.rejects(async () => {
  for await (const _ of await demo.chat.completions.create({ ...failing, stream: true }));
}, OpenAI.APIError);
const runs = await (await fetch(`${process.argv[2]}/runs?user_id=failing`)).json();
assert.equal(runs.data.length, 2);

console.log("openai for JavaScript is served.");
