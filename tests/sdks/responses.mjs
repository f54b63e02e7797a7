// OpenAI's JavaScript library against the server: responses.mjs DEMO SCRIPTED.

import assert from 'node:assert/strict';
import OpenAI from 'openai';

const [demoUrl, scriptedUrl] = process.argv.slice(2);
const client = (url) => new OpenAI({ baseURL: `${url}/v1`, apiKey: 'none', maxRetries: 0 });
const [demo, scripted] = [client(demoUrl), client(scriptedUrl)];
const question = 'What is 6 times 7?';
const answer = '6 × 7 = 42';

const created = await demo.responses.create({ model: 'demo', input: question });
assert.equal(created.output_text, answer);

const numbers = [];
for await (const event of await demo.responses.create({ model: 'demo', input: question, stream: true })) {
  numbers.push(event.sequence_number);
}
assert.deepEqual(numbers, [...numbers.keys()]);

const helper = demo.responses.stream({ model: 'demo', input: question });
assert.equal((await helper.finalResponse()).output_text, answer);

const begun = await scripted.responses.create({ model: 'scripted', input: 'slow', background: true });
const rest = [];
for await (const event of await scripted.responses.retrieve(begun.id, { stream: true, starting_after: 3 })) {
  rest.push(event);
}
assert.equal(rest[0].sequence_number, 4);
assert.equal(rest.at(-1).type, 'response.completed');

const waiting = await scripted.responses.create({ model: 'scripted', input: 'wait', background: true });
assert.equal((await scripted.responses.cancel(waiting.id)).status, 'cancelled');
await scripted.responses.delete(waiting.id);
await assert.rejects(scripted.responses.retrieve(waiting.id), OpenAI.NotFoundError);

const tool = { type: 'function', name: 'weather', parameters: { type: 'object', properties: {} }, strict: false };
const asked = await scripted.responses.create({ model: 'scripted', input: 'Paris', tools: [tool] });
const call = asked.output.find((item) => item.type === 'function_call');
const output = { type: 'function_call_output', call_id: call.call_id, output: 'sunny' };
const told = await scripted.responses.create({
  model: 'scripted', input: [output], tools: [tool], previous_response_id: asked.id,
});
assert.equal(told.output_text, 'sunny');
assert.equal((await scripted.responses.inputItems.list(told.id)).data[0].type, 'function_call_output');

const conversation = await demo.conversations.create();
await demo.responses.create({ model: 'demo', input: question, conversation: conversation.id });
const items = await demo.conversations.items.list(conversation.id, { order: 'asc' });
assert.equal(items.data[0].content[0].text, question);
assert.equal((await demo.conversations.delete(conversation.id)).deleted, true);

await assert.rejects(
  demo.responses.create({ model: 'demo', input: 'x', temperature: 9 }),
  (error) => error instanceof OpenAI.BadRequestError && error.param === 'temperature',
);
console.log('openai');
