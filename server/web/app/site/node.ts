// The node, as a site asks it. Nothing personal is ever in an address, and no
// answer is kept by the browser.

import { unbase64, type Bytes, type Name } from "../device/bytes";

export interface Now { now: string; kind: "study" | "real" }
export interface About { ledger: Name; name: string; genesis_time: string; epoch_seconds: number; demonstration: boolean; notice: string }
export interface Actor { actor: Name; role: string; name: string; site?: Name; key: Name; expires?: string; revoked?: string }
export interface Delegation { person: Name; name: string; tasks: string[]; from: string; until?: string; ended?: string }
export interface Trial { trial: Name; title: string; acronym: string; status: string }
export interface Opening { version: number; opened: string; deadline: string; existing: boolean }
export interface Site { site: Name; name: string; openings: Opening[] }
export interface Visit { id: string; name: string; timing: string; dose: boolean; repeatable: boolean }
export interface Form { id: string; language: string; title: string }
export interface Protocol { title: string; public_title: string; visits: Visit[] | null; forms: Form[] | null }
export interface Version { version: number; effective: string; protocol: Protocol }
export interface Leaf { leaf: Name; site: Name; active: boolean; unsettled: number[] }
export interface Outcome { name: string; hash: Name; height: number; time: string; code: number; refusal: string }

/** NodeError is a refusal or a silence of the node, in its own words. Code is the refusal's number; 0: none. */
export class NodeError extends Error {
  override name = "NodeError";
  constructor(readonly status: number, readonly code: number, message: string, readonly remedy = "") { super(message); }

  /** Whether asking again may help. */
  get passing(): boolean { return this.status === 0 || this.status === 429 || this.status === 503; }
}

async function ask(path: string, init: RequestInit = {}): Promise<unknown> {
  let answer: Response;
  try {
    answer = await fetch(path, { ...init, credentials: "omit", referrerPolicy: "no-referrer", cache: "no-store" });
  } catch {
    throw new NodeError(0, 0, "offline");
  }
  if (answer.ok) return answer.json();
  const p = await answer.json().catch(() => ({})) as { title?: string; detail?: string; code?: number; remedy?: string };
  throw new NodeError(answer.status, p.code ?? 0, p.detail || p.title || `HTTP ${answer.status}`, p.remedy);
}

const get = <T>(path: string) => ask(path) as Promise<T>;

export const about = () => get<About>("/v1/ledger");
export const clock = async () => Date.parse((await get<Now>("/v1/clock")).now);
export const actors = () => get<Actor[]>("/v1/actors");
export const delegations = (site: Name) => get<Delegation[]>(`/v1/sites/${site}/delegations`);
export const trials = () => get<Trial[]>("/v1/trials");
export const sites = (trial: Name) => get<Site[]>(`/v1/trials/${trial}/sites`);
export const version = (trial: Name, v: number) => get<Version>(`/v1/trials/${trial}/versions/${v}`);
export const leaf = (trial: Name, l: Name) => get<Leaf>(`/v1/trials/${trial}/leaves/${l}`);

const tries = 8;

/** send posts a transaction and waits until it is in a block. A refusal by the rules is an outcome where they say it in the block, else a NodeError. */
export async function send(transaction: Bytes): Promise<Outcome> {
  for (let n = 1; ; n++) {
    try {
      const { hash } = await ask("/v1/transactions", { method: "POST", headers: { "Content-Type": "application/cbor" }, body: transaction }) as { hash: Name };
      return await get<Outcome>(`/v1/transactions/${hash}?wait=20`);
    } catch (e) {
      // The same bytes are the same transaction: sending them again is safe.
      const lost = e instanceof NodeError && (e.passing || (e.status === 404 && e.code === 0));
      if (!lost || n === tries) throw e;
      await new Promise((r) => setTimeout(r, 200 * n));
    }
  }
}

/** A sealed letter as it lies in a mailbox; time is of its arrival. */
export interface Posted { sequence: number; time: number; body: Bytes }

/** Letters of a box after a sequence, with the mailbox's clock; at most 100 at once. */
export async function mail(box: string, after: number): Promise<{ now: number; letters: Posted[] }> {
  const a = await get<{ now: string; messages: { sequence: number; time: string; body: string }[] }>(`/v1/mail/${box}?after=${after}`);
  return {
    now: Date.parse(a.now),
    letters: a.messages.map((m) => ({ sequence: m.sequence, time: Date.parse(m.time), body: unbase64(m.body, "letter") })),
  };
}

/** Puts a sealed letter into a box. It is kept when this returns. */
export async function post(box: string, letter: Bytes): Promise<void> {
  await ask(`/v1/mail/${box}`, { method: "POST", headers: { "Content-Type": "application/octet-stream" }, body: letter });
}
