// What a device asks a node. Every list is whole and the same for everyone: no
// request names a leaf or an account of one's own. Nothing goes along that is
// not in the request: no cookie, no referrer, no cache on the disk.

import { indexOfName, join, nameBytes, unbase64, unname, type Bytes, type Name } from "./bytes";
import { DeviceError, RefusedError } from "./error";
import { type Form } from "./form";
import { Shape } from "./shape";

/** Ledger is what a node says of its ledger. Times are milliseconds since 1970 UTC. */
export interface Ledger {
  ledger: Name;
  genesis: number;
  epochSeconds: number;
  time: number; // of the last block
  height: number;
  demonstration: boolean;
  notice: string; // to be shown wherever its results are
  verifyingKey: Name; // what proofs for it must be made under
  clock: "study" | "real";
}

/** Version is a consent version as a list has it. */
export interface Version {
  version: number;
  existing: boolean; // those already enrolled are asked again
  formSet: Name;
  settled: boolean; // nothing may change its counters any more
  effective: string;
  reason: string;
}

/** Registration is a version with what a device needs of its protocol: all of it stands for ever. */
export interface Registration extends Omit<Version, "settled" | "existing"> {
  title: string;
  forms: Form[];
  visits: Visit[];
  answerDays: number; // from a person's own enrolment
  recordingHours: number; // after a day's end, in which what was done on it is still recorded
}

/** Visit is a planned encounter; its id is the slot of an entry. */
export interface Visit {
  id: string;
  name: string;
  dose: boolean;
  repeatable: boolean;
}

/** Site is a trial site, with the versions open there. */
export interface Site {
  site: Name;
  name: string;
  floor: number; // the oldest version whose passes it accepts now
  openings: { version: number; opened: number; deadline: number; existing: boolean }[];
}

/** Member is an enrolled leaf in the list of all. */
export interface Member {
  leaf: Name;
  site: Name; // where it is now
  version: number; // it was enrolled under
  enrolled: number;
  active: boolean;
  left: number; // when it did; 0 while active
}

/** Latest is the latest act under a consent account. */
export interface Latest {
  account: Name;
  version: number;
  kind: "consent" | "options" | "withdraw" | "superseded";
  sequence: number;
}

/** Outcome is what became of a transaction in its block. */
export interface Outcome {
  code: number; // 0: accepted
  refusal: string;
  time: number; // of its block
}

/** Names is a list of names, 32 bytes each, as of a block at least. */
export interface Names {
  bytes: Uint8Array;
  height: number;
}

/** Actor is a party that may sign. */
export interface Actor {
  actor: Name;
  role: string;
  name: string;
  key: Name; // Ed25519
  revoked: boolean;
}

/** Way is a batcher and the relays that lead to it. */
export interface Way {
  actor: Name;
  name: string;
  relays: string[]; // addresses
}

/** Ways is how acts reach the ledger besides directly. */
export interface Ways {
  epochSeconds: number;
  least: number; // acts in a batch
  batchers: Way[];
}

/** Posted is a sealed letter as it lies in a mailbox. */
export interface Posted {
  sequence: number;
  body: Bytes;
}

const most = 64 << 20; // bytes of an answer: the leaves of a full tree
const patience = 30_000; // milliseconds

type Query = { method?: string; kind?: string; body?: Uint8Array; tag?: string | undefined; signal?: AbortSignal | undefined };

/** Node is one node, at the page's own address unless another is given. */
export class Node {
  private readonly lists = new Map<string, { tag: string; names: Names }>();
  private readonly registrations = new Map<string, Registration>();

  constructor(private readonly base = "") {}

  /** ledger is the ledger at a glance. */
  async ledger(signal?: AbortSignal): Promise<Ledger> {
    const s = await this.read("/v1/ledger", signal);
    return {
      ledger: s.name("ledger"), genesis: s.time("genesis_time"), epochSeconds: s.count("epoch_seconds"), time: s.time("time"),
      height: s.count("height"), demonstration: s.flag("demonstration"), notice: s.text("notice"),
      verifyingKey: s.name("verifying_key"), clock: s.text("clock") === "study" ? "study" : "real",
    };
  }

  /** now is the node's clock, which on a demonstration is not this device's. Days and deadlines are told by it alone. */
  async now(signal?: AbortSignal): Promise<number> {
    return (await this.read("/v1/clock", signal)).time("now");
  }

  /** trials lists all trials by name and title. */
  async trials(signal?: AbortSignal): Promise<{ trial: Name; title: string }[]> {
    return (await this.read("/v1/trials", signal)).each((s) => ({ trial: s.name("trial"), title: s.text("title") }));
  }

  /** versions lists a trial's versions, the oldest first. */
  async versions(trial: Name, signal?: AbortSignal): Promise<Version[]> {
    return (await this.read(`/v1/trials/${trial}`, signal)).list("versions", versionOf);
  }

  /** version is a version with its forms and visits, downloaded once. */
  async version(trial: Name, version: number, signal?: AbortSignal): Promise<Registration> {
    const path = `/v1/trials/${trial}/versions/${version}`;
    const known = this.registrations.get(path) ?? registrationOf(await this.read(path, signal));
    this.registrations.set(path, known);
    return known;
  }

  /** sites lists a trial's sites. */
  async sites(trial: Name, signal?: AbortSignal): Promise<Site[]> {
    return (await this.read(`/v1/trials/${trial}/sites`, signal)).each((s) => ({
      site: s.name("site"), name: s.text("name"), floor: s.count("floor"),
      openings: s.list("openings", (o) => ({
        version: o.count("version"), opened: o.time("opened"), deadline: o.time("deadline"), existing: o.flag("existing"),
      })),
    }));
  }

  /** members lists all enrolled leaves in order of enrolment. */
  async members(trial: Name, signal?: AbortSignal): Promise<Member[]> {
    return (await this.read(`/v1/trials/${trial}/members`, signal)).each((s) => ({
      leaf: s.name("leaf"), site: s.name("site"), version: s.count("version"), enrolled: s.time("enrolled"), active: s.flag("active"),
      left: s.time("left"),
    }));
  }

  /** latest lists the latest act under each consent account, in order of their first acts. */
  async latest(trial: Name, signal?: AbortSignal): Promise<Latest[]> {
    return (await this.read(`/v1/trials/${trial}/accounts/latest`, signal)).each((s) => ({
      account: s.name("account"), version: s.count("version"), kind: s.oneOf("kind", ["consent", "options", "withdraw", "superseded"]),
      sequence: s.count("sequence"),
    }));
  }

  /** trees lists the names of a trial's trees. */
  async trees(trial: Name, signal?: AbortSignal): Promise<string[]> {
    return (await this.read(`/v1/trials/${trial}/trees`, signal)).each((s) => s.text("name"));
  }

  /** leaves are all places of a tree in order, zero where emptied. A list that has not changed is not sent again. */
  leaves(trial: Name, tree: string, signal?: AbortSignal): Promise<Names> {
    return this.names(`/v1/trials/${trial}/trees/${encodeURIComponent(tree)}/leaves`, signal);
  }

  /** entries are the accounts of all recorded visits and doses, in order. */
  entries(trial: Name, signal?: AbortSignal): Promise<Names> {
    return this.names(`/v1/trials/${trial}/accounts/entries`, signal);
  }

  /** actors lists who may sign. */
  async actors(signal?: AbortSignal): Promise<Actor[]> {
    return (await this.read("/v1/actors", signal)).each((s) => ({
      actor: s.name("actor"), role: s.text("role"), name: s.text("name"), key: s.name("key"), revoked: s.text("revoked") !== "",
    }));
  }

  /** ways says which batchers and relays there are. */
  async ways(signal?: AbortSignal): Promise<Ways> {
    const s = await this.read("/v1/ways", signal);
    return {
      epochSeconds: s.count("epoch_seconds"), least: s.count("k_min"),
      batchers: s.list("batchers", (b) => ({ actor: b.name("actor"), name: b.text("name"), relays: b.texts("relays") })),
    };
  }

  /** act sends an act and returns its transaction's hash. It carries no session, cookie or signature. */
  async act(body: Uint8Array, signal?: AbortSignal): Promise<string> {
    const r = await this.ask("/v1/acts", { method: "POST", kind: "application/cbor", body, signal });
    return json("/v1/acts", r).name("hash");
  }

  /** outcome waits up to 20 seconds until a transaction is in a block; undefined: it is not yet. */
  async outcome(hash: string, signal?: AbortSignal): Promise<Outcome | undefined> {
    try {
      const s = await this.read(`/v1/transactions/${hash}?wait=20`, signal);
      return { code: s.count("code"), refusal: s.text("refusal"), time: s.time("time") };
    } catch (e) {
      if (e instanceof RefusedError && e.status === 404) {
        return undefined;
      }
      throw e;
    }
  }

  /** post puts a letter into a mailbox; it is durable when post returns. */
  async post(box: string, letter: Uint8Array, signal?: AbortSignal): Promise<void> {
    await this.ask(`/v1/mail/${box}`, { method: "POST", kind: "application/octet-stream", body: letter, signal });
  }

  /** mail reads the letters of a mailbox after a sequence, at most 100, oldest first. */
  async mail(box: string, after: number, signal?: AbortSignal): Promise<Posted[]> {
    const s = await this.read(`/v1/mail/${box}?after=${after}`, signal);
    return s.list("messages", (m) => ({ sequence: m.count("sequence"), body: unbase64(m.text("body"), "letter") }));
  }

  private async read(path: string, signal?: AbortSignal): Promise<Shape> {
    return json(path, await this.ask(path, { signal }));
  }

  private async names(path: string, signal?: AbortSignal): Promise<Names> {
    const known = this.lists.get(path);
    const { status, headers, body } = await this.ask(path, { tag: known?.tag, signal });
    if (known && status === 304) {
      return known.names;
    }
    if (body.length % nameBytes !== 0) {
      throw new DeviceError("answer", `${path}: ${body.length} bytes; each name has ${nameBytes}`);
    }
    const names = { bytes: body, height: Number(headers.get("Trialith-Height") ?? 0) };
    this.lists.set(path, { tag: headers.get("ETag") ?? "", names });
    return names;
  }

  private async ask(path: string, q: Query): Promise<Answer> {
    const headers: Record<string, string> = {};
    if (q.kind) {
      headers["Content-Type"] = q.kind;
    }
    if (q.tag) {
      headers["If-None-Match"] = q.tag;
    }
    const request = { method: q.method ?? "GET", headers, body: q.body ? new Uint8Array(q.body) : null };
    const answer = await send(this.base + path, request, most, q.signal);
    if (answer.status !== 304 && (answer.status < 200 || answer.status > 299)) {
      throw problem(path, answer);
    }
    return answer;
  }
}

/** Answer is what came back, whole. */
export interface Answer {
  status: number;
  headers: Headers;
  body: Bytes;
}

/** send is fetch with nothing of the person in it, an end to waiting, and an answer of at most so many bytes. */
export async function send(address: string, request: RequestInit, size: number, signal?: AbortSignal): Promise<Answer> {
  const end = new AbortController();
  const stop = (): void => end.abort();
  const timer = setTimeout(stop, patience);
  signal?.addEventListener("abort", stop);
  try {
    signal?.throwIfAborted();
    const r = await fetch(address, {
      ...request, credentials: "omit", referrerPolicy: "no-referrer", cache: "no-store", redirect: "error", signal: end.signal,
    });
    return { status: r.status, headers: r.headers, body: await bodyOf(r, size) };
  } catch (e) {
    if (signal?.aborted || e instanceof DeviceError) {
      throw e;
    }
    throw new DeviceError("offline", "nothing could be reached, or the answer ended early; it is tried again later", { cause: e });
  } finally {
    clearTimeout(timer);
    signal?.removeEventListener("abort", stop);
  }
}

// bodyOf reads at most so many bytes, so that a hostile node cannot fill the device.
async function bodyOf(r: Response, size: number): Promise<Bytes> {
  const parts: Uint8Array[] = [];
  let read = 0;
  const reader = r.body?.getReader();
  for (let part = await reader?.read(); part?.value; part = await reader?.read()) {
    read += part.value.length;
    if (read > size) {
      await reader?.cancel();
      throw new DeviceError("answer", `an answer of more than ${size} bytes`);
    }
    parts.push(part.value);
  }
  return join(...parts);
}

function json(path: string, answer: Answer): Shape {
  try {
    return new Shape(JSON.parse(new TextDecoder().decode(answer.body)), path);
  } catch {
    throw new DeviceError("answer", `${path}: no JSON`);
  }
}

// problem reads an RFC 9457 problem. A node that is busy, starting or at fault is as good as out of reach.
function problem(path: string, { status, body }: Answer): DeviceError {
  let p: { detail?: unknown; title?: unknown; code?: unknown; remedy?: unknown } = {};
  try {
    p = (JSON.parse(new TextDecoder().decode(body)) ?? {}) as typeof p;
  } catch {
    // What is no problem in JSON still has its status.
  }
  const words = [p.detail, p.title].find((x) => typeof x === "string" && x !== "") as string | undefined;
  const text = words ?? `${path}: HTTP ${status}`;
  if (status >= 500 || status === 429) {
    return new DeviceError("offline", text);
  }
  return new RefusedError(status, typeof p.code === "number" ? p.code : 0, text, typeof p.remedy === "string" ? p.remedy : "");
}

function versionOf(s: Shape): Version {
  return {
    version: s.count("version"), existing: s.flag("existing"), formSet: s.name("form_set"), settled: s.flag("settled"),
    effective: s.text("effective"), reason: s.text("reason"),
  };
}

function registrationOf(s: Shape): Registration {
  const p = s.part("protocol");
  return {
    version: s.count("version"), formSet: s.name("form_set"), effective: s.text("effective"), reason: s.text("reason"),
    title: p.text("public_title") || p.text("title"), forms: p.list("forms", formOf),
    visits: p.list("visits", (v) => ({ id: v.text("id"), name: v.text("name"), dose: v.flag("dose"), repeatable: v.flag("repeatable") })),
    answerDays: p.part("terms").count("answer_days"), recordingHours: p.part("terms").count("recording_hours"),
  };
}

function formOf(f: Shape): Form {
  return {
    id: f.text("id"), language: f.text("language"), title: f.text("title"),
    sections: f.list("sections", (s) => ({ heading: s.text("heading"), text: s.text("text") })),
    options: f.list("options", (o) => ({ id: o.text("id"), text: o.text("text") })),
    questions: f.list("questions", (q) => ({
      id: q.text("id"), text: q.text("text"), answers: q.texts("answers"), right: q.count("right"), why: q.text("why"),
    })),
    example: f.flag("example"),
  };
}

/** placeOf finds a name in a list; −1: it is not there. */
export function placeOf(list: Names, name: Name): number {
  return indexOfName(list.bytes, unname(name, "name"));
}
