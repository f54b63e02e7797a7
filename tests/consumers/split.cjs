// Splits the bodies of answers into single bytes. Node's `fetch` joins chunks that arrive together, so no server could show
// that a client depends on the boundaries of chunks.
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
