// Takes the bodies of answers apart into single bytes. Node's `fetch` joins the chunks that arrive at once, so that no
// server could show that a client minds where a chunk ends.
const fetchWhole = globalThis.fetch;

globalThis.fetch = async (...request) => {
  const answer = await fetchWhole(...request);
  const split = new TransformStream({
    transform(chunk, controller) {
      for (const byte of chunk) controller.enqueue(Uint8Array.of(byte));
    },
  });
  return new Response(answer.body.pipeThrough(split), answer);
};
