// The exported network in ONNX Runtime Web: on the GPU where there is WebGPU, else on the CPU.

import type { InferenceSession, Tensor } from "onnxruntime-web";
import type { Network } from "./colorize";
import { makePlane, type Plane } from "./planes";

const CHECKED_SIZE = 32; // pixels of each side of a picture that a graphics card has to color
const MAX_THREADS = 8; // more threads wait for each other

/** A file in the folder of the page, as build.mjs describes it. */
export interface Model {
  file: string;
  bytes: number;
  precision: string;
  workingSize: number;
  checkpoint: string; // SHA-256 of the weights
  software: string;
}

/** A network that is ready, and what runs it. */
export interface Engine {
  network: Network;
  model: Model;
  device: "webgpu" | "wasm";
  threads: number;
}

/** Of WebGPU. An emulated one computes on the CPU, far slower than WebAssembly. */
interface Adapter {
  info?: { isFallbackAdapter?: boolean };
  isFallbackAdapter?: boolean; // in older browsers
}

/** Load the network, on the first device that can run it. */
export async function loadEngine(progress: (share: number) => void): Promise<Engine> {
  const model: Model = await (await fetchFile("model.json")).json();
  const weights = await download(model, progress);
  let reason: unknown;
  for (const device of await devices()) {
    try {
      return await start(model, weights, device);
    } catch (error) {
      reason = error;
    }
  }
  throw reason;
}

/** What may run the network, the fastest first. */
async function devices(): Promise<Engine["device"][]> {
  const { gpu } = navigator as { gpu?: { requestAdapter(): Promise<Adapter | null> } };
  const adapter = await gpu?.requestAdapter().catch(() => null);
  const emulated = adapter?.info?.isFallbackAdapter ?? adapter?.isFallbackAdapter ?? false;
  return adapter && !emulated ? ["webgpu", "wasm"] : ["wasm"];
}

async function start(
  model: Model, weights: Uint8Array, device: Engine["device"],
): Promise<Engine> {
  const gpu = device === "webgpu";
  const ort = gpu ? await import("onnxruntime-web/webgpu") : await import("onnxruntime-web/wasm");
  const threads = crossOriginIsolated ? Math.min(navigator.hardwareConcurrency, MAX_THREADS) : 1;
  const name = `ort-${ort.env.versions.web}/ort-wasm-simd-threaded${gpu ? ".asyncify" : ""}`;
  const address = (ending: string) => new URL(`${name}.${ending}`, self.location.href).href;
  ort.env.wasm.wasmPaths = { mjs: address("mjs"), wasm: address("wasm") };
  ort.env.wasm.numThreads = threads;
  const session = await ort.InferenceSession.create(weights, { executionProviders: [device] });
  const network: Network = (lightness) => run(session, ort.Tensor, lightness);
  if (gpu) await check(network);
  return { network, model, device, threads };
}

/** Throw if the network's colors are not numbers: some graphics drivers fail only when they run. */
async function check(network: Network): Promise<void> {
  const gray = makePlane(CHECKED_SIZE, CHECKED_SIZE);
  gray.data.fill(50);
  const { a, b } = await network(gray);
  if (![...a.data, ...b.data].every(Number.isFinite)) throw new Error("WebGPU returns no colors.");
}

async function run(session: InferenceSession, make: typeof Tensor, lightness: Plane) {
  const { data, width, height } = lightness;
  const input = new make("float32", data, [1, 1, height, width]);
  const { ab } = await session.run({ lightness: input }, ["ab"]);
  const values = (await ab.getData()) as Float32Array;
  const size = width * height;
  const plane = (start: number): Plane => ({ data: values.slice(start, start + size), width, height });
  const colors = { a: plane(0), b: plane(size) };
  ab.dispose();
  return colors;
}

/** Fetch the model; the service worker keeps it. */
async function download(model: Model, progress: (share: number) => void): Promise<Uint8Array> {
  const response = await fetchFile(model.file);
  const weights = new Uint8Array(model.bytes);
  const reader = response.body!.getReader();
  let at = 0;
  for (;;) {
    const { done, value } = await reader.read();
    if (done) break;
    weights.set(value, at);
    at += value.length;
    progress(at / model.bytes);
  }
  if (at !== model.bytes) throw new Error(`${model.file} is incomplete.`);
  return weights;
}

async function fetchFile(name: string): Promise<Response> {
  const response = await fetch(new URL(name, self.location.href));
  if (!response.ok) throw new Error(`${name} can't be loaded (HTTP ${response.status}).`);
  return response;
}
