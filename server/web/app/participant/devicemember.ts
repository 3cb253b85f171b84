// One study on this device, as the pages see it.

import { Kind } from "../device/act";
import { formatCode } from "../device/card";
import { type Consenting } from "../device/consenting";
import { type Device } from "../device/device";
import { DeviceError } from "../device/error";
import { formSet } from "../device/form";
import { type Outgoing } from "../device/queue";
import { AgentError, type Card, type Choice, type Given, type Member, type Receipt, type Saved, type Shown, type Status, type Tell } from "./agent";
import { type Form } from "./study";
import { pause, until, type OwnProver } from "./proving";
import { translated } from "./trouble";

// How soon the site's answer and the public list are looked for again, in
// milliseconds, at first and at last; and how often before an act is left to travel
// by itself.
const poll = 1000;
const slowest = 15_000;
const looks = 15;

export class DeviceMember implements Member {
  private readonly preparing = new Map<number, Promise<Consenting>>();
  private readonly told = new Set<Tell>();
  private stuck = ""; // what keeps an act from going, other than the connection
  private held: string[] = []; // ids of acts that get through no relay
  private why = ""; // and what kept them, when they were last tried

  constructor(private readonly device: Device, private readonly prover: OwnProver) {}

  get card(): Card {
    const p = this.device.participation;
    return {
      code: formatCode(p.card), ledger: p.ledger, trial: p.trial, site: p.site, siteName: p.siteName, investigator: p.investigator, version: p.version,
      study: p.study, contact: p.contact, subject: p.subject,
    };
  }

  async status(): Promise<Status> {
    const outgoing = await this.waiting();
    const s = await this.device.status().catch(unreached);
    const p = this.device.participation;
    const held = s !== undefined && outgoing.some((o) => !o.direct && this.held.includes(o.id));
    const sent = outgoing.filter((o) => o.kind === Kind.consent && o.state !== "refused").map((o) => o.version);
    return {
      invited: s?.enrolled ? "yes" : p.enrolled, reason: p.reason, given: p.given.map(givenOf),
      open: (s?.open ?? []).filter((a) => !sent.includes(a.version)).map((a) => ({ version: a.version, deadline: a.due ? new Date(a.due).toISOString() : "" })),
      sent, waiting: outgoing.filter((o) => o.state !== "refused" && o.kind !== Kind.superseded).length,
      changing: outgoing.find((o) => o.kind === Kind.options && o.state !== "refused")?.choice,
      ...(held && { held: this.why }), refusal: outgoing.find((o) => o.state === "refused")?.refusal ?? (held ? "" : this.stuck),
      left: s?.left ? "left" : p.leaving ? "going" : "", told: p.told, heard: p.heard, now: s ? new Date(s.now).toISOString() : "",
    };
  }

  saved(): Promise<Saved | undefined> {
    return this.device.store.draft<Saved>(this.device.participation.id);
  }

  save(s: Saved): Promise<void> {
    return this.device.store.keepDraft(this.device.participation.id, s);
  }

  // Who was refused asks again by agreeing, not by reading on.
  async ready(version: number, tell: Tell, signal: AbortSignal): Promise<void> {
    const { enrolled, reason } = this.device.participation;
    if (enrolled === "refused") throw new AgentError("refused", reason);
    await translated(() => this.prepared(version, tell, signal));
  }

  async agree(version: number, read: readonly Form[], choice: Choice, today: boolean, tell: Tell, signal: AbortSignal): Promise<Receipt | undefined> {
    return translated(async () => {
      const consenting = await this.prepared(version, tell, signal);
      if (signal.aborted) throw new AgentError("cancelled");
      await sameForms(read, consenting);
      tell("prove", 0);
      this.preparing.delete(version); // a proof is bound once
      const made = await consenting.agree(choice, today, signal);
      tell("prove", 1);
      // From here on it is on the disk, and goes whether this page stays or not.
      await this.deliver([made], tell);
      return this.device.participation.given.map(givenOf).find((g) => g.version === version);
    });
  }

  async change(version: number, read: readonly Form[], choice: Choice, tell: Tell, signal: AbortSignal): Promise<void> {
    return translated(async () => {
      await this.opened(tell, signal);
      tell("prove", 0);
      const consenting = await this.device.options(version, this.prover, signal);
      try {
        await sameForms(read, consenting);
        if (signal.aborted) throw new AgentError("cancelled");
      } catch (e) {
        consenting.discard();
        throw e;
      }
      const made = await consenting.agree(choice, false, signal);
      tell("prove", 1);
      await this.deliver([made], tell);
    });
  }

  async leave(tell: Tell, signal: AbortSignal): Promise<{ told: boolean; recorded: boolean }> {
    return translated(async () => {
      const unwatch = this.prover.watch((share) => tell("ready", share));
      tell("ready", 0);
      try {
        // The site is told even where the prover cannot be opened.
        const { outgoing } = await this.device.leave(this.prover, signal);
        tell("prove", 1);
        await this.deliver(outgoing, tell);
      } catch (e) {
        unreached(e); // the decision is kept, and tend goes on with it
      } finally {
        unwatch();
      }
      const s = await this.status();
      return { told: s.told, recorded: s.left === "left" };
    });
  }

  async sendDirectly(tell: Tell, signal: AbortSignal): Promise<void> {
    return translated(async () => {
      if (signal.aborted) throw new AgentError("cancelled");
      tell("send", 0);
      await this.deliver(await this.device.sendDirectly(this.held, signal), tell);
    });
  }

  async visit(slot: string, dose: boolean, rep: number, tell: Tell, signal: AbortSignal): Promise<Shown> {
    return translated(async () => {
      await this.opened(tell, signal);
      tell("prove", 0);
      const shown = await this.device.visit({ slot, rep, kind: dose ? "dose" : "visit" }, this.prover, signal);
      tell("send", 1);
      return { code: shown.sent ? shown.code : "", text: shown.text };
    });
  }

  /** The sheet's text for a scanner carries the card's code too, so that one scan fills both fields. */
  async sheet(): Promise<{ groups: string[]; text: string }> {
    const { groups, text } = await this.device.sheet();
    return { groups, text: `${text}#${this.card.code}` };
  }

  async tend(): Promise<boolean> {
    const before = await this.trace();
    const synced = await this.synced();
    // Who decided to leave without a connection leaves now.
    if (synced && this.device.participation.leaving && synced.status.enrolled && !synced.status.left) {
      await this.device.leave(this.prover);
      await this.device.sync(this.prover);
    }
    return before !== await this.trace();
  }

  private async synced(): Promise<Awaited<ReturnType<Device["sync"]>> | undefined> {
    const synced = await this.device.sync(this.prover).catch(unreached);
    if (synced) {
      const { faults, held } = synced.report;
      this.stuck = faults.find((f) => f.code !== "offline")?.message ?? "";
      this.why = faults.map((f) => f.message).join("; ");
      this.held = held;
    }
    return synced;
  }

  // What tending may have changed, as a text to compare.
  private async trace(): Promise<string> {
    const { given, enrolled, leaving, told, heard } = this.device.participation;
    return JSON.stringify([given, enrolled, leaving, told, heard, this.stuck, this.held, (await this.waiting()).map((o) => [o.id, o.state])]);
  }

  private async waiting(): Promise<Outgoing[]> {
    return (await this.device.store.outgoing()).filter((o) => o.study === this.device.participation.id);
  }

  // The preparation of a version, once for all who wait for it. Who stops waiting
  // does not stop it: agreeing may want it the next moment.
  private prepared(version: number, tell: Tell, signal: AbortSignal): Promise<Consenting> {
    this.told.add(tell);
    let work = this.preparing.get(version);
    if (!work) {
      work = translated(() => this.prepare(version));
      this.preparing.set(version, work);
      work.catch(() => this.preparing.delete(version));
    }
    return until(work, signal).finally(() => this.told.delete(tell));
  }

  private async prepare(version: number): Promise<Consenting> {
    const all: Tell = (stage, share) => this.told.forEach((t) => t(stage, share));
    const unwatch = this.prover.watch((share) => all("ready", share));
    all("ready", 0);
    try {
      await this.prover.open();
    } finally {
      unwatch();
    }
    all("ready", 1);
    all("invited", 0);
    await this.enrolled();
    const consenting = await this.device.consent(version, this.prover);
    all("invited", 1);
    return consenting;
  }

  // Asks the site to put this device's leaf on the list, and waits until it has.
  private async enrolled(): Promise<void> {
    for (let asked = false, wait = poll;; wait = Math.min(wait * 1.2, slowest)) {
      const { status } = await this.device.sync(this.prover);
      const p = this.device.participation;
      if (status.enrolled) return;
      if (!asked && p.enrolled !== "asked") {
        await this.device.ask(this.prover);
        asked = true;
      } else if (p.enrolled === "refused") {
        throw new AgentError("refused", p.reason);
      }
      await pause(wait);
    }
  }

  // Opens the prover, and tells how far that is.
  private async opened(tell: Tell, signal: AbortSignal): Promise<void> {
    const unwatch = this.prover.watch((share) => tell("ready", share));
    tell("ready", 0);
    try {
      await until(this.prover.open(), signal);
    } finally {
      unwatch();
    }
  }

  // Sends acts and looks for them. What does not show soon is left to travel: it
  // waits for others, or for a connection, and tend goes on with it.
  private async deliver(acts: Outgoing[], tell: Tell): Promise<void> {
    tell("send", 0);
    for (let look = 0; look < looks; look++) {
      const synced = await this.synced();
      const left = (await this.waiting()).filter((o) => acts.some((a) => a.id === o.id));
      const refused = left.find((o) => o.state === "refused");
      if (refused) throw new AgentError("refused", refused.refusal);
      if (left.length === 0) return tell("seen", 1);
      if (!synced || synced.report.faults.length > 0) return; // no connection
      if (left.every((o) => o.state === "sent")) tell("seen", 0);
      if (left.some((o) => o.sent.at(-1)?.batcher)) return; // mixed with others, later
      await pause(poll);
    }
  }
}

async function sameForms(read: readonly Form[], { registration }: Consenting): Promise<void> {
  if (await digest(read) !== registration.formSet) {
    throw new AgentError("changed", `version ${registration.version}: the forms on this page are not those that the study registered`);
  }
}

// The digest of forms as they stood on the page: what was read is what is agreed to.
async function digest(read: readonly Form[]): Promise<string> {
  try {
    return await formSet(read.map((f) => ({ ...f, questions: f.questions ?? [] })));
  } catch {
    return ""; // of no form that a study can register
  }
}

function givenOf(g: { version: number; epoch: number; day: number; choice?: Choice; changed?: number; countersigned: boolean }): Given {
  return { version: g.version, epoch: g.epoch, day: iso(g.day), changed: iso(g.changed), countersigned: g.countersigned, ...(g.choice && { choice: g.choice }) };
}

function iso(day = 0): string {
  return day ? new Date(day * 86_400_000).toISOString().slice(0, 10) : "";
}

// Without a connection the page tells what this device remembers.
function unreached(e: unknown): undefined {
  if (e instanceof DeviceError && e.code === "offline") return undefined;
  throw e;
}
