// The site's desk: its tables, and what can be done with them. Pages show it;
// nothing here knows how.
//
// What comes in a letter is a claim. It changes a table by itself only where
// that can do no harm: a notice of withdrawal stands until a person has seen it.

import { base64, equal, hex, random, unbase64, type Bytes, type Name } from "../device/bytes";
import { Kind as ActKind, type Act } from "../device/act";
import { decodeEnrol, decodeEntry, encodeEnrol, encodeEntry, readEntryText } from "../device/body";
import { sum } from "../device/hash";
import { boxOf, fromOf, newCode } from "../device/card";
import { tidy } from "../device/crockford";
import { inboxBox, openFromInbox, sealToCard, type Card as Invitation, type FromSite, type Signed } from "../device/mail";
import * as node from "./node";
import { Safe } from "./safe";
import {
  commitReason, commitTable, countersignBody, envelope, Kind, removeBody, type Line, type Signer, type Statement,
} from "./sign";

/** Where this computer works. */
export interface Place { ledger: Name; trial: Name; study: string; site: Name; siteName: string; contact: string }

/** A card given to one subject by the investigator who will sign. Leaf is there once they are enrolled. */
export interface Card {
  code: string; box: string; subject: string; investigator: Name; version: number; day: number; made: number;
  state: "given" | "asked" | "enrolled" | "refused" | "left"; leaf?: Name; entry?: string;
}

/** A request of a participant's device that waits for a person. */
export interface Request { id: number; box: string; time: number; body: string }
/** A visit that a participant's device has prepared; code is what they say at the desk. */
export interface Prepared { box: string; code: string; time: number; body: string }
/** A notice that somebody leaves. It stays red until seen is set. */
export interface Notice { box: string; time: number; seen?: number; by?: Name }
/** A receipt that a participant showed: they consented to a version in an epoch. */
export interface Shown { box: string; version: number; epoch: number; time: number; signed?: number }
/** A commitment that is on the ledger, with what opens it: the first `total` lines of the table. */
export interface Posted { epoch: number; total: number; salt: string; commitment: Name; body: string; entry: string }
/** A removal, with what opens its reason. */
export interface Removal { box: string; leaf: Name; leaving: 2 | 3; reason: string; salt: string; commitment: Name; statements: Statement[]; body: string; entry: string }
/** A visit that this computer recorded. Code is what was said at the desk, where something was. */
export interface Recorded { slot: string; day: number; subject: string; account: Name; entry: string; time: number; code?: string }

export interface Tables {
  place?: Place; after: number; clock: number; next: number;
  cards: Card[]; requests: Request[]; visits: Prepared[]; notices: Notice[]; receipts: Shown[];
  lines: Line[]; posted: Posted[]; removals: Removal[]; recorded: Recorded[];
  attempts: Record<string, number>; // refusals in a block, by what was refused
  actors: Record<Name, Name>;       // who the people of this computer are in the directory, by public key
}

export const empty = (): Tables => ({
  after: 0, clock: 0, next: 1, cards: [], requests: [], visits: [], notices: [], receipts: [], lines: [], posted: [], removals: [], recorded: [], attempts: {}, actors: {},
});

const dayMillis = 24 * 60 * 60 * 1000;
/** A notice that nobody has seen for so long is told to ethics. */
export const alarmAfter = dayMillis;

/** A visit that was found under what was typed or scanned. */
export interface Found { act: Act; account: Name; body: Bytes; card?: Card; visit: node.Visit }

const codeLetters = 6; // of a visit, as it is said at the desk

/** DeskError says what is wrong with what was asked, in a word that the page has a text for. */
export class DeskError extends Error {
  override name = "DeskError";
  constructor(readonly code: DeskFault, readonly detail = "") { super(detail ? `${code}: ${detail}` : code); }
}
export type DeskFault =
  | "place" | "unknown" | "subject" | "taken" | "body" | "ledger" | "trial" | "site" | "person" | "kind" | "version" | "noVersion" | "day" | "kiosk" | "slot"
  | "code" | "recorded" | "left" | "second" | "notEnrolled" | "nothing" | "reason";

export class Desk {
  constructor(readonly safe: Safe<Tables>) {}

  get tables(): Tables { return this.safe.tables; }
  get place(): Place {
    const p = this.tables.place;
    if (!p) throw new DeskError("place");
    return p;
  }

  /** Who has unlocked this computer, as the directory names them. */
  async me(): Promise<Name> {
    const key = this.safe.holder.key;
    const known = this.tables.actors[key] ?? (await node.actors()).find((a) => a.key === key)?.actor;
    if (!known) throw new DeskError("unknown");
    this.tables.actors[key] = known;
    return known;
  }

  card(box: string): Card | undefined { return this.tables.cards.find((c) => c.box === box); }
  cardOf(subject: string): Card | undefined { return this.tables.cards.findLast((c) => c.subject === subject); }
  get enrolled(): Card[] { return this.tables.cards.filter((c) => c.state === "enrolled"); }

  // The mailbox -------------------------------------------------------------

  /** Fetches what has come, and keeps it before it says so. */
  async fetch(): Promise<number> {
    const box = await inboxBox(this.safe.inbox.publicKey);
    let came = 0;
    for (;;) {
      const { now, letters } = await node.mail(box, this.tables.after);
      this.tables.clock = now;
      for (const l of letters) {
        const words = await openFromInbox(this.safe.inbox, l.body).catch(() => undefined);
        if (words && await this.written(words) && this.take(words, l.time)) came++;
        this.tables.after = l.sequence;
      }
      if (letters.length > 0) await this.safe.save();
      if (letters.length < 100) return came;
    }
  }

  /** Who has not the card cannot withdraw in its name, or say that they consented. */
  private async written(r: Signed): Promise<boolean> {
    const card = this.cardFor(r);
    return card !== undefined && r.from === await fromOf(card.code);
  }

  private cardFor(r: Signed): Card | undefined { return r.type === "enrol" ? this.card(r.box) : this.cardOf(r.subject); }

  /** Puts a letter on its table. What names no card of ours is nobody's. */
  private take(r: Signed, time: number): boolean {
    const card = this.cardFor(r);
    if (!card || r.subject !== card.subject) return false;
    const t = this.tables, box = card.box;
    switch (r.type) {
      case "enrol":
        if (card.state === "enrolled" || card.state === "left") return false;
        t.requests = t.requests.filter((x) => x.box !== box).concat({ id: t.next++, box, time, body: r.body });
        card.state = "asked";
        return true;
      case "visit":
        if (r.code.length !== codeLetters) return false;
        t.visits = t.visits.filter((x) => x.box !== box).concat({ box, code: tidy(r.code), time, body: r.body });
        return true;
      case "withdrawn":
        if (t.notices.some((n) => n.box === box)) return false;
        t.notices.push({ box, time });
        return true;
      case "receipt":
        if (t.receipts.some((x) => x.box === box && x.version === r.version)) return false;
        t.receipts.push({ box, version: r.version, epoch: r.epoch, time });
        return true;
    }
  }

  /** Tells a participant something. A full mailbox stops nothing: what it says is on the ledger too. */
  private async tell(card: Card, words: Invitation | FromSite): Promise<boolean> {
    try {
      await node.post(card.box, await sealToCard(card.code, words));
      return true;
    } catch {
      return false;
    }
  }

  /** Notes that a person has seen a notice, and tells the one who left. */
  async acknowledge(n: Notice): Promise<void> {
    n.seen = this.tables.clock || Date.now();
    n.by = this.safe.holder.key;
    await this.safe.save();
    const card = this.card(n.box);
    if (card) await this.tell(card, { type: "acknowledged", what: "withdrawn" });
  }

  // Cards -------------------------------------------------------------------

  /** The version that somebody new is asked under: the newest that is open here and in force. */
  async version(now: number): Promise<node.Version> {
    const here = (await node.sites(this.place.trial)).find((s) => s.site === this.place.site);
    for (const o of [...(here?.openings ?? [])].sort((a, b) => b.version - a.version)) {
      const v = await node.version(this.place.trial, o.version);
      if (Date.parse(v.effective + "T00:00:00Z") <= now) return v;
    }
    throw new DeskError("noVersion");
  }

  async newCard(subject: string): Promise<Card> {
    const study = subject.trim();
    if (!/^[\p{L}\p{N}][\p{L}\p{N}._/-]{0,31}$/u.test(study)) throw new DeskError("subject");
    if (this.tables.cards.some((c) => c.subject === study && c.state !== "left" && c.state !== "refused")) throw new DeskError("taken");
    const now = await node.clock(), v = await this.version(now), code = newCode();
    const card: Card = { code, box: await boxOf(code), subject: study, investigator: await this.me(), version: v.version, day: Math.floor(now / dayMillis), made: now, state: "given" };
    await node.post(card.box, await sealToCard(code, this.invitation(card)));
    this.tables.cards.push(card);
    await this.safe.save();
    return card;
  }

  private invitation(c: Card): Invitation {
    const p = this.place;
    return {
      type: "card", ledger: p.ledger, trial: p.trial, site: p.site, siteName: p.siteName, investigator: c.investigator,
      version: c.version, day: c.day, study: p.study, contact: p.contact, inbox: base64(this.safe.inbox.publicKey), code: c.subject,
    };
  }

  /** Writes cards that nobody has used again, when another version is open: nobody is enrolled under an outdated one. */
  async renew(): Promise<void> {
    const waiting = this.tables.cards.filter((c) => c.state === "given" || c.state === "refused");
    if (!this.tables.place || waiting.length === 0) return;
    const now = await node.clock(), v = await this.version(now);
    for (const c of waiting.filter((x) => x.version !== v.version)) {
      const fresh = { ...c, day: Math.floor(now / dayMillis), version: v.version };
      if (await this.tell(fresh, this.invitation(fresh))) Object.assign(c, fresh);
    }
    await this.safe.save();
  }

  // Enrolment ---------------------------------------------------------------

  /** What a request asks to have signed. It is compared byte for byte with what this card was for. */
  async readRequest(r: Request): Promise<{ act: Act; leaf: Name; card: Card }> {
    const card = this.card(r.box);
    if (!card || card.state === "enrolled" || card.state === "left") throw new DeskError("nothing"); // one card, one leaf
    const body = read(() => unbase64(r.body, "body"), "body"), asked = read(() => decodeEnrol(body), "body");
    const { act } = asked.proven;
    this.of(act, ActKind.enrol);
    if (act.person !== card.investigator || act.person !== await this.me()) throw new DeskError("person");
    if (act.version !== card.version) throw new DeskError("version", `${act.version}`);
    if (asked.kiosk) throw new DeskError("kiosk");
    if (!equal(encodeEnrol(asked.proven, asked.leaf, false), body)) throw new DeskError("body");
    return { act, leaf: asked.leaf, card };
  }

  /** Refuses an act of another kind, ledger, trial or site than this desk's. */
  private of(act: Act, ...kinds: number[]): void {
    const p = this.place;
    if (!kinds.includes(act.kind)) throw new DeskError("kind");
    if (act.ledger !== p.ledger) throw new DeskError("ledger");
    if (act.trial !== p.trial) throw new DeskError("trial");
    if (act.site !== p.site) throw new DeskError("site");
  }

  /** Signs an enrolment whose person was identified, and tells them. */
  async enrol(r: Request): Promise<node.Outcome> {
    const { leaf, card } = await this.readRequest(r);
    const outcome = await this.send(Kind.enrol, unbase64(r.body, "body"));
    if (outcome.code === 0) {
      Object.assign(card, { state: "enrolled", leaf, entry: outcome.name });
      this.drop(r);
      await this.safe.save();
      await this.tell(card, { type: "enrolled", transaction: outcome.hash });
    }
    return outcome;
  }

  /** Says no to a request; the card can be used again. */
  async refuse(r: Request, reason: string): Promise<void> {
    if (!reason.trim()) throw new DeskError("reason");
    const card = this.card(r.box);
    this.drop(r);
    if (card) card.state = "refused";
    await this.safe.save();
    if (card) await this.tell(card, { type: "refused", reason: reason.trim().slice(0, 500) });
  }

  private drop(r: Request): void { this.tables.requests = this.tables.requests.filter((x) => x.id !== r.id); }

  // The idempotency key is made of the body and of how often the rules refused
  // it: who does not know whether a transaction arrived sends it again, and it
  // is still one.
  private async send(kind: Kind, body: Bytes, cosigners: Signer[] = []): Promise<node.Outcome> {
    const { ledger, trial } = this.place, own = this.safe.inbox.publicKey;
    const name = hex((await sum("site", own, body)).slice(0, 16)), n = this.tables.attempts[name] ?? 0;
    const unique = (await sum("site", own, body, n)).slice(0, 16);
    const outcome = await node.send(await envelope({ ledger, kind, stream: trial, now: await node.clock(), body, unique }, this.safe.signer, cosigners));
    if (outcome.code !== 0) {
      this.tables.attempts[name] = n + 1;
      await this.safe.save();
    }
    return outcome;
  }

  // What opens a commitment is kept before the ledger can hold it. A record
  // without an entry was sent, and nothing is known of it: it is sent again as
  // it stands, until it is in a block or refused.
  private async promise<T extends { body: string; entry: string }>(list: T[], make: () => Promise<T>, kind: Kind, cosigners: Signer[] = []): Promise<node.Outcome> {
    let record = list.find((x) => x.entry === "");
    if (!record) {
      list.push(record = await make());
      await this.safe.save();
    }
    try {
      const outcome = await this.send(kind, unbase64(record.body, "body"), cosigners);
      if (outcome.code === 0) record.entry = outcome.name;
      else list.splice(list.indexOf(record), 1);
      await this.safe.save();
      return outcome;
    } catch (e) {
      if (e instanceof node.NodeError && !e.passing && e.code !== 0) {
        list.splice(list.indexOf(record), 1);
        await this.safe.save();
      }
      throw e;
    }
  }

  // Visits ------------------------------------------------------------------

  /** Finds the visit under what was typed or scanned: six characters, or the text of a QR code. */
  async visit(typed: string): Promise<Found> {
    const { body, card } = this.entry(typed);
    const { act, account } = read(() => {
      const proven = decodeEntry(body);
      if (!equal(encodeEntry(proven), body)) throw new DeskError("body");
      return proven;
    }, "body");
    this.of(act, ActKind.visit, ActKind.dose, ActKind.attest);
    const v = await this.version(await node.clock());
    const visit = v.protocol.visits?.find((x) => x.id === act.slot);
    if (!visit) throw new DeskError("slot", act.slot);
    if (card && this.tables.notices.some((n) => n.box === card.box)) throw new DeskError("left");
    if (this.tables.recorded.some((r) => r.account === account)) throw new DeskError("recorded");
    return { act, account, body, card, visit };
  }

  private entry(typed: string): { body: Bytes; card?: Card } {
    if (typed.trim().startsWith("TRIALITH1:")) {
      const body = read(() => readEntryText(typed), "code");
      const known = this.tables.visits.find((x) => x.body === base64(body));
      return { body, card: known && this.card(known.box) };
    }
    const code = tidy(typed);
    const found = this.tables.visits.filter((x) => x.code === code);
    // Said again, a code that was used is a STOP, and nothing to wait for.
    if (found.length === 0 && this.tables.recorded.some((r) => r.code === code)) throw new DeskError("recorded");
    if (code.length !== codeLetters || found.length !== 1) throw new DeskError("code");
    return { body: read(() => unbase64(found[0]!.body, "body"), "body"), card: this.card(found[0]!.box) };
  }

  /** Signs and sends an entry. */
  async record({ act, account, body, card }: Found): Promise<node.Outcome> {
    const outcome = await this.send(Kind.entry, body);
    if (outcome.code === 0) {
      const code = this.tables.visits.find((x) => x.body === base64(body))?.code;
      this.tables.visits = this.tables.visits.filter((x) => x.body !== base64(body));
      this.tables.recorded.push({
        slot: act.slot, day: act.day, subject: card?.subject ?? "", account, entry: outcome.name, time: Date.parse(outcome.time), ...(code && { code }),
      });
      await this.safe.save();
      if (card) await this.tell(card, { type: "visited", slot: act.slot, transaction: outcome.hash });
    }
    return outcome;
  }

  // Countersigning ----------------------------------------------------------

  /** Receipts whose form is not in the table yet. */
  get unsigned(): Shown[] { return this.tables.receipts.filter((r) => r.signed === undefined && this.card(r.box)?.leaf); }

  /** Notes that participant and investigator have both signed a form, and that the receipt was seen. */
  async countersign(r: Shown, form: string, day: number): Promise<void> {
    const card = this.card(r.box);
    if (!card?.leaf) throw new DeskError("notEnrolled");
    r.signed = this.tables.lines.length;
    this.tables.lines.push({ leaf: card.leaf, version: r.version, form, day });
    await this.safe.save();
    await this.tell(card, { type: "countersigned", version: r.version });
  }

  /** Lines that no commitment on the ledger covers. */
  get uncommitted(): number { return this.tables.lines.length - (this.tables.posted.at(-1)?.total ?? 0); }

  private async epoch(): Promise<{ epoch: number; now: number }> {
    const [now, a] = await Promise.all([node.clock(), node.about()]);
    return { epoch: Math.floor((now - Date.parse(a.genesis_time)) / (1000 * a.epoch_seconds)), now };
  }

  /** Whether the ledger takes a commitment now: one an epoch, also where nothing was added, so that it tells not even that. */
  async mayCommit(): Promise<boolean> {
    const last = this.tables.posted.at(-1);
    return this.tables.lines.length > 0 && (!last || last.entry === "" || last.epoch < (await this.epoch()).epoch);
  }

  /** Puts one commitment to the whole table on the ledger, for this epoch. */
  commit(): Promise<node.Outcome> {
    return this.promise(this.tables.posted, async () => {
      const { epoch, now } = await this.epoch();
      const total = this.tables.lines.length, salt = random(32), commitment = await commitTable(salt, this.tables.lines);
      const body = countersignBody(this.place.site, epoch, commitment, total, Math.floor(now / dayMillis));
      return { epoch, total, salt: hex(salt), commitment, body: base64(body), entry: "" };
    }, Kind.countersign);
  }

  /** The table with what opens its commitments, for an audit. It is not sealed: it names leaves, no person. */
  opened(): string {
    const { place, lines, posted } = this.tables;
    return JSON.stringify({ format: "trialith-countersign/1", trial: place?.trial, site: place?.site, lines, commitments: posted.map(({ body: _, ...p }) => p) }, null, 1);
  }

  // Leaving -----------------------------------------------------------------

  /** What a removal has to state: each unsettled version, and whether its receipt was seen here. */
  async unsettled(card: Card): Promise<Statement[]> {
    if (!card.leaf) throw new DeskError("notEnrolled");
    const l = await node.leaf(this.place.trial, card.leaf);
    return l.unsettled.map((version) => ({ version, used: this.tables.receipts.some((r) => r.box === card.box && r.version === version) }));
  }

  /** Takes somebody out by the site's word, which two people sign. */
  async remove(card: Card, leaving: 2 | 3, statements: Statement[], reason: string, second: Signer): Promise<node.Outcome> {
    const leaf = card.leaf;
    if (!leaf) throw new DeskError("notEnrolled");
    if (!reason.trim()) throw new DeskError("reason");
    if (second.publicName === this.safe.signer.publicName) throw new DeskError("second");
    const text = `${isoDay(Math.floor((await node.clock()) / dayMillis))} ${reason.trim()}`;
    const outcome = await this.promise(this.tables.removals, async () => {
      const salt = random(32), commitment = await commitReason(salt, text);
      const body = removeBody(leaf, leaving, statements, commitment);
      return { box: card.box, leaf, leaving, reason: text, salt: hex(salt), commitment, statements, body: base64(body), entry: "" };
    }, Kind.remove, [second]);
    if (outcome.code === 0) {
      const gone = this.card(this.tables.removals.at(-1)!.box);
      if (gone) gone.state = "left";
      await this.safe.save();
    }
    return outcome;
  }

  /** A removal that was sent, and of which nothing is known. */
  get unsure(): Removal | undefined { return this.tables.removals.find((r) => r.entry === ""); }
}

export function isoDay(day: number): string {
  return new Date(day * dayMillis).toISOString().slice(0, 10);
}

/** What a stranger's bytes are read by: whatever is wrong with them is one fault. */
function read<T>(f: () => T, fault: DeskFault): T {
  try {
    return f();
  } catch (e) {
    throw new DeskError(fault, e instanceof Error ? e.message : "");
  }
}

