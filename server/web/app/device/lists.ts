// The public lists of a trial: each is downloaded whole, the same for everyone,
// and what is one's own is found on the device.

import { type Latest, type Ledger, type Member, type Names, type Node, type Registration, type Site, type Version } from "./api";
import { hex, nameBytes, zeroName, type Name } from "./bytes";
import { DeviceError } from "./error";

/** dayMillis is a day in milliseconds. */
export const dayMillis = 24 * 60 * 60 * 1000;

/** Lists are all public lists of a trial that a device looks itself up in. */
export interface Lists {
  now: number; // by the node's clock
  ledger: Ledger;
  versions: Version[];
  registered: Map<number, Registration>; // each version's forms and terms
  sites: Site[];
  members: Member[];
  latest: Latest[];
  trees: Map<string, Names>; // of who owes what; of passes only the names are known before they are needed
}

// What time alone changes in a list, a site's floor or a version's settling, is this late at most.
const keepFor = 60_000;

const kept = new WeakMap<Node, Map<Name, Lists>>();

/** lists downloads the lists, the same for everyone. As long as the ledger has not grown, those that were downloaded stand. */
export async function lists(node: Node, trial: Name, signal?: AbortSignal): Promise<Lists> {
  const [now, ledger] = await Promise.all([node.now(signal), node.ledger(signal)]);
  const of = kept.get(node) ?? new Map<Name, Lists>();
  kept.set(node, of);
  const known = of.get(trial);
  if (known && known.ledger.height === ledger.height && Math.abs(now - known.now) < keepFor) {
    return known;
  }
  const l = await download(node, trial, now, ledger, signal);
  of.set(trial, l);
  return l;
}

async function download(node: Node, trial: Name, now: number, ledger: Ledger, signal?: AbortSignal): Promise<Lists> {
  const [versions, sites, members, latest, names] = await Promise.all([
    node.versions(trial, signal), node.sites(trial, signal), node.members(trial, signal), node.latest(trial, signal), node.trees(trial, signal),
  ]);
  const owing = names.filter((n) => /^[NEX]-/.test(n));
  const trees = await Promise.all(owing.map((n) => node.leaves(trial, n, signal)));
  const registered = await Promise.all(versions.map((v) => node.version(trial, v.version, signal)));
  return {
    now, ledger, versions, sites, members, latest, trees: new Map(owing.map((n, i) => [n, trees[i]!])),
    registered: new Map(registered.map((r) => [r.version, r])),
  };
}

/** epochOf is the number of the epoch that a time is in. */
export function epochOf(l: Ledger, time: number): number {
  return Math.max(0, Math.floor((time - l.genesis) / (1000 * l.epochSeconds)));
}

/** recordable is until when a visit of a day may be recorded, under the version that allows longest. */
export function recordable(l: Lists, of: number): number {
  return (of + 1) * dayMillis + 3_600_000 * Math.max(0, ...[...l.registered.values()].map((r) => r.recordingHours));
}

/** dayOf is the day that holds a time, since 1970-01-01 UTC. */
export function dayOf(time: number): number {
  return Math.floor(time / dayMillis);
}

/** Ground is what a proof of membership is made against. */
export interface Ground {
  leaves: Names;
  steady: boolean; // its root was a set's at the end of an epoch, so that nobody who joins outdates it
}

/**
 * ground is the list to prove a leaf's membership against. Of N-v it is the list
 * as it was when the last epoch ended, where the list of all members tells it and
 * the leaf was on it: an act that waits for its batch then stays provable. Who
 * left since cannot be told, so that now and then the ledger knows no such root.
 */
export function ground(l: Lists, name: string, leaf: Name): Ground {
  const leaves = l.trees.get(name);
  if (!leaves) {
    throw new DeviceError("notEnrolled", `tree ${name}: there is none; nobody is on its list`);
  }
  const version = /^N-(\d+)$/.exec(name)?.[1];
  const joined = l.members.filter((m) => m.version === Number(version));
  const before = joined.findLastIndex((m) => epochOf(l.ledger, m.enrolled) < epochOf(l.ledger, l.now)) + 1;
  if (version === undefined || joined.findIndex((m) => m.leaf === leaf) >= before || !listed(joined, leaves)) {
    return { leaves, steady: false };
  }
  return { leaves: { ...leaves, bytes: leaves.bytes.slice(0, before * nameBytes) }, steady: true };
}

// listed reports whether a tree's places are the members in their order, but for those who left.
function listed(members: readonly Member[], leaves: Names): boolean {
  return leaves.bytes.length === members.length * nameBytes && members.every((m, i) => {
    const place = hex(leaves.bytes.subarray(i * nameBytes, (i + 1) * nameBytes));
    return place === m.leaf || place === zeroName;
  });
}
