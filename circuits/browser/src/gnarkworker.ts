// The worker around gnark's prover: it loads the program, its key and the script
// that starts it, compares them with the hashes that the server lists, and calls
// the program's functions. See cmd/prover.
import { asProverError, ProverError } from "./error";
import type { Answer, Question } from "./gnark";
import type { LedgerKey } from "./ledgerkey";

type Functions = Record<"load" | "loadKey" | "check" | "prove" | "verify" | "path", (...args: Uint8Array[]) => Uint8Array | Error>;
interface Entry { file: string; sha256: string; bytes: number }
type List = { files: Record<"gnark.wasm" | "gnark.key" | "wasm_exec.js", Entry> };
interface Program { importObject: WebAssembly.Imports; run(i: WebAssembly.Instance): Promise<void> }

/** What a dedicated worker's global scope has of which this uses anything. */
const scope = self as unknown as {
  onmessage: (e: MessageEvent<Question>) => void;
  postMessage(a: Answer): void;
  importScripts(url: string): void;
  Go: new () => Program;
  trialithProver?: (f: Functions) => void;
};

let functions: Functions | undefined;

scope.onmessage = async ({ data: q }) => {
  try {
    scope.postMessage({ id: q.id, value: q.call === "open" ? await open(q.base, q.key) : call(q.call, q.args) });
  } catch (e) {
    const { code, message } = asProverError(e);
    scope.postMessage({ id: q.id, error: { code, message } });
  }
};

function call(name: keyof Functions, args: Uint8Array[]): Uint8Array {
  if (!functions) throw new ProverError("internal", "the prover is not loaded");
  const out = functions[name](...args);
  for (const a of args) a.fill(0); // copies of secrets, made by the message
  if (out instanceof Error) throw new ProverError(/^(witness|statement|field element)/.test(out.message) ? "witness" : "internal", out.message);
  return out;
}

async function open(base: string, other: LedgerKey | undefined): Promise<Uint8Array> {
  const { files } = (await (await get(base, "gnark.json")).json()) as List;
  const keyFile: Entry = other?.proving ?? files["gnark.key"];
  const total = files["gnark.wasm"].bytes + keyFile.bytes;
  let done = 0;
  const loaded = (n: number): void => scope.postMessage({ progress: { step: "download", done: (done += n), total } });
  const [program, key] = await Promise.all([body(base, files["gnark.wasm"], loaded), body(base, keyFile, loaded)]);
  // The starter has no secrecy to lose that this script has not: both are this
  // site's own, and a worker has no way to check a script before it runs it.
  scope.importScripts(new URL(files["wasm_exec.js"].file, base).href);
  functions = await start(program);
  if (other) call("loadKey", [key, other.verifying, nameBytes(other.hash)]);
  else call("load", [key]);
  return new Uint8Array(0);
}

async function start(program: Uint8Array<ArrayBuffer>): Promise<Functions> {
  const go = new scope.Go();
  const { instance } = await WebAssembly.instantiate(program, go.importObject);
  return new Promise((resolve, reject) => {
    scope.trialithProver = resolve;
    go.run(instance).then(() => reject(new ProverError("internal", "the prover ended")), reject);
  });
}

const nameBytes = (hex: string): Uint8Array => Uint8Array.from(hex.match(/../g) ?? [], (x) => Number.parseInt(x, 16));

async function get(base: string, file: string): Promise<Response> {
  const failed = (why: string): ProverError => new ProverError("download", `${file}: ${why}; look at your connection and try again`);
  const r = await fetch(new URL(file, base), { credentials: "omit", referrerPolicy: "no-referrer" }).catch((e: unknown) => {
    throw failed(e instanceof Error ? e.message : "not loaded");
  });
  // What the server says of 503 names the remedy.
  if (r.status === 503) throw new ProverError("unsupported", (await r.text()).trim());
  if (!r.ok) throw failed(`the server answered ${r.status}`);
  return r;
}

async function body(base: string, e: Entry, loaded: (n: number) => void): Promise<Uint8Array<ArrayBuffer>> {
  const out = new Uint8Array(e.bytes);
  const reader = (await get(base, e.file)).body!.getReader();
  let at = 0;
  for (let r = await reader.read(); !r.done; r = await reader.read()) {
    if (at + r.value.length > out.length) throw changed(e);
    out.set(r.value, at);
    at += r.value.length;
    loaded(r.value.length);
  }
  const sum = new Uint8Array(await crypto.subtle.digest("SHA-256", out));
  if (at !== out.length || [...sum].map((b) => b.toString(16).padStart(2, "0")).join("") !== e.sha256) throw changed(e);
  return out;
}

function changed(e: Entry): ProverError {
  return new ProverError("changed", `${e.file} is not the file that the server lists; load the page again`);
}
