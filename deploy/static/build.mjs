// Build the page into a folder that any web server can serve:
// node build.mjs [--out FOLDER] [--model FOLDER with colorizer-*.onnx] [--precision fp16]

import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { build } from "esbuild";

const HERE = dirname(fileURLToPath(import.meta.url)), ROOT = resolve(HERE, "../..");
const COPIED = ["index.html", "page.css", "manifest.webmanifest", "icon.svg"];
const EXAMPLES = ["portrait", "workers", "bee", "street"]; // public domain and CC0
const RUNTIME = join(HERE, "node_modules/onnxruntime-web");
const RUNTIME_FILES = ["", ".asyncify"].flatMap((kind) =>
  ["mjs", "wasm"].map((ending) => `ort-wasm-simd-threaded${kind}.${ending}`));

const { values } = parseArgs({
  options: {
    out: { type: "string", default: join(ROOT, "build/static") },
    model: { type: "string" },
    precision: { type: "string", default: "fp16" },
  },
});
const out = resolve(values.out);
rmSync(out, { recursive: true, force: true });
mkdirSync(out, { recursive: true });

const large = [...copyRuntime(), copyModel()];
cpSync(join(ROOT, "LICENSE"), join(out, "LICENSE"));
cpSync(join(ROOT, "weights/README.md"), join(out, "MODEL.md"));
for (const name of COPIED) cpSync(join(HERE, name), join(out, name));
for (const name of EXAMPLES) {
  cpSync(join(ROOT, `examples/${name}.jpg`), join(out, `examples/${name}.jpg`));
}
const scripts = await bundle({ page: "page.ts", worker: "worker.ts" }, { splitting: true });
const files = [...COPIED, ...EXAMPLES.map((name) => `examples/${name}.jpg`), ...scripts, "model.json"];
const version = hash(...files.map((name) => readFileSync(join(out, name))));
const SHELL = { files: ["./", ...files], large, version };
await bundle({ sw: "sw.ts" }, { format: "iife", define: { SHELL: JSON.stringify(SHELL) } });
console.log(`The page is in ${out}; serve that folder.`);

/** Bundle scripts into the folder; returns their names. */
async function bundle(entries, options) {
  const entryPoints = Object.fromEntries(
    Object.entries(entries).map(([name, source]) => [name, join(HERE, "src", source)]));
  const { metafile } = await build({
    entryPoints, outdir: out, absWorkingDir: out, bundle: true, minify: true, metafile: true,
    format: "esm", target: "es2022", conditions: ["onnxruntime-web-use-extern-wasm"], ...options,
  });
  return Object.keys(metafile.outputs);
}

/** Copy ONNX Runtime's files, in a folder that is named after its version. */
function copyRuntime() {
  const { version } = JSON.parse(readFileSync(join(RUNTIME, "package.json"), "utf8"));
  return RUNTIME_FILES.map((name) => {
    const target = `ort-${version}/${name}`;
    cpSync(join(RUNTIME, "dist", name), join(out, target));
    return target;
  });
}

/** Export the network, or take the exported one, and describe it in model.json. */
function copyModel() {
  const folder = values.model ?? mkdtempSync(join(tmpdir(), "colorizer-"));
  if (values.model === undefined) {
    const command = ["run", "--extra", "onnx", "colorizer", "export", "--onnx", folder];
    execFileSync("uv", [...command, "--precision", values.precision], { cwd: ROOT, stdio: "inherit" });
  }
  const weights = readFileSync(join(folder, `colorizer-${values.precision}.onnx`));
  if (values.model === undefined) rmSync(folder, { recursive: true });
  const file = `colorizer-${values.precision}-${hash(weights)}.onnx`;
  const { precision, working_size, sha256, software } = metadata(weights);
  const model = {
    file, bytes: weights.length, precision, workingSize: Number(working_size),
    checkpoint: sha256, software,
  };
  writeFileSync(join(out, file), weights);
  writeFileSync(join(out, "model.json"), JSON.stringify(model));
  return file;
}

/** The metadata of an ONNX file: field 14 of its ModelProto, pairs of a key and a value. */
function metadata(model) {
  const texts = {};
  for (const [field, content] of fields(model)) {
    if (field !== 14) continue;
    const pair = Object.fromEntries(fields(content));
    texts[pair[1].toString()] = pair[2].toString();
  }
  return texts;
}

/** The fields of a protobuf message that have a length. */
function* fields(message) {
  let at = 0;
  const number = () => {
    let value = 0, scale = 1, byte;
    do {
      byte = message[at++];
      value += (byte & 127) * scale;
      scale *= 128;
    } while (byte & 128);
    return value;
  };
  while (at < message.length) {
    const key = number();
    if ((key & 7) === 0) number();
    else if ((key & 7) === 2) {
      const length = number();
      yield [key >> 3, message.subarray(at, at += length)];
    } else throw new Error("The network is not an ONNX file; export it again.");
  }
}

function hash(...contents) {
  const sum = createHash("sha256");
  contents.forEach((content) => sum.update(content));
  return sum.digest("hex").slice(0, 12);
}
