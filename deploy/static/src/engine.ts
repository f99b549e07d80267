// Calls of the worker's actions, and the headers that its threads need.

import type { Actions } from "./worker";

const WAIT = 10_000; // milliseconds for the service worker; without it, the page works, too

/** The worker's actions as functions of the page; `onProgress` gets the share of the download. */
export function startWorker(onProgress: (share: number) => void): Actions {
  const worker = new Worker(new URL("worker.js", document.baseURI), { type: "module" });
  const waiting = new Map<number, { resolve: (value: never) => void; reject: (e: Error) => void }>();
  let calls = 0;
  worker.onmessage = ({ data: { id, result, error, progress } }) => {
    if (progress !== undefined) return onProgress(progress);
    const { resolve, reject } = waiting.get(id)!;
    waiting.delete(id);
    if (error === undefined) resolve(result as never);
    else reject(new Error(error));
  };
  worker.onerror = ({ message }) => {
    for (const { reject } of waiting.values()) reject(new Error(message));
    waiting.clear();
  };
  return new Proxy({} as Actions, {
    get: (_, name) => (...parts: unknown[]) =>
      new Promise((resolve, reject) => {
        waiting.set(++calls, { resolve, reject });
        worker.postMessage({ id: calls, name, parts });
      }),
  });
}

/**
 * Register the service worker. Where the server doesn't send the headers for threads, the service
 * worker adds them, which takes effect when the page is loaded again: that happens once, unless the
 * visitor is faster and has `begun`.
 *
 * Returns whether the page works offline; undefined while it is loaded again.
 */
export async function registerServiceWorker(begun: () => boolean): Promise<boolean | undefined> {
  const container = navigator.serviceWorker;
  if (!container) return false; // without HTTPS, or in a private window
  try {
    await container.register("sw.js");
    await before(WAIT, container.controller ? Promise.resolve() : controlled(container));
  } catch {
    return false;
  }
  const [{ type }] = performance.getEntriesByType("navigation") as PerformanceNavigationTiming[];
  if (!crossOriginIsolated && type !== "reload" && !begun()) {
    location.reload();
    return undefined;
  }
  return true;
}

function controlled(container: ServiceWorkerContainer): Promise<void> {
  return new Promise((resolve) => {
    container.addEventListener("controllerchange", () => resolve(), { once: true });
  });
}

function before(milliseconds: number, promise: Promise<void>): Promise<void> {
  return Promise.race([
    promise,
    new Promise<never>((_, reject) => setTimeout(() => reject(new Error("late")), milliseconds)),
  ]);
}
