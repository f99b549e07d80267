// The service worker. It keeps the page's files, so that the page works offline, and adds the
// headers that threads need (cross-origin isolation) where the server doesn't send them.

export {};

/** By build.mjs: files that are kept at once, and large ones that are kept when they are used. */
declare const SHELL: { files: string[]; large: string[]; version: string };
declare const self: ServiceWorkerGlobalScope;

const SHELL_CACHE = `colorizer-shell-${SHELL.version}`;
const LARGE_CACHE = "colorizer-large"; // the runtime and the network; their names change with them
const ISOLATION = {
  "Cross-Origin-Embedder-Policy": "require-corp",
  "Cross-Origin-Opener-Policy": "same-origin",
  "Cross-Origin-Resource-Policy": "same-origin",
};

self.addEventListener("install", (event) => {
  event.waitUntil(fillShell().then(() => self.skipWaiting()));
});

self.addEventListener("activate", (event) => {
  event.waitUntil(dropOld().then(() => self.clients.claim()));
});

self.addEventListener("fetch", (event) => {
  const { request } = event;
  const inScope = request.url.startsWith(self.registration.scope);
  if (request.method === "GET" && inScope) event.respondWith(answer(request));
});

async function fillShell(): Promise<void> {
  const cache = await caches.open(SHELL_CACHE);
  await cache.addAll(SHELL.files.map((file) => new Request(file, { cache: "reload" })));
}

async function dropOld(): Promise<void> {
  for (const name of await caches.keys()) {
    if (name.startsWith("colorizer-shell-") && name !== SHELL_CACHE) await caches.delete(name);
  }
  const large = await caches.open(LARGE_CACHE);
  for (const { url } of await large.keys()) if (!isLarge(url)) await large.delete(url);
}

function isLarge(url: string): boolean {
  return SHELL.large.some((file) => url === new URL(file, self.registration.scope).href);
}

async function answer(request: Request): Promise<Response> {
  const cached = await caches.match(request, { ignoreSearch: true });
  if (cached) return isolated(cached);
  const response = await fetch(request);
  if (response.status !== 200 || !isLarge(request.url)) return isolated(response);
  const copy = response.clone();
  const cache = await caches.open(LARGE_CACHE);
  void cache.put(request, copy).catch(() => {}); // without space, the next visit fetches it again
  return isolated(response);
}

function isolated(response: Response): Response {
  if (response.type === "opaqueredirect" || response.status === 0) return response;
  const headers = new Headers(response.headers);
  for (const [name, value] of Object.entries(ISOLATION)) headers.set(name, value);
  const { status, statusText } = response;
  return new Response(response.body, { status, statusText, headers });
}
