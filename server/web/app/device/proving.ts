// From an act to what is sent: the witness against the tree that the kind is
// proven with, the proof without its message, and the message last.

import { encode } from "../../../../circuits/browser/src/field";
import { context, message, rules, type Act } from "./act";
import { type Proven } from "./body";
import { hex, zeroName, type Name } from "./bytes";
import { nameOf, ownWitness, witness, type Credential, type Prepared, type Prover, type Witness } from "./credential";
import { placeOf, type Names } from "./api";
import { DeviceError } from "./error";

/** Unbound is a proof that lacks its message: all of it is done but the act. */
export class Unbound {
  private constructor(private readonly prepared: Prepared, private readonly w: Witness, private readonly own: boolean) {}

  /** open prepares a proof of membership in a list of leaves, or in the tree of one's own leaf where there is none. */
  static async open(prover: Prover, c: Credential, a: Act, leaves?: Names, signal?: AbortSignal): Promise<Unbound> {
    const w = leaves ? witness(c, await wayTo(prover, c, a, leaves), await context(a)) : ownWitness(c, await context(a));
    return new Unbound(await prover.prepare(w, signal), w, leaves === undefined);
  }

  /** account that the act will be under. */
  get account(): Name {
    return hex(encode(this.w.account));
  }

  /** bind finishes the proof for an act of the context that it was opened for. It can be done once. */
  async bind(a: Act): Promise<Proven> {
    if ((await context(a)) !== this.w.context) {
      throw new Error(`${rules[a.kind].name}: another context than the proof was prepared for`);
    }
    const proof = await this.prepared.finish(await message(a));
    return { act: a, root: this.own ? zeroName : hex(encode(this.w.root)), account: this.account, proof };
  }

  /** discard lets go of what was prepared. */
  discard(): void {
    this.prepared.discard();
  }
}

async function wayTo(prover: Prover, c: Credential, a: Act, leaves: Names): Promise<{ path: bigint[][]; root: bigint }> {
  const place = placeOf(leaves, nameOf(c));
  if (place < 0) {
    throw new DeviceError("notEnrolled", `${rules[a.kind].name}: this device's leaf is not on the list`);
  }
  return prover.path(leaves.bytes, place);
}

/** prove does all of it at once. */
export async function prove(prover: Prover, c: Credential, a: Act, leaves?: Names, signal?: AbortSignal): Promise<Proven> {
  return (await Unbound.open(prover, c, a, leaves, signal)).bind(a);
}

