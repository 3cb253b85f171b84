/**
 * Which key a prover proves with. A ledger names one verifying key, by its hash in
 * the genesis; participants' proofs must pass it. The development key's files are
 * pinned in the page's script. Those of a ceremony's key are listed by the ledger's
 * node, /prover/key.json, which is not believed in what matters:
 *
 * The verifying key is used only if its hash is the ledger's name for it. The files
 * of the proving key can have no pin here: whoever serves them may have made them.
 * What keeps the secrets is that a worker takes δ from no other key than the
 * verifying key's (trust.ts), takes no point off its curve, and hands out no proof
 * that it has not verified. Then A and B are blinded by multiples r·δ and s·δ of
 * points that generate their groups, which makes them uniform; B outside its group
 * is refused with the proof; and the one C that the equation admits follows from
 * A, B and the public inputs. So a proof that is handed out says nothing but its
 * statement, whichever points the rest of the key holds, and even if the verifying
 * key itself is a forger's. What a hostile node can learn is whether a proof came
 * about at all, one bit for each key that it makes us try. The circuit that is
 * solved, and this script, are pinned for every ledger.
 *
 * There is no falling back: a ledger whose key is not to be had gets no proof.
 */
import { KeylessError, ProverError } from "./error";
import { type Pinned, download, hex } from "./files";
import type { Pin, pins } from "./pins";
import { verifyingKey } from "./vk";

/** The files that the two keys of a ceremony are made of. The circuit and the kernel are every ledger's. */
const KEY_FILES = ["small.bin", "A.bin", "B1.bin", "K.bin", "Z.bin", "B2.bin"] as const;
type KeyFile = (typeof KEY_FILES)[number];
/** What gnark's prover reads instead, and what both verify with. */
const OTHER_FILES = ["proving.bin", "verifying.bin"] as const;

/** No file of a key is longer. */
const MOST_BYTES = 16 << 20;
/** Nor its list. */
const MOST_LIST = 1 << 16;

/** A key other than the built-in one, of which the verifying key is known to be the ledger's. */
export interface LedgerKey {
  /** Its name, 64 lower-case hexadecimal digits. */
  readonly hash: string;
  /** Its bytes. */
  readonly verifying: Uint8Array<ArrayBuffer>;
  /** The proving key's parts, as the node lists them. */
  readonly files: Readonly<Pick<Record<keyof typeof pins, Pin>, KeyFile>>;
  /** The same key as the ceremony left it, for gnark's prover. */
  readonly proving: Pin;
}

/** The name of a verifying key, as circuits/verifier has it. */
export async function nameOf(key: Uint8Array): Promise<string> {
  if (!globalThis.crypto?.subtle) {
    throw new ProverError("unsupported", "the browser compares files only on https pages and on this computer's own address; open the page there");
  }
  const tag = new TextEncoder().encode("trialith/v1/verifying-key\0");
  const all = new Uint8Array(tag.length + key.length);
  all.set(tag);
  all.set(key, tag.length);
  return hex(new Uint8Array(await crypto.subtle.digest("SHA-256", all)));
}

/**
 * The key of a ledger that names this verifying key; undefined: the built-in one.
 * Errors: KeylessError ("unsupported") where the node has no proving key of it, "changed" where it
 * offers another key, "download", "cancelled".
 */
export async function ledgerKey(base: URL, name: string, signal?: AbortSignal): Promise<LedgerKey | undefined> {
  if (!/^[0-9a-f]{64}$/.test(name)) throw new ProverError("internal", "the ledger's verifying key is named by no hash; load the page again");
  if ((await nameOf(verifyingKey())) === name) return undefined;
  const list = readList(await fetchList(base, signal));
  if (list.name !== name) throw another(`the node offers the files of the key ${list.name}, and the ledger names ${name}`);
  const pin = list.files["verifying.bin"];
  const verifying = await download({ ...pin, url: new URL(pin.file, base).href } satisfies Pinned);
  const got = await nameOf(verifying);
  if (got !== name) throw another(`the node offers the verifying key ${got} as ${name}, which the ledger names`);
  return { hash: name, verifying, files: list.files, proving: list.files["proving.bin"] };
}

/** The verifying key of the built-in proving key. */
export const builtIn = verifyingKey;

function another(what: string): ProverError {
  return new ProverError("changed", `${what}; nothing was proven. Load the page again, and tell the study if it happens again`);
}

async function fetchList(base: URL, signal: AbortSignal | undefined): Promise<string> {
  const failed = (why: unknown): ProverError =>
    signal?.aborted
      ? new ProverError("cancelled", "cancelled")
      : new ProverError("download", `key.json: ${why instanceof Error ? why.message : String(why)}; try again when you are online`);
  try {
    const r = await fetch(new URL("key.json", base), { cache: "no-cache", credentials: "omit", referrerPolicy: "no-referrer", signal: signal ?? null });
    const text = await r.text();
    if (r.ok) return text;
    if (r.status === 404 || r.status === 503) throw missing(r.status === 503 ? text.trim() : "");
    throw failed(`status ${r.status}`);
  } catch (e) {
    throw e instanceof ProverError ? e : failed(e);
  }
}

/** What the node says of 503 names the reason. */
function missing(why: string): ProverError {
  const said = why && why.length < 1000 ? ` It says: ${why}.` : "";
  return new KeylessError(
    `this node does not hold the proving key of the ledger's ceremony, so no browser can make a proof here.${said} Use another address of the study, or tell its contact: the operator puts proving-key.bin beside the verifying key`,
  );
}

interface List {
  readonly name: string;
  readonly files: Readonly<Record<KeyFile | (typeof OTHER_FILES)[number], Pin>>;
}

/** Reads key.json. Its addresses cannot leave the base, nor its lengths fill the memory. */
function readList(text: string): List {
  const wrong = (what: string): ProverError => another(`key.json: ${what}`);
  let all: unknown;
  try {
    all = text.length <= MOST_LIST ? JSON.parse(text) : undefined;
  } catch {
    // undefined: refused below
  }
  const { verifying_key: name, files } = fields(all);
  if (typeof name !== "string" || !/^[0-9a-f]{64}$/.test(name)) throw wrong("it names no verifying key");
  const pin = (file: string): [string, Pin] => {
    const { file: address, sha256, bytes } = fields(fields(files)[file]);
    const whole = typeof address === "string" && typeof sha256 === "string" && typeof bytes === "number" && Number.isInteger(bytes);
    if (!whole || !/^[A-Za-z0-9]+\.[0-9a-f]{16}\.bin$/.test(address) || !/^[0-9a-f]{64}$/.test(sha256) || bytes < 0 || bytes > MOST_BYTES) {
      throw wrong(`${file} is not listed as a file is`);
    }
    return [file, { file: address, sha256, bytes }];
  };
  return { name, files: Object.fromEntries([...KEY_FILES, ...OTHER_FILES].map(pin)) as List["files"] };
}

const fields = (x: unknown): Partial<Record<string, unknown>> => (typeof x === "object" && x !== null ? (x as Record<string, unknown>) : {});
