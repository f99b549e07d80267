// The server's queue: no event of Gradio's waits for its answer in vain, and the page knows when
// nothing changes the photo any more.
//
// Answers come in a stream, which ends with the last one. Gradio's client takes the stream for open
// until it reads the end, and never opens another one for an event that joins the queue meanwhile.
// So it hears that an event has joined only once the stream tells of it, or is over.
const QUIET_TICKS = 5;  // of 20 ms without work; between the events of one action there are fewer
const plainFetch = window.fetch.bind(window);
const heard = new Map();  // what the stream told last of an event, by its ID
const waiting = new Map();  // what to do once the stream tells of an event, by its ID
const working = new Set();  // what changes the photo on the stage, and has no answer yet
let stream = null;  // that the client takes for open

window.fetch = (resource, options) => {
  const {pathname} = new URL(resource.url ?? resource, location.href);
  if (pathname.endsWith("/queue/data")) return openStream(resource, options);
  if (pathname.endsWith("/queue/join")) return join(resource, options);
  return plainFetch(resource, options);
};

async function openStream(resource, options) {
  const opened = stream = {end: () => endStream(opened)};
  const {signal} = new Request(resource, options);
  signal.addEventListener("abort", opened.end);
  try {
    const response = await plainFetch(resource, options);
    if (response.ok) return new Response(response.body.pipeThrough(listener(opened)), response);
    opened.end();
    return response;
  } catch (error) {
    opened.end();
    throw error;
  }
}

function endStream(ended) {
  if (stream !== ended) return;
  stream = null;
  for (const event of working)
    if (typeof event === "string" && !waiting.has(event)) working.delete(event);
  for (const proceed of waiting.values()) proceed();
}

// Hears each message before the client reads it.
function listener(opened) {
  const decoder = new TextDecoder();
  let text = "";
  return new TransformStream({
    transform(chunk, controller) {
      const lines = (text + decoder.decode(chunk, {stream: true})).split("\n");
      text = lines.pop();
      for (const line of lines) if (line.startsWith("data:")) hear(JSON.parse(line.slice(5)), opened);
      controller.enqueue(chunk);
    },
  });
}

function hear({msg: kind, event_id: id}, opened) {
  if (kind === "close_stream") setTimeout(opened.end);  // the client has read it by then
  heard.set(id, kind);
  waiting.get(id)?.();
  if (kind === "process_completed") working.delete(id);
}

async function join(resource, options) {
  const changes = changesPhoto(JSON.parse(options.body).fn_index);
  const joining = {};  // stands for the event until its ID is known
  if (changes) working.add(joining);
  try {
    const response = await plainFetch(resource, options);
    const {event_id: id} = await response.clone().json().catch(() => ({}));
    if (changes && id && heard.get(id) !== "process_completed") working.add(id);
    if (stream && id && !heard.has(id)) await new Promise(resolve => waiting.set(id, resolve));
    waiting.delete(id);
    return response;
  } finally {
    working.delete(joining);
  }
}

// Whether an event of Gradio's changes the picture on the stage, the facts about it or a setting.
function changesPhoto(index) {
  const {components, dependencies} = window.gradio_config;
  const names = new Set(["processed-file", "facts", ...Object.keys(neutral)]);
  const {outputs} = dependencies.find(dependency => dependency.id === index);
  return components.some(({id, props}) => names.has(props.elem_id) && outputs.includes(id));
}

// Wait until nothing changes the photo.
async function rest() {
  for (let quiet = 0; quiet < QUIET_TICKS; quiet = working.size ? 0 : quiet + 1)
    await new Promise(resolve => setTimeout(resolve, 20));
}
