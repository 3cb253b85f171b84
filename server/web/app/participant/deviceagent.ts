// The pages' device: what it shows of itself is agent.ts; its secrets, lists and
// letters are in ../device.

import { Node } from "../device/api";
import { parseCode } from "../device/card";
import { Device } from "../device/device";
import { DeviceError } from "../device/error";
import { Store } from "../device/store";
import { AgentError, type Agent, type Member, type Tell } from "./agent";
import { DeviceMember } from "./devicemember";
import { OwnProver } from "./proving";
import { translated } from "./trouble";

export class DeviceAgent implements Agent {
  private readonly node = new Node();
  private readonly prover = new OwnProver(async () => (await this.node.ledger()).verifyingKey);
  private readonly known = new Map<string, DeviceMember>();
  private store?: Promise<Store>;

  unable(): "" | "insecure" | "unsupported" {
    if (!isSecureContext || !globalThis.crypto?.subtle) return "insecure";
    return typeof WebAssembly === "object" && typeof Worker === "function" && "indexedDB" in globalThis && "locks" in navigator ? "" : "unsupported";
  }

  async members(): Promise<Member[]> {
    return translated(async () => (await Device.all(this.node, await this.memory())).sort(staying).map((d) => this.member(d)));
  }

  async open(code: string, signal: AbortSignal): Promise<Member> {
    return translated(async () => {
      typed(code);
      return this.member(await Device.invite(this.node, await this.memory(), code, signal));
    });
  }

  async restore(sheet: string, code: string, _: Tell, signal: AbortSignal): Promise<Member> {
    return translated(async () => {
      typed(code);
      return this.member(await Device.restore(this.node, await this.memory(), sheet, code, signal));
    }, { notEnrolled: "nothing" });
  }

  async way(): Promise<{ relayed: boolean; least: number; epochSeconds: number }> {
    const w = await this.node.ways().catch((e: unknown) => {
      if (e instanceof DeviceError) return { epochSeconds: 0, least: 0, batchers: [] };
      throw e;
    });
    return { relayed: w.batchers.some((b) => b.relays.length > 0), least: w.least, epochSeconds: w.epochSeconds };
  }

  private memory(): Promise<Store> {
    this.store ??= Store.open().catch((e: unknown) => {
      this.store = undefined;
      throw e;
    });
    return this.store;
  }

  // One for each study for as long as the page is open: it holds what is prepared.
  private member(d: Device): DeviceMember {
    const known = this.known.get(d.participation.id);
    if (known) return known;
    const made = new DeviceMember(d, this.prover);
    this.known.set(d.participation.id, made);
    return made;
  }
}

// Who left a study and was invited to it again has it twice: the one they are in comes last.
function staying(a: Device, b: Device): number {
  return Number(b.participation.leaving) - Number(a.participation.leaving);
}

// A code with a typing mistake is told apart from one that nobody wrote to.
function typed(code: string): void {
  try {
    parseCode(code);
  } catch {
    throw new AgentError("code");
  }
}
