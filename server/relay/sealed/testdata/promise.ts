// What the tests in Go call in the browser: the functions of promise.ts on hexadecimal text.
import * as promise from "../../../web/app/promise";

const unhex = (s: string) => Uint8Array.from(s.match(/../g) ?? [], (x) => parseInt(x, 16));
const hex = (b: Uint8Array) => Array.from(b, (x) => x.toString(16).padStart(2, "0")).join("");

interface From {
  ledger: string;
  actor: string;
  key: string;
}

const batcher = (f: From) => ({ ledger: unhex(f.ledger), actor: unhex(f.actor), key: unhex(f.key) });

export async function statement(b: string, from: From, now: number) {
  const s = await promise.readStatement(unhex(b), batcher(from), now);
  return [hex(s.key), String(s.notAfter)];
}

export async function sealAct(b: string, from: From, now: number, act: string) {
  const f = batcher(from);
  return hex(await promise.sealAct(await promise.readStatement(unhex(b), f, now), f, unhex(act)));
}

export async function answer(b: string, from: From, sealed: string) {
  try {
    const p = await promise.readAnswer(unhex(b), batcher(from), unhex(sealed));
    return ["promise", String(p.epoch), hex(p.bytes)];
  } catch (e) {
    if (e instanceof promise.RefusedError) {
      return ["refused", e.code, e.message];
    }
    throw e;
  }
}
