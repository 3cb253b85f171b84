// How a person stands, told from public lists alone.

import { encode } from "../../../../circuits/browser/src/field";
import { emptyAct, context, Kind, tree } from "./act";
import { placeOf, type Latest, type Member, type Site, type Version } from "./api";
import { hex, type Name } from "./bytes";
import { accountOf, enrolled, nameOf, pass, type Credential, type Owner } from "./credential";
import { dayMillis, epochOf, type Lists } from "./lists";

/** Answer is how a person stands to one version that they owe or owed an answer to, or gave one. */
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
    if (a.set !== "" || a.kind !== "" || owed(v, member, at)) {
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

// owed reports whether who has left owed an answer when they did: no set tells that of them any more.
function owed(v: Version, m: Member | undefined, at: Site | undefined): boolean {
  const opening = at?.openings.find((o) => o.version === v.version);
  return m !== undefined && !m.active && (v.version === m.version || (v.existing && v.version > m.version && opening !== undefined && opening.opened <= m.left));
}

function inTree(l: Lists, name: string, leaf: Name): boolean {
  const t = l.trees.get(name);
  return t !== undefined && placeOf(t, leaf) >= 0;
}

// due is a person's own time for a version: the registered days from their
// enrolment, or the site's deadline for those who were in the trial before.
function due(version: number, set: "N" | "E", m: Member, at: Site | undefined, answerDays: number): number {
  const own = m.enrolled + answerDays * dayMillis;
  const opening = at?.openings.find((o) => o.version === version);
  if (set === "N" || !opening) {
    return own;
  }
  return m.enrolled > opening.opened ? Math.max(opening.deadline, own) : opening.deadline;
}

/** passes are the passes of versions, with their names. */
export function passes(o: Owner, versions: readonly number[]): Promise<{ version: number; credential: Credential; name: Name }[]> {
  return Promise.all(versions.map(async (version) => {
    const credential = await pass(o, version);
    return { version, credential, name: nameOf(credential) };
  }));
}
