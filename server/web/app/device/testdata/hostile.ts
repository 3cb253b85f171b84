// A device whose card, letters and other pages are not what they should be.

export * from "./course";

import { sealToCard, type Card } from "../mail";
import { Node } from "../api";
import { boxOf } from "../card";
import { outgoing } from "./course";
import * as course from "./course";
import { type Choice } from "../form";
import { unbase64 } from "../bytes";
import { type Device } from "../device";
import { type Visiting } from "../visit";
import { DeviceMember } from "../../participant/devicemember";
import { OwnProver } from "../../participant/proving";
import { DeviceError } from "../error";
import { Store } from "../store";
import { verifies, verify } from "../../ed25519";

// both has two pages of one browser agree at once.
export const both = async (version: number, one: Choice, other: Choice): Promise<string[]> => {
  await course.prepare(version);
  const first = course.held();
  await course.prepare(version);
  const done = await Promise.allSettled([first.agree(one), course.held().agree(other)]);
  return [...done.map((d) => (d.status === "rejected" ? String((d.reason as Error).message) : "agreed")), String((await outgoing()).length)];
};

// forge writes a letter that is well sealed and says what it must not.
export const forge = async (code: string, change: Partial<Card>, like: Card): Promise<void> => {
  await new Node().post(await boxOf(code), await sealToCard(code, { ...like, ...change }));
};

// signed checks a signature by the browser, without it, and in a browser that knows no such signatures.
export const signed = async (key: string, signature: string, message: string): Promise<boolean[]> => {
  const [k, s, m] = [unbase64(key, "key"), unbase64(signature, "signature"), unbase64(message, "message")] as const;
  const known = await verify(k, s, m).catch(() => false);
  const { importKey } = crypto.subtle;
  crypto.subtle.importKey = () => Promise.reject(new DOMException("unknown", "NotSupportedError"));
  try {
    return [known, await verifies(k, s, m), await verify(k, s, m)];
  } finally {
    crypto.subtle.importKey = importKey;
  }
};

// unkept has the browser refuse what the store does, as browsers do in private
// windows or without room, and says what a page is told of it.
export const unkept = async (method: "add" | "put" | "open"): Promise<string> => {
  const of = (method === "open" ? IDBFactory : IDBObjectStore).prototype as unknown as Record<string, unknown>;
  const real = of[method];
  of[method] = () => {
    throw new DOMException("no", method === "open" ? "SecurityError" : "DataCloneError");
  };
  try {
    const s = await Store.open(`private ${method}`);
    await s.keepDraft("x", {});
    return "kept";
  } catch (e) {
    return e instanceof DeviceError ? e.code : String(e);
  } finally {
    of[method] = real;
  }
};

// otherPage opens the same study as another page of this browser does, and keeps it there.
let other: Device;
export const otherPage = async (): Promise<void> => {
  other = (await course.pages())[0]!;
};
export const visitOther = (v: Visiting) => other.visit(v, course.proving());

// reads has the page get ready while its person reads.
export const reads = (version: number): Promise<void> => member().ready(version, () => undefined, new AbortController().signal);

function member(): DeviceMember {
  return new DeviceMember(course.present(), new OwnProver(async () => (await new Node().ledger()).verifyingKey));
}

// tended has the page send what waits, and returns what it then tells its person.
export const tended = async (): Promise<string> => {
  const m = member();
  await m.tend();
  const s = await m.status();
  return s.held ?? s.refusal;
};

// directly has the page send what is held, as its person chose, and returns what then is on the ledger and what waits.
export const directly = async (): Promise<number[]> => {
  const m = member();
  await m.tend();
  await m.sendDirectly(() => undefined, new AbortController().signal);
  const s = await m.status();
  return [s.given.length, s.waiting, s.held === undefined ? 0 : 1];
};

// aside keeps what is prepared, as another device does while this one acts.
let elsewhere: ReturnType<typeof course.held>;
export const aside = (): void => {
  elsewhere = course.held();
};
export const agreeElsewhere = async (choice: Choice): Promise<void> => {
  await elsewhere.agree(choice, true);
};

// leaveMeanwhile has somebody leave while another page of theirs sends, and takes its time.
export const leaveMeanwhile = async (): Promise<void> => {
  const name = `trialith/${course.present().participation.id}`;
  await new Promise<void>((held) => void navigator.locks.request(name, () => new Promise(() => held())));
  void course.present().leave(course.proving());
};
