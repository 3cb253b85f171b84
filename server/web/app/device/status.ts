// How a person stands, told from public lists alone: each is downloaded whole,
// and what is one's own is found on the device.

import { encode } from "../../../../circuits/browser/src/field";
import { emptyAct, context, Kind, tree } from "./act";
import { placeOf, type Latest, type Ledger, type Member, type Names, type Node, type Registration, type Site, type Version } from "./api";
import { hex, nameBytes, zeroName, type Name } from "./bytes";
import { accountOf, enrolled, nameOf, pass, type Credential, type Owner } from "./credential";
import { DeviceError } from "./error";

const day = 24 * 60 * 60 * 1000;

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

/** Answer is how a person stands to one version that they owe an answer to, or gave one. */
export interface Answer {
  version: number;
  set: "N" | "E" | ""; // "": in none any more
  kind: "" | Latest["kind"]; // of the latest act; "": none
  sequence: number; // of the latest act
  account: Name;
  due: number; // by when to answer; 0 where nothing is owed
  successors: number[]; // later versions, an answer to which stands for this one
  settled: boolean;
}

/** Status is how a person stands. */
export interface Status {
  now: number;
  epoch: number;
  enrolled: boolean; // the leaf is on the list
  left: boolean; // and marked as having left
  member: Member | undefined;
  answers: Answer[]; // the oldest version first
  open: Answer[]; // to be answered now: whatever a later one does not stand for
  consents: number[]; // versions consented to, the oldest first
  floor: number; // of the person's site: the oldest version whose passes it accepts
  current: boolean; // a visit can be shown
}

/** epochOf is the number of the epoch that a time is in. */
export function epochOf(l: Ledger, time: number): number {
  return Math.max(0, Math.floor((time - l.genesis) / (1000 * l.epochSeconds)));
}

/** recordable is until when a visit of a day may be recorded, under the version that allows longest. */
export function recordable(l: Lists, of: number): number {
  return (of + 1) * day + 3_600_000 * Math.max(0, ...[...l.registered.values()].map((r) => r.recordingHours));
}

/** dayOf is the day that holds a time, since 1970-01-01 UTC. */
export function dayOf(time: number): number {
  return Math.floor(time / day);
}

/** consentAccount is a leaf's account for the consent to a version. */
export async function consentAccount(c: Credential, o: Owner, version: number): Promise<Name> {
  const at = await context({ ...emptyAct(o.ledger, o.trial, Kind.consent), version });
  return hex(encode(accountOf(c, at)));
}

/** status looks a person up in the lists. Site is where they are, as long as the list does not say. */
export async function status(l: Lists, o: Owner, site: Name): Promise<Status> {
  const own = await enrolled(o);
  const leaf = nameOf(own);
  const member = l.members.find((m) => m.leaf === leaf);
  const at = l.sites.find((s) => s.site === (member?.site ?? site));
  const answers: Answer[] = [];
  for (const v of l.versions) {
    const a = await answer(l, v, leaf, await consentAccount(own, o, v.version), member, at);
    if (a.set !== "" || a.kind !== "") {
      answers.push(a);
    }
  }
  const unanswered = answers.filter((a) => a.set !== "" && a.kind === "" && !a.settled);
  const consents = answers.filter((a) => a.kind === "consent" || a.kind === "options").map((a) => a.version);
  const floor = at?.floor ?? 1;
  return {
    now: l.now, epoch: epochOf(l.ledger, l.now), enrolled: member !== undefined, left: member !== undefined && !member.active, member, answers,
    open: unanswered.filter((a) => !a.successors.some((w) => answers.some((b) => b.version === w))), consents, floor,
    current: member?.active === true && consents.some((v) => v >= floor),
  };
}

async function answer(l: Lists, v: Version, leaf: Name, account: Name, member: Member | undefined, at: Site | undefined): Promise<Answer> {
  const set = (["N", "E"] as const).find((s) => inTree(l, tree.owing(v.version, s), leaf)) ?? "";
  const latest = l.latest.find((x) => x.account === account);
  const successors = l.versions.map((w) => w.version).filter((w) => inTree(l, tree.both(v.version, w), leaf));
  return {
    version: v.version, set, kind: latest?.kind ?? "", sequence: latest?.sequence ?? 0, account, successors, settled: v.settled,
    due: set === "" || !member ? 0 : due(v.version, set, member, at, l.registered.get(v.version)?.answerDays ?? 0),
  };
}

function inTree(l: Lists, name: string, leaf: Name): boolean {
  const t = l.trees.get(name);
  return t !== undefined && placeOf(t, leaf) >= 0;
}

// due is a person's own time for a version: the registered days from their
// enrolment, or the site's deadline for those who were in the trial before.
function due(version: number, set: "N" | "E", m: Member, at: Site | undefined, answerDays: number): number {
  const own = m.enrolled + answerDays * day;
  const opening = at?.openings.find((o) => o.version === version);
  if (set === "N" || !opening) {
    return own;
  }
  return m.enrolled > opening.opened ? Math.max(opening.deadline, own) : opening.deadline;
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

/** passes are the passes of versions, with their names. */
export function passes(o: Owner, versions: readonly number[]): Promise<{ version: number; credential: Credential; name: Name }[]> {
  return Promise.all(versions.map(async (version) => {
    const credential = await pass(o, version);
    return { version, credential, name: nameOf(credential) };
  }));
}
