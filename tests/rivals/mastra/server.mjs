// Usage: server.mjs PORT memory|libsql|durable DATABASE

import { serve } from "@hono/node-server";
import { Agent } from "@mastra/core/agent";
import { Mastra } from "@mastra/core/mastra";
import { InMemoryStore } from "@mastra/core/storage";
import { MastraServer } from "@mastra/hono";
import { LibSQLStore } from "@mastra/libsql";
import { Memory } from "@mastra/memory";
import { Hono } from "hono";

const [port, mode, database] = process.argv.slice(2);

// What words.py does.
async function* words(text) {
  const [first, ...said] = text.split(" ");
  const delay = Number(first.slice(1));
  const started = performance.now();
  for (const [number, word] of said.entries()) {
    if (number > 0 && delay > 0) {
      const pause = Math.max(0, started + number * delay - performance.now());
      await new Promise((resolve) => setTimeout(resolve, pause));
    }
    yield number + 1 < said.length ? `${word} ` : word;
  }
}

function inputOf(prompt) {
  const message = prompt.findLast((message) => message.role === "user");
  return message.content.map((part) => part.text ?? "").join("");
}

async function* answer(prompt) {
  yield { type: "stream-start", warnings: [] };
  yield { type: "text-start", id: "0" };
  for await (const word of words(inputOf(prompt))) {
    yield { type: "text-delta", id: "0", delta: word };
  }
  yield { type: "text-end", id: "0" };
  const usage = { inputTokens: 1, outputTokens: 1, totalTokens: 2 };
  yield { type: "finish", finishReason: "stop", usage };
}

const model = {
  specificationVersion: "v2",
  provider: "words",
  modelId: "words",
  supportedUrls: {},
  doGenerate() {
    throw new Error("this model only streams");
  },
  async doStream({ prompt }) {
    return { stream: ReadableStream.from(answer(prompt)) };
  },
};

const storage =
  mode === "memory" ? new InMemoryStore() : new LibSQLStore({ id: "words", url: `file:${database}` });
const isDurable = mode === "durable";
const agent = new Agent({
  id: "words",
  name: "words",
  instructions: "Says words.",
  model,
  memory: new Memory({ storage }),
  ...(isDurable ? { durable: true } : {}),
});
const mastra = new Mastra({
  agents: { words: agent },
  storage,
  logger: false,
  ...(isDurable ? { recovery: { durableAgents: "auto" } } : {}),
});
const app = new Hono();
await new MastraServer({ app, mastra }).init();
serve({ fetch: app.fetch, hostname: "127.0.0.1", port: Number(port) });
