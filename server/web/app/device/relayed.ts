// An act sealed to a batcher and posted through a relay of another
// organisation: the relay knows the address, the batcher the act, and neither both.

import { readAnswer, readStatement, RefusedError as BatcherRefused, RelayError, answerBytes, sealAct, statementBytes, type Batcher } from "../promise";
import { SealError } from "../seal";
import { send, type Actor, type Answer, type Way, type Ways } from "./api";
import { base64, unname, type Bytes, type Name } from "./bytes";
import { DeviceError, RefusedError } from "./error";
import { type Sent } from "./queue";

const mostBytes = 4096; // of what a relay answers

/**
 * relayed sends an act's body by a batcher and a relay taken at random, of those
 * that were not tried if there are any, and returns the batcher's promise. The
 * batchers' keys are those of the ledger's directory: a relay is believed nothing.
 */
export async function relayed(
  ways: Ways, actors: readonly Actor[], ledger: Name, body: Uint8Array, tried: readonly Name[], now: number, epoch: number,
  signal?: AbortSignal,
): Promise<Pick<Sent, "batcher" | "promise" | "sealed">> {
  const known = ways.batchers.flatMap((way) => {
    const signer = actors.find((a) => a.actor === way.actor && a.role === "batcher" && !a.revoked);
    return signer && way.relays.length > 0 ? [{ way, signer }] : [];
  });
  if (known.length === 0) {
    throw new DeviceError("answer", "the ledger knows none of the batchers that the node names; it is tried again later");
  }
  const { way, signer } = choose(known, tried);
  const to: Batcher = { ledger: unname(ledger, "ledger"), actor: unname(way.actor, "batcher"), key: unname(signer.key, "key") };
  const address = `${way.relays[below(way.relays.length)]!.replace(/\/$/, "")}/v1/sealed/${way.actor}`;
  const statement = exactly(await send(`${address}/key`, {}, mostBytes, signal), statementBytes);
  const sealed = await told(async () => sealAct(await readStatement(statement, to, now), to, body));
  const post = { method: "POST", headers: { "Content-Type": "application/octet-stream" }, body: sealed };
  const answer = exactly(await send(address, post, mostBytes, signal), answerBytes);
  const promise = await told(() => readAnswer(answer, to, sealed));
  if (promise.epoch > BigInt(epoch + 1)) { // its clock may be a little ahead
    throw new DeviceError("answer", `promise: for epoch ${promise.epoch}, which has not come; it would hold the batcher to nothing`);
  }
  return { batcher: way.actor, promise: base64(promise.bytes), sealed: base64(sealed) };
}

interface Known {
  way: Way;
  signer: Actor;
}

function choose(batchers: readonly Known[], tried: readonly Name[]): Known {
  const fresh = batchers.filter((b) => !tried.includes(b.way.actor));
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

// told has a fault of relay or batcher told in the device's words: whatever it is,
// the act stays and goes another way. A batcher judges nothing: only that the
// account is used is looked up in the public list.
async function told<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (e) {
    if (e instanceof BatcherRefused) {
      const text = "batcher: " + e.message;
      throw e.code === "used" ? new RefusedError(422, 306, text, "") : new DeviceError("offline", text);
    }
    if (e instanceof RelayError || e instanceof SealError) {
      throw new DeviceError("answer", e.message);
    }
    throw e;
  }
}
