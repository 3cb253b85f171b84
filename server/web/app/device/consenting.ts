// A consent, or a change of its options, while a person reads and decides: all
// of the proof is done but the message, which is bound last.

import { Kind, tree, type Act } from "./act";
import { type Registration } from "./api";
import { encodeActBody } from "./body";
import { base64, equal, hex, random, zeroName } from "./bytes";
import { nameOf, type Prover } from "./credential";
import { type Device } from "./device";
import { DeviceError } from "./error";
import { commitChoice, type Choice } from "./form";
import { prove, Unbound } from "./proving";
import { type Outgoing } from "./queue";
import { ground, type Ground, type Lists } from "./lists";
import { type Answer } from "./status";

/** Consenting is a decision that is prepared. Agree, or discard it. */
export class Consenting {
  private constructor(
    private readonly device: Device, private readonly prover: Prover, private readonly l: Lists, private readonly owed: Answer,
    /** registration is the version with its forms, whose digest was checked. */
    readonly registration: Registration,
    private readonly act: Act, private readonly treeName: string, private proof: Unbound, private on: Ground,
    private readonly apart: Outgoing[],
  ) {}

  /** open prepares the proof for a version that is owed an answer, or whose options are to change; and what gives up earlier versions for it. */
  static async open(
    device: Device, l: Lists, owed: Answer, superseded: readonly Answer[], registration: Registration, prover: Prover, signal?: AbortSignal,
  ): Promise<Consenting> {
    const first = owed.kind === "";
    await decided(device, first ? Kind.consent : Kind.options, owed.version);
    const act: Act = {
      ...device.act(first ? Kind.consent : Kind.options), version: owed.version, formSet: registration.formSet,
      sequence: first ? 0 : owed.sequence + 1, pass: first ? await device.pass(owed.version) : zeroName,
    };
    const name = tree.owing(owed.version, owed.set === "E" ? "E" : "N");
    const on = ground(l, name, nameOf(await device.own()));
    const apart: Outgoing[] = [];
    for (const a of superseded) {
      apart.push(await supersede(device, l, a, owed.version, prover, signal));
    }
    const proof = await Unbound.open(prover, await device.own(), act, on.leaves, signal);
    return new Consenting(device, prover, l, owed, registration, act, name, proof, on, apart);
  }

  /**
   * agree binds the choice and puts the act on the queue, with what gives up
   * earlier versions for it: those go later, apart from it. Direct says that it
   * cannot wait to be mixed with others. Sync sends it. There is never a second
   * one beside it, from this page or another: its choice could differ.
   */
  async agree(choice: Choice, direct = false, signal?: AbortSignal): Promise<Outgoing> {
    const taken = this.ordered(choice);
    await this.renew(signal);
    // The salt is the device's alone and enters no vault: whoever had it could
    // try all choices, which are few.
    const salt = random(32);
    const proven = await this.proof.bind({ ...this.act, options: await commitChoice(taken, salt) });
    const o = this.device.outgoing(this.act.kind, this.owed, this.l.now, {
      sequence: this.act.sequence, body: base64(encodeActBody(proven, zeroName)), choice: taken, salt: hex(salt), direct,
      steady: this.on.steady,
    });
    await this.device.store.alone(`${o.study}/decide`, async () => {
      for (const refused of await decided(this.device, o.kind, o.version)) {
        await this.device.store.dropOutgoing(refused.id);
      }
      await this.device.put(o, ...this.apart);
    });
    return o;
  }

  /** discard lets go of what was prepared. */
  discard(): void {
    this.proof.discard();
  }

  // ordered is the choice with its options in the form's order, once each.
  private ordered(c: Choice): Choice {
    const form = this.registration.forms.find((f) => f.id === c.form && f.language === c.language);
    const strange = c.taken.find((id) => !form?.options.some((o) => o.id === id));
    if (!form || strange !== undefined) {
      throw new DeviceError("input", form ? `option ${strange}: not on the form` : `form ${c.form} (${c.language}): not of this version`);
    }
    return { form: c.form, language: c.language, taken: form.options.map((o) => o.id).filter((id) => c.taken.includes(id)) };
  }

  // renew proves anew against the list as it is now, where others came or left
  // meanwhile. Offline the old one stands: the root it had may still be accepted.
  private async renew(signal?: AbortSignal): Promise<void> {
    if (this.on.steady) {
      return; // who joins does not outdate it
    }
    const { node, participation } = this.device;
    const leaves = await node.leaves(participation.trial, this.treeName, signal).catch((e: unknown) => {
      if (e instanceof DeviceError && e.code === "offline") {
        return this.on.leaves;
      }
      throw e;
    });
    if (equal(leaves.bytes, this.on.leaves.bytes)) {
      return;
    }
    this.proof.discard();
    this.proof = await Unbound.open(this.prover, await this.device.own(), this.act, leaves, signal);
    this.on = { leaves, steady: false };
  }
}

// decided fails where such an act is on its way, and returns those that were refused.
async function decided(device: Device, kind: Kind, version: number): Promise<Outgoing[]> {
  const { id } = device.participation;
  const made = (await device.store.outgoing()).filter((o) => o.study === id && o.kind === kind && o.version === version);
  if (made.some((o) => o.state !== "refused")) {
    throw new DeviceError("input", `version ${version}: answered on this device, and on its way`);
  }
  return made;
}

/**
 * supersede gives up an earlier version for a later one. It goes in a later
 * epoch than the consent, so that the two accounts do not stand side by side.
 */
export async function supersede(device: Device, l: Lists, a: Answer, successor: number, prover: Prover, signal?: AbortSignal): Promise<Outgoing> {
  const own = await device.own();
  const { leaves } = ground(l, tree.both(a.version, successor), nameOf(own));
  const act: Act = { ...device.act(Kind.superseded), version: a.version, successor };
  const proven = await prove(prover, own, act, leaves, signal);
  return device.outgoing(Kind.superseded, a, l.now, { successor, body: base64(encodeActBody(proven, zeroName)), after: nextEpoch(l) });
}

// nextEpoch is a moment in the first half of the next epoch.
function nextEpoch(l: Lists): number {
  const epoch = 1000 * l.ledger.epochSeconds;
  const begins = l.ledger.genesis + epoch * (Math.floor((l.now - l.ledger.genesis) / epoch) + 1);
  const share = crypto.getRandomValues(new Uint32Array(1))[0]! / 2 ** 32;
  return begins + Math.floor((share * epoch) / 2);
}
