// An act sealed to a batcher and posted through a relay of another
// organisation: the relay knows the address, the batcher the act, and neither both.

import { seal } from "../seal";
import { send, type Answer, type Node, type Way, type Ways } from "./api";
import { base64, equal, hex, join, unname, utf8, type Bytes, type Name } from "./bytes";
import { DeviceError, RefusedError } from "./error";
import { sha256, subtle } from "./hash";
import { type Sent } from "./queue";

const plainBytes = 2048;
const keyBytes = 65;
const signatureBytes = 64;
const statementBytes = 32 + 32 + keyBytes + 8 + signatureBytes;
const promiseBytes = 32 + 32 + 8 + signatureBytes;
const answerBytes = 256;
const mostBytes = 4096; // of what a relay answers
const zero = Uint8Array.of(0);

/**
 * relayed sends an act's body by a batcher and a relay taken at random, of those
 * that were not tried if there are any, and returns the batcher's promise.
 */
export async function relayed(
  node: Node, ways: Ways, ledger: Name, body: Uint8Array, tried: readonly Name[], now: number, signal?: AbortSignal,
): Promise<Pick<Sent, "batcher" | "promise" | "sealed">> {
  const way = choose(ways.batchers.filter((b) => b.relays.length > 0), tried);
  const relay = way.relays[below(way.relays.length)]!.replace(/\/$/, "");
  const signer = (await node.actors(signal)).find((a) => a.actor === way.actor && a.role === "batcher");
  if (!signer) {
    throw new DeviceError("answer", `batcher ${way.name}: the ledger knows none of that name`);
  }
  const address = `${relay}/v1/sealed/${way.actor}`;
  const statement = exactly(await send(`${address}/key`, {}, mostBytes, signal), statementBytes);
  const key = await sealKey(statement, ledger, way.actor, signer.key, now);
  const sealed = await sealAct(key, ledger, way.actor, body);
  const post = { method: "POST", headers: { "Content-Type": "application/octet-stream" }, body: sealed };
  const answer = exactly(await send(address, post, mostBytes, signal), answerBytes);
  const promise = await readAnswer(answer, ledger, signer.key, sealed);
  return { batcher: way.actor, promise: base64(promise), sealed: base64(sealed) };
}

function choose(batchers: readonly Way[], tried: readonly Name[]): Way {
  const fresh = batchers.filter((b) => !tried.includes(b.actor));
  const from = fresh.length > 0 ? fresh : batchers;
  return from[below(from.length)]!;
}

// below is a random number from 0 to n − 1. N is small: the bias of 32 bits is nothing.
function below(n: number): number {
  return crypto.getRandomValues(new Uint32Array(1))[0]! % n;
}

function exactly({ status, body }: Answer, size: number): Bytes {
  if (status !== 200 || body.length !== size) {
    throw new DeviceError("offline", `the relay answered ${status} with ${body.length} bytes, not ${size}; it is tried again later`);
  }
  return body;
}

function domain(word: string, ...parts: readonly Uint8Array[]): Bytes {
  return join(utf8(`trialith/v1/${word}`), zero, ...parts);
}

/** sealKey reads a batcher's signed statement of the key that acts are sealed to. The relay that brought it is believed nothing. */
export async function sealKey(statement: Bytes, ledger: Name, batcher: Name, signer: Name, now: number): Promise<Bytes> {
  const signed = statement.subarray(0, statementBytes - signatureBytes);
  const key = signed.slice(64, 64 + keyBytes);
  const notAfter = Number(new DataView(statement.buffer, statement.byteOffset).getBigInt64(64 + keyBytes));
  if (hex(signed.subarray(0, 32)) !== ledger || hex(signed.subarray(32, 64)) !== batcher) {
    throw new DeviceError("answer", "key statement: of another ledger or batcher");
  }
  if (now >= notAfter) {
    throw new DeviceError("offline", "key statement: too old; it is asked for again later");
  }
  await verify(signer, domain("seal/statement", signed), statement.subarray(signed.length), "key statement");
  return key;
}

/** sealAct seals an act to a batcher's key: always of one size. */
export async function sealAct(key: Uint8Array, ledger: Name, batcher: Name, body: Uint8Array): Promise<Bytes> {
  if (body.length === 0 || body.length > plainBytes - 2) {
    throw new RangeError(`act: ${body.length} bytes; at least one and at most ${plainBytes - 2} fit into a sealed act`);
  }
  const plain = new Uint8Array(plainBytes);
  new DataView(plain.buffer).setUint16(0, body.length);
  plain.set(body, 2);
  const id = (await sha256(domain("seal/key", key))).subarray(0, 8);
  return join(id, await seal(key, domain("seal", unname(ledger, "ledger"), unname(batcher, "batcher")), plain));
}

/** readAnswer reads a batcher's answer: the bytes of its promise, verified. */
export async function readAnswer(answer: Bytes, ledger: Name, signer: Name, sealed: Uint8Array): Promise<Bytes> {
  if (answer[0] === 2) {
    throw refusal(answer);
  }
  const promise = answer.slice(1, 1 + promiseBytes);
  if (answer[0] !== 1 || answer.subarray(1 + promiseBytes).some((x) => x !== 0)) {
    throw new DeviceError("answer", "batcher: neither a promise nor a refusal");
  }
  const signed = promise.subarray(0, promiseBytes - signatureBytes);
  if (hex(signed.subarray(0, 32)) !== ledger || !equal(signed.subarray(32, 64), await sha256(sealed))) {
    throw new DeviceError("answer", "promise: of another ledger or act");
  }
  await verify(signer, domain("promise", signed), promise.subarray(signed.length), "promise");
  return promise;
}

const used = 5;

// A batcher judges nothing: what it does not take goes to another, later. Only
// that the account is used is looked up in the public list.
function refusal(answer: Bytes): DeviceError {
  const text = "batcher: " + new TextDecoder().decode(answer.subarray(3, 3 + answer[2]!));
  return answer[1] === used ? new RefusedError(422, 306, text, "") : new DeviceError("offline", text);
}

async function verify(signer: Name, signed: Bytes, signature: Uint8Array, what: string): Promise<void> {
  let right: boolean;
  try {
    const key = await subtle().importKey("raw", unname(signer, "key"), "Ed25519", false, ["verify"]);
    right = await subtle().verify("Ed25519", key, new Uint8Array(signature), signed);
  } catch (e) {
    throw new DeviceError("insecure", "this browser knows no Ed25519 signatures; it is too old for a relay", { cause: e });
  }
  if (!right) {
    throw new DeviceError("answer", `${what}: signature: not the batcher's`);
  }
}
