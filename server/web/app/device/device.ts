// One person's device in one study: it turns what they decide into acts with
// proofs, and tells from public lists how they stand. Neither the secrets nor
// what would let anyone compute an account ever leave it.

import { emptyAct, Kind, tree, type Act } from "./act";
import { type Member, type Node, type Registration } from "./api";
import { encodeActBody, encodeEnrol, entryText } from "./body";
import { base64, hex, random, unbase64, unhex, zeroName, type Name } from "./bytes";
import { Consenting, supersede } from "./consenting";
import { enrolled, nameOf, type Credential, type Prover } from "./credential";
import { DeviceError } from "./error";
import { commitChoice, formSet } from "./form";
import { dayOf, ground, lists, type Lists } from "./lists";
import { type ToSite } from "./mail";
import { join, ownerOf, siteOf, type Entry, type Given, type Participation } from "./participation";
import { prove } from "./proving";
import { flush, type Accepted, type Outgoing, type Report } from "./queue";
import { decodeMaster, encodeMaster } from "./recovery";
import { heed, invitation, letters, post } from "./site";
import { passes, status, type Answer, type Status } from "./status";
import { type Store } from "./store";
import { makeEntry, type Shown, type Visiting } from "./visit";

/** enrolments is how many enrolments of one master secret a restore looks for. */
export const enrolments = 16;

/** Device is one person's in one study. */
export class Device {
  private constructor(readonly node: Node, readonly store: Store, private p: Participation) {}

  /** all are the studies on this device. */
  static async all(node: Node, store: Store): Promise<Device[]> {
    return (await store.studies()).map((p) => new Device(node, store, p));
  }

  /** invite opens an invitation by its card's code and keeps it, with a fresh secret. The same card again is the same study. */
  static async invite(node: Node, store: Store, text: string, signal?: AbortSignal): Promise<Device> {
    const { code, box, card, used } = await invitation(node, text, signal);
    const known = (await store.studies()).find((p) => p.card === code && p.trial === card.trial);
    if (known) {
      return new Device(node, store, known);
    }
    if (used) {
      throw new DeviceError("used", "this card was used before; take the recovery sheet of who used it, or ask the site for a new card");
    }
    const p = join(card, code, box);
    await store.keep(p);
    store.persist();
    return new Device(node, store, p);
  }

  /** restore takes a participation up again from a recovery sheet and a card of the study, an old one or a new one. */
  static async restore(node: Node, store: Store, sheet: string, text: string, signal?: AbortSignal): Promise<Device> {
    const master = hex(await decodeMaster(sheet));
    const { code, box, card } = await invitation(node, text, signal);
    const found = await search(await node.members(card.trial, signal), { ...join(card, code, box), master });
    const known = (await store.studies()).find((p) => p.master === master && p.trial === found.trial && p.enrolment === found.enrolment);
    const p = known ? { ...known, ...siteOf(card), card: code, box, site: found.site } : found;
    await store.keep(p);
    store.persist();
    const d = new Device(node, store, p);
    await d.remember(await d.status(signal));
    return d;
  }

  /** participation is what this device remembers. */
  get participation(): Readonly<Participation> {
    return this.p;
  }

  /** leaf is this enrolment's public leaf. */
  async leaf(): Promise<Name> {
    return nameOf(await this.own());
  }

  /** status tells from the public lists alone how the person stands. */
  async status(signal?: AbortSignal): Promise<Status> {
    return this.standing(await lists(this.node, this.p.trial, signal));
  }

  /**
   * sync reads the site's letters, sends what waits, and notes what the ledger
   * has. With a prover it makes anew what was proven against a list that is no more.
   */
  sync(prover?: Prover, signal?: AbortSignal): Promise<{ status: Status; report: Report }> {
    return this.store.alone(this.p.id, () => this.synced(prover, signal), signal);
  }

  private async synced(prover?: Prover, signal?: AbortSignal): Promise<{ status: Status; report: Report }> {
    await this.change(() => undefined); // another page may have changed it
    await this.hear(signal);
    const report = await flush(this.node, this.store, this.p, prover && ((o) => this.remake(o, prover, signal)), signal);
    if (report.relayed && !this.p.relayed) {
      await this.change((p) => {
        p.relayed = true;
      });
    }
    for (const a of report.accepted) {
      await this.note(a);
    }
    const l = await lists(this.node, this.p.trial, signal);
    const now = await this.standing(l);
    await this.remember(now);
    if (prover && this.p.withdraws) {
      await this.withdrawals(now, prover, signal); // also under what opened since the decision
    } else if (prover) {
      await this.mend(l, now, prover, signal);
    }
    await this.tell(signal).catch(offline); // told next time
    return { status: now, report };
  }

  /** ask asks the site to enrol this device's leaf: what the investigator signs, with the proof that the device holds its secret. */
  async ask(prover: Prover, signal?: AbortSignal): Promise<{ leaf: Name; body: Uint8Array }> {
    const made = await this.enrolRequest(prover, signal);
    await this.post({ type: "enrol", box: this.p.box, subject: this.p.subject, body: base64(made.body) }, signal);
    await this.change((p) => {
      p.enrolled = "asked";
      p.reason = "";
    });
    return made;
  }

  /** enrolRequest makes the body of the enrolment, for today by the ledger's clock. */
  async enrolRequest(prover: Prover, signal?: AbortSignal): Promise<{ leaf: Name; body: Uint8Array }> {
    const own = await this.own();
    const a: Act = {
      ...this.act(Kind.enrol), version: this.p.version, site: this.p.site, person: this.p.investigator, day: dayOf(await this.node.now(signal)),
    };
    const proven = await prove(prover, own, a, undefined, signal);
    return { leaf: nameOf(own), body: encodeEnrol(proven, nameOf(own), false) };
  }

  /** consent prepares the consent to a version: all of the proof that needs no decision. It fails with notEnrolled until the leaf is on the list. */
  async consent(version: number, prover: Prover, signal?: AbortSignal): Promise<Consenting> {
    const l = await lists(this.node, this.p.trial, signal);
    const s = await this.standing(l);
    const owed = s.answers.find((a) => a.version === version && a.set !== "");
    if (!owed) {
      throw new DeviceError("notEnrolled", `version ${version}: this device's leaf owes it no answer; the site enrols it first`);
    }
    if (owed.kind !== "") {
      throw new DeviceError("input", `version ${version}: answered before`);
    }
    const superseded = s.answers.filter((a) => a.kind === "" && a.set !== "" && !a.settled && a.successors.includes(version));
    return Consenting.open(this, l, owed, superseded, await this.registration(version, signal), prover, signal);
  }

  /** options prepares a change of the options of a consent given. */
  async options(version: number, prover: Prover, signal?: AbortSignal): Promise<Consenting> {
    const l = await lists(this.node, this.p.trial, signal);
    const given = (await this.standing(l)).answers.find((a) => a.version === version && a.set !== "");
    if (!given || (given.kind !== "consent" && given.kind !== "options")) {
      throw new DeviceError("input", `version ${version}: not consented to; options belong to a consent`);
    }
    return Consenting.open(this, l, given, [], await this.registration(version, signal), prover, signal);
  }

  /**
   * leave tells the site at once and puts a withdrawal on the way for each
   * version that is not settled: silence under one would count as missing. No
   * reason is asked. Told: the site's inbox has the notice.
   */
  async leave(prover: Prover, signal?: AbortSignal): Promise<{ told: boolean; outgoing: Outgoing[] }> {
    await this.change((p) => {
      p.leaving = true;
      p.withdraws = true;
    });
    await this.tell(signal).catch(offline); // waits for no other page
    return this.store.alone(this.p.id, () => this.leaving(prover, signal), signal);
  }

  private async leaving(prover: Prover, signal?: AbortSignal): Promise<{ told: boolean; outgoing: Outgoing[] }> {
    const mine = (await this.store.outgoing()).filter((o) => o.study === this.p.id);
    for (const o of mine.filter((x) => x.kind !== Kind.withdraw && x.sent.length === 0)) {
      await this.store.dropOutgoing(o.id); // decided before, and never sent
    }
    return { told: this.p.told, outgoing: await this.withdrawals(await this.status(signal), prover, signal) };
  }

  private async withdrawals(s: Status, prover: Prover, signal?: AbortSignal): Promise<Outgoing[]> {
    const waits = (await this.store.outgoing()).filter((o) => o.study === this.p.id && o.kind === Kind.withdraw);
    const made: Outgoing[] = [];
    for (const a of s.answers) {
      if (!a.settled && a.kind !== "withdraw" && !waits.some((o) => o.version === a.version)) {
        made.push(await this.withdrawal(a, prover, signal));
      }
    }
    return made;
  }

  /**
   * sendDirectly has acts go to the node itself, which then sees where they come
   * from and when. Only the person chooses that, never this device. Each keeps the
   * epoch before which it is not to go. Sync sends them.
   */
  sendDirectly(ids: readonly string[], signal?: AbortSignal): Promise<Outgoing[]> {
    return this.store.alone(this.p.id, async () => {
      const chosen = (await this.store.outgoing()).filter((o) => o.study === this.p.id && ids.includes(o.id) && o.state !== "refused");
      for (const o of chosen) {
        o.direct = true;
        o.state = o.state === "sent" ? "waiting" : o.state; // a batcher that has it is not waited for
        await this.store.keepOutgoing(o);
      }
      return chosen;
    }, signal);
  }

  /** visit proves a current consent for a visit or dose of today, keeps the proof, and sends it to the site. */
  async visit(v: Visiting, prover: Prover, signal?: AbortSignal): Promise<Shown> {
    const made = await this.entry(v, prover, signal);
    await this.change((p) => {
      p.entries = [...p.entries.filter((e) => e.slot !== v.slot || e.rep !== v.rep), made];
    });
    const letter: ToSite = { type: "visit", subject: this.p.subject, code: made.code, body: made.body };
    const sent = await this.post(letter, signal).then(() => true, offline);
    return { code: made.code, text: entryText(unbase64(made.body, "entry")), sent };
  }

  /** entry makes the proof for a visit, and keeps and sends nothing. */
  async entry(v: Visiting, prover: Prover, signal?: AbortSignal): Promise<Entry> {
    const l = await lists(this.node, this.p.trial, signal);
    return makeEntry(this, l, await this.standing(l), v, prover, signal);
  }

  /** sheet is the recovery sheet: groups to read and type, and the same as one text for a scanner. */
  async sheet(): Promise<{ groups: string[]; text: string }> {
    const groups = await encodeMaster(ownerOf(this.p).master);
    await this.change((p) => {
      p.printed = true;
    });
    return { groups, text: groups.join("-") };
  }

  /** forget takes the study off this device. Whoever has no recovery sheet cannot take it up again. */
  forget(): Promise<void> {
    return this.store.forget(this.p.id);
  }

  /** put writes acts on the queue. They are sent by sync. */
  async put(...acts: readonly Outgoing[]): Promise<void> {
    for (const o of acts) {
      await this.store.keepOutgoing(o);
    }
  }

  /** outgoing is an act for the queue, of its kind and still without a body. */
  outgoing(kind: Kind, a: Answer, made: number, more: Partial<Outgoing>): Outgoing {
    return {
      id: hex(random(16)), study: this.p.id, ledger: this.p.ledger, trial: this.p.trial, kind, version: a.version, successor: 0, sequence: 0,
      account: a.account, body: "", made, after: 0, direct: false, steady: false, sent: [], state: "waiting", refusal: "", ...more,
    };
  }

  /** act is an act of a kind of this study. */
  act(kind: Kind): Act {
    return emptyAct(this.p.ledger, this.p.trial, kind);
  }

  /** own is the credential of this enrolment's leaf. */
  own(): Promise<Credential> {
    return enrolled(ownerOf(this.p));
  }

  /** pass is the pass that a consent to a version carries. */
  async pass(version: number): Promise<Name> {
    return (await passes(ownerOf(this.p), [version]))[0]!.name;
  }

  private standing(l: Lists): Promise<Status> {
    return status(l, ownerOf(this.p), this.p.site);
  }

  // registration is a version whose digest is that of the very forms that are shown.
  private async registration(version: number, signal?: AbortSignal): Promise<Registration> {
    const r = await this.node.version(this.p.trial, version, signal);
    if ((await formSet(r.forms)) !== r.formSet) {
      throw new DeviceError("answer", `version ${version}: its forms are not those that its digest names`);
    }
    return r;
  }

  private async withdrawal(a: Answer, prover: Prover, signal?: AbortSignal): Promise<Outgoing> {
    const o = this.outgoing(Kind.withdraw, a, await this.node.now(signal), {});
    const made = await this.withdrawn(o, a.kind === "" ? 0 : a.sequence + 1, prover, signal);
    await this.put(made);
    return made;
  }

  private async withdrawn(o: Outgoing, sequence: number, prover: Prover, signal?: AbortSignal): Promise<Outgoing> {
    const own = await this.own();
    const proven = await prove(prover, own, { ...this.act(Kind.withdraw), version: o.version, sequence }, undefined, signal);
    return { ...o, sequence, body: base64(encodeActBody(proven, nameOf(own))) };
  }

  // remake makes an act anew: against the list as it is now, with the next sequence.
  private async remake(o: Outgoing, prover: Prover, signal?: AbortSignal): Promise<Outgoing> {
    const l = await lists(this.node, this.p.trial, signal);
    const a = (await this.standing(l)).answers.find((x) => x.version === o.version);
    if (o.kind === Kind.withdraw) {
      return this.withdrawn(o, !a || a.kind === "" ? 0 : a.sequence + 1, prover, signal);
    }
    const own = await this.own();
    const name = o.kind === Kind.superseded ? tree.both(o.version, o.successor) : tree.owing(o.version, a?.set === "E" ? "E" : "N");
    const act = await this.actOf(o, o.kind === Kind.options && a ? a.sequence + 1 : 0, signal);
    // What was proven as of an epoch's end and refused for it is proven against the list of now.
    const on = o.steady && o.state === "stale" ? { leaves: await this.node.leaves(this.p.trial, name, signal), steady: false } : ground(l, name, nameOf(own));
    const proven = await prove(prover, own, act, on.leaves, signal);
    return { ...o, steady: on.steady, sequence: act.sequence, body: base64(encodeActBody(proven, zeroName)) };
  }

  private async actOf(o: Outgoing, sequence: number, signal?: AbortSignal): Promise<Act> {
    const a = { ...this.act(o.kind), version: o.version, sequence };
    if (o.kind === Kind.superseded) {
      return { ...a, successor: o.successor };
    }
    const { formSet: forms } = await this.registration(o.version, signal);
    const options = await commitChoice(o.choice!, unhex(o.salt!, 32, "salt"));
    return { ...a, formSet: forms, options, pass: o.kind === Kind.consent ? await this.pass(o.version) : zeroName };
  }

  private async hear(signal?: AbortSignal): Promise<void> {
    for await (const { sequence, words } of letters(this.node, this.p.card, this.p.box, this.p.read, signal)) {
      await this.change((p) => {
        p.read = Math.max(p.read, sequence);
        if (words) {
          heed(p, words);
        }
      });
    }
  }

  // note keeps what the ledger accepted, and only then lets the act go.
  private async note({ act: o, epoch, time }: Accepted): Promise<void> {
    await this.change((p) => {
      const known = p.given.find((g) => g.version === o.version);
      const of = { ...(o.choice && { choice: o.choice }), ...(o.salt && { salt: o.salt }), sequence: o.sequence };
      if (o.kind === Kind.consent && !known) {
        p.given.push({ version: o.version, epoch, day: dayOf(time), ...of, receipted: false, countersigned: false });
      } else if (known && (o.kind === Kind.options || o.kind === Kind.consent)) {
        Object.assign(known, of, o.kind === Kind.options && { changed: dayOf(time) });
      }
    });
    await this.store.dropOutgoing(o.id);
  }

  // remember notes what the lists say that this device did not know.
  private async remember(s: Status): Promise<void> {
    await this.change((p) => {
      if (s.member) {
        Object.assign(p, { enrolled: "yes", version: s.member.version, site: s.member.site });
      }
      p.leaving ||= s.left;
      p.told ||= s.left;
      for (const version of s.consents) {
        if (!p.given.some((g) => g.version === version)) {
          p.given.push({ version, epoch: 0, day: 0, receipted: true, countersigned: false });
        }
      }
      for (const a of s.answers) {
        // Another device changed the options since: what this one knows of them is out of date.
        p.given.filter((g) => g.version === a.version && a.kind === "options" && a.sequence > (g.sequence ?? 0)).forEach(outdate);
      }
      p.given.sort((a, b) => a.version - b.version);
    });
  }

  // mend gives up again what a later consent stands for, where the act that says so
  // was lost: silence there would count as missing.
  private async mend(l: Lists, s: Status, prover: Prover, signal?: AbortSignal): Promise<void> {
    const waits = (await this.store.outgoing()).filter((o) => o.study === this.p.id);
    for (const a of s.answers) {
      const successor = a.successors.find((w) => s.consents.includes(w));
      if (a.kind === "" && !a.settled && !s.left && successor !== undefined && !waits.some((o) => o.version === a.version)) {
        await this.put(await supersede(this, l, a, successor, prover, signal));
      }
    }
  }

  // tell sends the site what it must hear of: a leaving, and receipts.
  private async tell(signal?: AbortSignal): Promise<void> {
    if (this.p.leaving && !this.p.told) {
      await this.post({ type: "withdrawn", subject: this.p.subject }, signal);
      await this.change((p) => {
        p.told = true;
      });
    }
    for (const g of this.p.given.filter((x) => !x.receipted)) {
      await this.post({ type: "receipt", subject: this.p.subject, version: g.version, epoch: g.epoch }, signal);
      await this.change((p) => {
        p.given.filter((x) => x.version === g.version).forEach((x) => (x.receipted = true));
      });
    }
  }

  private post(letter: ToSite, signal?: AbortSignal): Promise<void> {
    return post(this.node, this.p, letter, signal);
  }

  private async change(by: (p: Participation) => void): Promise<void> {
    this.p = await this.store.change(this.p.id, by);
  }
}

// search looks for the enrolment whose leaf is on the list: the newest that has not left, else the newest.
async function search(members: readonly Member[], p: Participation): Promise<Participation> {
  let found: Participation | undefined;
  for (let enrolment = enrolments; enrolment > 0; enrolment--) {
    const leaf = nameOf(await enrolled(ownerOf({ ...p, enrolment })));
    const member = members.find((m) => m.leaf === leaf);
    if (member && (member.active || !found)) {
      found = { ...p, enrolment, version: member.version, site: member.site, enrolled: "yes", printed: true };
    }
    if (member?.active) {
      break;
    }
  }
  if (!found) {
    throw new DeviceError("notEnrolled", "the sheet is right, but nobody with it is in this study");
  }
  return found;
}

function outdate(g: Given): void {
  delete g.choice;
  delete g.salt;
  delete g.changed;
}

function offline(e: unknown): false {
  if (!(e instanceof DeviceError) || e.code !== "offline") {
    throw e;
  }
  return false;
}
