// What a device and a batcher say to each other through a relay: the key
// statement, the sealed act and the promise, byte by byte as in docs/wire.md,
// "The way in".
import { verify as signed } from "./ed25519";
import { type Bytes, join, publicKeyBytes, seal } from "./seal";

export const plainBytes = 2048; // length of the act (2 bytes, big-endian), the act, zeros
export const sealedBytes = 8 + publicKeyBytes + plainBytes + 16;
export const statementBytes = 32 + 32 + publicKeyBytes + 8 + 64;
export const promiseBytes = 32 + 32 + 8 + 64;
export const answerBytes = 256;

/** RelayError says what a relay or a batcher did that it must not. */
export class RelayError extends Error {
  override name = "RelayError";
}

/** Why a batcher did not take an act. */
export type Refusal = "unreadable" | "malformed" | "elsewhere" | "unproven" | "used" | "busy";

const refusals: readonly Refusal[] = ["unreadable", "malformed", "elsewhere", "unproven", "used", "busy"];

/** RefusedError is a batcher's no; "used" says that the account is on the ledger already. */
export class RefusedError extends Error {
  override name = "RefusedError";
  constructor(readonly code: Refusal, text: string) {
    super(text);
  }
}

/** Batcher is one as the ledger's directory knows it: names and key of 32 bytes. */
export interface Batcher {
  ledger: Uint8Array;
  actor: Uint8Array;
  key: Uint8Array; // its present Ed25519 key, from the directory, never from a relay
}

/** Statement says which key acts are sealed to. */
export interface Statement {
  key: Bytes; // raw public HPKE key
  notAfter: number; // milliseconds since 1970 UTC
}

/** Promise is a batcher's word that it holds an act. Keep its bytes: they prove a drop. */
export interface Promised {
  epoch: bigint;
  bytes: Bytes;
}

/** readStatement reads and verifies a key statement at a time of the ledger's clock. */
export async function readStatement(b: Uint8Array, from: Batcher, now: number): Promise<Statement> {
  if (b.length !== statementBytes) {
    throw new RelayError(`key statement: ${b.length} bytes; it has ${statementBytes}`);
  }
  const end = statementBytes - 64;
  const notAfter = Number(view(b).getBigInt64(end - 8));
  if (!equal(b.subarray(0, 32), from.ledger) || !equal(b.subarray(32, 64), from.actor)) {
    throw new RelayError("key statement: of another ledger or batcher");
  }
  if (now >= notAfter) {
    throw new RelayError("key statement: too old; get it anew");
  }
  await verify(from.key, domain("seal/statement", b.subarray(0, end)), b.subarray(end), "key statement");
  return { key: new Uint8Array(b.subarray(64, 64 + publicKeyBytes)), notAfter };
}

/** sealAct seals the canonical bytes of an act to a batcher: always sealedBytes. */
export async function sealAct(to: Statement, from: Batcher, act: Uint8Array): Promise<Bytes> {
  if (act.length === 0 || act.length > plainBytes - 2) {
    throw new RelayError(`act: ${act.length} bytes; at least one and at most ${plainBytes - 2} fit into a sealed act`);
  }
  const plain = new Uint8Array(plainBytes);
  view(plain).setUint16(0, act.length);
  plain.set(act, 2);
  const id = (await sha256(domain("seal/key", to.key))).subarray(0, 8);
  return join(id, await seal(to.key, domain("seal", from.ledger, from.actor), plain));
}

/** readAnswer reads a batcher's answer to a sealed act and verifies its promise; a no is a RefusedError. */
export async function readAnswer(b: Uint8Array, from: Batcher, sealed: Uint8Array): Promise<Promised> {
  if (b.length !== answerBytes) {
    throw new RelayError(`answer: ${b.length} bytes; it has ${answerBytes}`);
  }
  if (b[0] === 1) {
    filled(b.subarray(1 + promiseBytes));
    return readPromise(b.subarray(1, 1 + promiseBytes), from, sealed);
  }
  const code = b[0] === 2 ? refusals[b[1]! - 1] : undefined;
  const end = 3 + b[2]!;
  if (code === undefined || end > b.length) {
    throw new RelayError("answer: neither a promise nor a refusal");
  }
  filled(b.subarray(end));
  throw new RefusedError(code, new TextDecoder().decode(b.subarray(3, end)));
}

/** readPromise reads and verifies a promise for sealed bytes. */
export async function readPromise(b: Uint8Array, from: Batcher, sealed: Uint8Array): Promise<Promised> {
  if (b.length !== promiseBytes) {
    throw new RelayError(`promise: ${b.length} bytes; it has ${promiseBytes}`);
  }
  if (!equal(b.subarray(0, 32), from.ledger) || !equal(b.subarray(32, 64), await sha256(sealed))) {
    throw new RelayError("promise: of another ledger or another sealed act");
  }
  await verify(from.key, domain("promise", b.subarray(0, 72)), b.subarray(72), "promise");
  return { epoch: view(b).getBigUint64(64), bytes: new Uint8Array(b) };
}

/** domain begins what is hashed, signed or sealed with what it is. */
function domain(word: string, ...parts: Uint8Array[]): Bytes {
  return join(new TextEncoder().encode(`trialith/v1/${word}\0`), ...parts);
}

async function verify(key: Uint8Array, message: Bytes, signature: Uint8Array, what: string): Promise<void> {
  if (!(await signed(key, signature, message))) {
    throw new RelayError(`${what}: signature: not the batcher's`);
  }
}

async function sha256(b: Uint8Array): Promise<Bytes> {
  return new Uint8Array(await crypto.subtle.digest("SHA-256", new Uint8Array(b)));
}

function filled(b: Uint8Array): void {
  if (b.some((x) => x !== 0)) {
    throw new RelayError("answer: not filled up with zeros");
  }
}

function equal(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((x, i) => x === b[i]);
}

function view(b: Uint8Array): DataView {
  return new DataView(b.buffer, b.byteOffset, b.byteLength);
}
