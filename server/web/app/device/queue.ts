// The acts that wait to be sent. Each is on the disk before it is sent, and
// stays until the public list shows it: a page may be closed at any moment.

import { Kind } from "./act";
import { type Actor, type Latest, type Ledger, type Node, type Ways } from "./api";
import { unbase64, type Name } from "./bytes";
import { DeviceError, RefusedError } from "./error";
import { type Choice } from "./form";
import { type Participation } from "./participation";
import { relayed } from "./relayed";
import { epochOf } from "./lists";
import { type Store } from "./store";

/** Outgoing is an act on its way to the ledger. */
export interface Outgoing {
  id: string; // random
  study: string; // id of the participation
  ledger: Name;
  trial: Name;
  kind: Kind;
  version: number;
  successor: number;
  sequence: number;
  account: Name;
  body: string; // base64
  choice?: Choice; // kept on this device alone
  salt?: string; // hexadecimal
  made: number; // by the ledger's clock
  after: number; // not sent before
  direct: boolean; // the person asked that it go to the node itself, at once
  steady: boolean; // proven against a list as it was at the end of an epoch
  sent: Sent[];
  state: "waiting" | "sent" | "stale" | "refused"; // stale: to be made anew, for the list that it was proven against is no more
  refusal: string;
}

/** Sent is one try. */
export interface Sent {
  at: number;
  epoch: number;
  batcher: Name; // "": the node itself
  promise?: string; // base64: the batcher's signed word that it holds the act
  sealed?: string; // base64 of what the promise is about
}

/** Accepted is an act that the ledger has. */
export interface Accepted {
  act: Outgoing;
  epoch: number;
  time: number;
}

// A batcher has this many epochs before the act is sent elsewhere.
const epochsOfPatience = 2;

// Refusals after which an act can be made anew: unknown root, root expired, wrong sequence.
const stale: readonly number[] = [304, 305, 309];

// Refusals that say that the ledger has such an act already: account used, account burnt, already left.
const there: readonly number[] = [306, 307, 326];

/** Report is what a flush did. */
export interface Report {
  accepted: Accepted[];
  waiting: Outgoing[]; // refused ones too, which the page is to tell
  faults: DeviceError[]; // why something could not be sent now
  relayed: boolean; // the node names relays
  held: string[]; // ids of acts that get through no relay: the person may choose to send them directly
}

/** Remake makes a stale act anew. */
export type Remake = (o: Outgoing) => Promise<Outgoing>;

/**
 * flush sends what is due and takes out what the ledger has. Without remake
 * stale acts stay as they are. It fails only where the public lists cannot be
 * had; then nothing was sent. They are asked for whether or not something waits:
 * a node that was asked then alone could tell who acts.
 */
export async function flush(
  node: Node, store: Store, p: Pick<Participation, "id" | "trial" | "relayed">, remake?: Remake, signal?: AbortSignal,
): Promise<Report> {
  const mine = (await store.outgoing()).filter((o) => o.study === p.id);
  const seen = await look(node, p, signal);
  const report: Report = { accepted: [], waiting: [], faults: [], relayed: relays(seen.ways), held: [] };
  for (const o of mine) {
    if (beside(o, mine, seen)) {
      o.after = later(seen);
      await store.keepOutgoing(o);
    }
    if (moot(seen, o) || elsewhere(seen, o)) {
      await store.dropOutgoing(o.id);
      continue;
    }
    const faults = report.faults.length;
    const now = found(seen, o) ?? await advance(node, store, o, seen, report.faults, remake, signal);
    if (now) {
      report.accepted.push(now);
    } else {
      report.waiting.push(o);
      if (consentsOf(o, mine).length === 0 && held(o, seen, report.faults.length > faults)) { // its consent first, and never both by one choice
        report.held.push(o.id);
      }
    }
  }
  return report;
}

interface Seen {
  now: number;
  ledger: Ledger;
  ways: Ways;
  latest: Latest[];
  actors: readonly Actor[];
  relayed: boolean; // the node named relays once
}

async function look(node: Node, p: Pick<Participation, "trial" | "relayed">, signal?: AbortSignal): Promise<Seen> {
  const [now, ledger, ways, latest] = await Promise.all([
    node.now(signal), node.ledger(signal), node.ways(signal).catch(noWays), node.latest(p.trial, signal),
  ]);
  return { now, ledger, ways, latest, actors: await directory(node, ledger.height, signal), relayed: p.relayed === true };
}

const directories = new WeakMap<Node, { height: number; actors: readonly Actor[] }>();

// directory is who may sign. As long as the ledger has not grown, what was downloaded stands.
async function directory(node: Node, height: number, signal?: AbortSignal): Promise<readonly Actor[]> {
  const known = directories.get(node);
  if (known?.height === height) {
    return known.actors;
  }
  const actors = await node.actors(signal);
  directories.set(node, { height, actors });
  return actors;
}

function relays(ways: Ways): boolean {
  return ways.batchers.some((b) => b.relays.length > 0);
}

// beside reports whether what gives a version up would go in one epoch with the
// consent that it is given up for, which waited longer than was foreseen or goes to
// the node itself after all, or without it, where that was refused.
function beside(o: Outgoing, mine: readonly Outgoing[], seen: Seen): boolean {
  return epochOf(seen.ledger, o.after) <= epochOf(seen.ledger, seen.now) && consentsOf(o, mine).some((x) => !handed(x, seen));
}

// consentsOf are the waiting consents that an act gives a version up for.
function consentsOf(o: Outgoing, mine: readonly Outgoing[]): Outgoing[] {
  return mine.filter((x) => o.kind === Kind.superseded && x.kind === Kind.consent && x.version === o.successor);
}

// handed reports whether a batcher took an act in an earlier epoch and still has
// its time. Of a try at the node itself nothing is known but that it did not do.
function handed(o: Outgoing, seen: Seen): boolean {
  const last = o.sent.at(-1);
  return o.state === "sent" && last !== undefined && last.batcher !== "" && last.epoch < epochOf(seen.ledger, seen.now) && !lapsed(o, seen);
}

// later is a moment in the first half of the next epoch.
function later(seen: Seen): number {
  const epoch = 1000 * seen.ledger.epochSeconds;
  const share = crypto.getRandomValues(new Uint32Array(1))[0]! / 2 ** 32;
  return seen.ledger.genesis + epoch * (epochOf(seen.ledger, seen.now) + 1) + Math.floor((share * epoch) / 2);
}

// A node that names no ways takes acts itself.
function noWays(e: unknown): Ways {
  if (e instanceof RefusedError && e.status === 404) {
    return { epochSeconds: 0, least: 0, batchers: [] };
  }
  throw e;
}

function latestOf(seen: Seen, o: Outgoing): Latest | undefined {
  return seen.latest.find((x) => x.account === o.account);
}

// moot reports whether an act has nothing to do any more: its participant has withdrawn.
function moot(seen: Seen, o: Outgoing): boolean {
  return o.kind !== Kind.withdraw && latestOf(seen, o)?.kind === "withdraw";
}

// elsewhere reports whether what the ledger has is not this act, which was refused
// or never sent, but another of the same account: the person has two devices, or
// decided again. Whose choice it has this device then does not know.
function elsewhere(seen: Seen, o: Outgoing): boolean {
  return (o.state === "refused" || o.sent.length === 0) && found(seen, o) !== undefined;
}

// found looks for an act in the list that is the same for everyone.
function found(seen: Seen, o: Outgoing): Accepted | undefined {
  const latest = latestOf(seen, o);
  const has = latest && (o.kind === Kind.withdraw ? latest.kind === "withdraw" : latest.sequence >= o.sequence && !others(o));
  return has ? { act: o, epoch: epochOf(seen.ledger, seen.now), time: seen.now } : undefined;
}

// others reports whether options that the list shows were changed by another
// device: this act was never sent, or refused since.
function others(o: Outgoing): boolean {
  return o.kind === Kind.options && (o.sent.length === 0 || o.state === "stale");
}

async function advance(
  node: Node, store: Store, o: Outgoing, seen: Seen, faults: DeviceError[], remake: Remake | undefined, signal?: AbortSignal,
): Promise<Accepted | undefined> {
  try {
    if (remake && (o.state === "stale" || lapsed(o, seen))) {
      Object.assign(o, await remake(o), { id: o.id, sent: o.sent, state: "waiting", refusal: "" });
      await store.keepOutgoing(o);
    }
    return due(o, seen) ? await send(node, store, o, seen, signal) : undefined;
  } catch (e) {
    if (!(e instanceof DeviceError)) {
      throw e;
    }
    if (e instanceof RefusedError && e.refusal > 0) {
      await refuse(store, o, e.refusal, e.message);
    } else {
      faults.push(e); // the act stays, and is sent later
    }
    return undefined;
  }
}

function due(o: Outgoing, seen: Seen): boolean {
  if (o.state === "refused" || o.state === "stale" || seen.now < o.after) {
    return false;
  }
  return o.state === "waiting" || o.sent.at(-1)?.batcher === "" || lapsed(o, seen);
}

// lapsed reports whether a batcher had its time and the list shows nothing: it
// dropped the act, or the ledger knew the act's root no more.
function lapsed(o: Outgoing, seen: Seen): boolean {
  const last = o.sent.at(-1);
  return o.state === "sent" && last !== undefined && last.batcher !== "" && epochOf(seen.ledger, seen.now) - last.epoch >= epochsOfPatience;
}

// held reports whether an act that is to go by a relay does not get through: it
// could not be handed over now, or the list has not shown it for longer than patience lasts.
function held(o: Outgoing, seen: Seen, fault: boolean): boolean {
  const byRelay = !o.direct && (relays(seen.ways) || seen.relayed || o.sent.some((s) => s.batcher !== ""));
  const waited = epochOf(seen.ledger, seen.now) - epochOf(seen.ledger, Math.max(o.made, o.after));
  return byRelay && (o.state === "waiting" || o.state === "sent") && (fault || waited > epochsOfPatience);
}

async function send(node: Node, store: Store, o: Outgoing, seen: Seen, signal?: AbortSignal): Promise<Accepted | undefined> {
  const body = unbase64(o.body, "act");
  const at = { at: seen.now, epoch: epochOf(seen.ledger, seen.now) };
  if (!o.direct && relays(seen.ways)) {
    const way = await relayed(seen.ways, seen.actors, o.ledger, body, o.sent.map((s) => s.batcher), seen.now, at.epoch, signal);
    o.sent.push({ ...at, ...way });
    o.state = "sent";
    await store.keepOutgoing(o);
    return undefined;
  }
  // A node that names its relays no more must not by that get to see who sends.
  if (!o.direct && (seen.relayed || o.sent.some((s) => s.batcher !== ""))) {
    throw new DeviceError("answer", "the node names no relay any more, and alone would see where this comes from; ask the site, or leave by word");
  }
  o.sent = [...o.sent.filter((s) => s.batcher !== ""), { ...at, batcher: "" }];
  o.state = "sent";
  await store.keepOutgoing(o);
  const outcome = await node.outcome(await node.act(body, signal), signal);
  if (!outcome) {
    return undefined;
  }
  if (outcome.code === 0) {
    return { act: o, epoch: epochOf(seen.ledger, outcome.time), time: outcome.time };
  }
  throw new RefusedError(422, outcome.code, outcome.refusal, "");
}

async function refuse(store: Store, o: Outgoing, code: number, text: string): Promise<void> {
  if (there.includes(code)) {
    if (o.sent.every((s) => s.batcher === "")) {
      o.sent = []; // the node would have known this very act again: it has another
      await store.keepOutgoing(o);
    }
    return; // the public list shows it soon
  }
  o.state = stale.includes(code) ? "stale" : "refused";
  o.refusal = text;
  await store.keepOutgoing(o);
}
