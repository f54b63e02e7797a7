/**
 * Asks an agent, prints the answer as it arrives, and checks that the events match the final response.
 *
 *     node dist/client.js http://127.0.0.1:8080 "What is 6 times 7?"
 *
 * Exit status: 0 if the run completed; 1 if its stream was cut off or is inconsistent; 2 if the command line is
 * invalid; 3 if the server cannot be reached or rejects the request, or if the run did not complete.
 */

import type {
  AgentRequest, AgentResponse, Content, Event, FunctionCall, FunctionCallOutput, Message,
} from "./models.js";

const FINAL = new Set<string | null>(["completed", "failed", "canceled", "rejected", "incomplete"]);
/** The content types that are streamed. */
const STREAMED = new Set<string>(["text", "refusal", "data"]);
type Json = { [key: string]: unknown };

/** An error that ends the program with a status other than 0. */
class Failure extends Error {
  constructor(readonly status: number, why: string) {
    super(why);
  }
}

/** Sends the question and yields the events of the run. */
async function* ask(server: string, question: string): AsyncGenerator<Event> {
  const request: AgentRequest = {
    input: [{ role: "user", content: [{ type: "text", text: question }] }],
  };
  const answer = await fetch(`${server.replace(/\/$/, "")}/process`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify(request),
  }).catch((error: Error) => {
    throw new Failure(3, `The server cannot be reached: ${error.cause ?? error.message}`);
  });
  if (!answer.ok || answer.body === null) {
    throw new Failure(3, `The server returned ${answer.status}: ${await answer.text()}`);
  }
  for await (const data of sseData(answer.body)) {
    const event: unknown = JSON.parse(data);
    if (isEvent(event)) yield event;
  }
}

/** The data of each server-sent event. An event cut off by the end of the stream is dropped, as the standard requires. */
async function* sseData(body: AsyncIterable<Uint8Array>): AsyncGenerator<string> {
  const decoder = new TextDecoder();
  let line = "";
  let data: string[] = [];
  for await (const chunk of body) {
    // A chunk may end anywhere, even inside a character.
    const [first = "", ...others] = decoder.decode(chunk, { stream: true }).split("\n");
    line += first;
    for (const next of others) {
      line = line.replace(/\r$/, "");
      if (line.startsWith("data:")) {
        data.push(line.slice(5).replace(/^ /, ""));
      } else if (line === "" && data.length > 0) {
        yield data.join("\n");
        data = [];
      }
      // Every other line is a comment or a field such as `id:`, which is only needed to resume a stream.
      line = next;
    }
  }
}

/** Whether this program knows the kind of event. A newer server may have more kinds. */
function isEvent(event: unknown): event is Event {
  const { object } = event as Json;
  return object === "response" || object === "message" || object === "content";
}

function isObject(value: unknown): value is Json {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** Continues a JSON value: strings and arrays are joined, numbers added, objects merged, other values replaced. */
function merge(value: unknown, more: unknown): unknown {
  if (typeof value === "string" && typeof more === "string") return value + more;
  if (typeof value === "number" && typeof more === "number") return value + more;
  if (Array.isArray(value) && Array.isArray(more)) return [...value, ...more];
  if (isObject(value) && isObject(more)) {
    const merged = Object.entries(more).map(([key, part]) => [key, key in value ? merge(value[key], part) : part]);
    return { ...value, ...Object.fromEntries(merged) };
  }
  return more;
}

function grow<T>(value: T | null, more: T | null): T | null {
  if (value === null || more === null) return more ?? value;
  return merge(value, more) as T;
}

/** Appends a delta to a content. Images, audio and files have no parts worth showing. */
function append(content: Content, delta: Content): void {
  if (content.type === "text" && delta.type === "text") {
    content.text = grow(content.text, delta.text);
  } else if (content.type === "refusal" && delta.type === "refusal") {
    content.refusal = grow(content.refusal, delta.refusal);
  } else if (content.type === "data" && delta.type === "data") {
    content.data = grow(content.data, delta.data);
  }
}

/** The output of a run, rebuilt from its events. This is what a program that shows the run would keep. */
class Rebuilt {
  readonly output: Message[] = [];
  private readonly parts = new Map<string | null, { content: Content; streamed: boolean }[]>();

  /** Adds an event and returns whether it belongs to a streamed content. */
  take(event: Message | Content): boolean {
    if (event.object === "content") return this.takeContent(event);
    if (FINAL.has(event.status)) {
      const contents = (this.parts.get(event.id) ?? []).flatMap((part) => part.content);
      this.parts.delete(event.id);
      event.content = contents.length > 0 ? contents : null;
      // Failed messages are not part of the output.
      if (event.status !== "failed") this.output.push(event);
    }
    return false;
  }

  private takeContent(event: Content): boolean {
    const parts = this.parts.get(event.msg_id) ?? [];
    this.parts.set(event.msg_id, parts);
    const part = (parts[event.index ?? 0] ??= { content: event, streamed: false });
    if (event.delta && STREAMED.has(event.type)) {
      if (part.content !== event) append(part.content, event);
      part.streamed = true;
    } else if (part.streamed && FINAL.has(event.status) && event.type === part.content.type) {
      // The event that closes a content repeats the whole value. The sum of the deltas is kept anyway, so that the
      // comparison at the end detects a lost delta. The field has the name of the type.
      part.content = { ...event, [event.type]: (part.content as unknown as Json)[event.type] } as Content;
    } else {
      Object.assign(part, { content: event, streamed: false });
    }
    return part.streamed;
  }
}

/** Prints text and refusals as they arrive, and tool calls once they are complete. */
function show(event: Message | Content, streamed: boolean): void {
  const isFinal = FINAL.has(event.status);
  if (event.object === "message") {
    if (event.type === "reasoning" && !isFinal) print("[thinks] ");
    if (isFinal) print(`${shownCalls(event)}\n`);
    return;
  }
  switch (event.type) {
    case "text":
    case "refusal":
      // Text that was not streamed arrives once, with the event that closes it.
      if (event.delta || (isFinal && !streamed)) {
        print((event.type === "text" ? event.text : event.refusal) ?? "");
      }
      break;
    case "data":
      break; // Shown with its message, whose type determines what it is.
    default:
      if (isFinal) print(` [${event.type}]`);
  }
}

/** The tool calls in a message, or their outputs. */
function shownCalls(message: Message): string {
  const data = (message.content ?? []).flatMap((part) => (part.type === "data" ? (part.data as unknown) : []));
  switch (message.type) {
    case "function_call":
    case "plugin_call":
      return (data as FunctionCall[]).map((call) => `[calls] ${call.name} ${call.arguments}`).join("\n");
    case "function_call_output":
    case "plugin_call_output":
      return (data as FunctionCallOutput[]).map((answer) => `[answer] ${answer.output}`).join("\n");
    default:
      return "";
  }
}

function print(text: string): void {
  process.stdout.write(text);
}

/** The first difference between the events and the final response; undefined if they agree. */
function difference(ours: unknown, theirs: unknown, path = "output"): string | undefined {
  if ((isObject(ours) && isObject(theirs)) || (Array.isArray(ours) && Array.isArray(theirs))) {
    const [left, right] = [ours as Json, theirs as Json];
    for (const key of Object.keys({ ...left, ...right })) {
      const found = difference(left[key], right[key], path + (Array.isArray(ours) ? `[${key}]` : `.${key}`));
      if (found) return found;
    }
    return undefined;
  }
  if (ours === theirs) return undefined;
  let shown = [ours, theirs];
  if (typeof ours === "string" && typeof theirs === "string") {
    // For long texts, show only the place where they diverge.
    let start = 0;
    while (ours[start] === theirs[start]) start += 1;
    shown = [ours, theirs].map((text) => text.slice(Math.max(start - 20, 0)));
  }
  const [said, claimed] = shown.map((value) => JSON.stringify(value ?? null).slice(0, 100));
  return `${path}: the events have ${said}, the final response has ${claimed}`;
}

/** Runs the question and returns the exit status. */
async function run(server: string, question: string): Promise<number> {
  const rebuilt = new Rebuilt();
  let final: AgentResponse | undefined;
  let count = 0;
  for await (const event of ask(server, question)) {
    count += 1;
    if (event.object !== "response") {
      show(event, rebuilt.take(event));
    } else if (FINAL.has(event.status)) {
      final = event;
      break;
    }
  }
  if (!final) throw new Failure(1, "The stream ended before the final response.");
  const found = difference(rebuilt.output, final.output ?? []);
  if (found) throw new Failure(1, `The events do not match the final response. ${found}`);
  if (final.status !== "completed") {
    const why = final.error ? `${final.error.code}: ${final.error.message}` : "";
    throw new Failure(3, `The run is ${final.status}. ${why}`);
  }
  print(`\n${count} events match the final response.\n`);
  return 0;
}

async function main(): Promise<number> {
  const [server, question, ...rest] = process.argv.slice(2);
  try {
    if (!server?.match(/^https?:\/\//) || question === undefined || rest.length > 0) {
      throw new Failure(2, 'Usage: node dist/client.js http://127.0.0.1:8080 "QUESTION"');
    }
    return await run(server, question);
  } catch (error) {
    // Any other error was thrown by `fetch` or the JSON parser.
    const failure = error instanceof Failure ? error : new Failure(1, `The stream broke: ${error}`);
    console.error(`\n${failure.message}`);
    return failure.status;
  }
}

process.exitCode = await main();
