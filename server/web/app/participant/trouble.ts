// What goes wrong on the device, in the terms in which the pages tell it.

import { KeylessError, ProverError } from "../../../../circuits/browser/src/prover";
import { DeviceError } from "../device/error";
import { SheetError } from "../device/recovery";
import { AgentError, type Trouble } from "./agent";

const troubles: Record<DeviceError["code"], Trouble> = {
  insecure: "unsupported", offline: "offline", refused: "refused", answer: "internal", used: "used", card: "card", sheet: "sheet", notEnrolled: "slow",
  noCurrentConsent: "current", slot: "shown", input: "internal", storage: "storage",
};

/** Work whose errors are told in the pages' terms. */
export async function translated<T>(work: () => Promise<T>, other: Partial<Record<DeviceError["code"], Trouble>> = {}): Promise<T> {
  try {
    return await work();
  } catch (e) {
    throw trouble(e, other);
  }
}

function trouble(e: unknown, other: Partial<Record<DeviceError["code"], Trouble>>): unknown {
  if (e instanceof SheetError) return new AgentError("sheet", e.message, e.group);
  if (e instanceof DeviceError) return new AgentError(other[e.code] ?? troubles[e.code], e.message);
  if (e instanceof ProverError && e.code === "download" && /status 4\d\d/.test(e.message)) return new AgentError("old", e.message);
  if (e instanceof KeylessError) return new AgentError("keyless", e.message);
  if (e instanceof ProverError) return new AgentError(fromProver[e.code], e.message);
  if (e instanceof DOMException && e.name === "AbortError") return new AgentError("cancelled");
  return e;
}

const fromProver: Record<ProverError["code"], Trouble> = {
  unsupported: "unsupported", download: "offline", changed: "changed", witness: "internal", cancelled: "cancelled", internal: "internal",
};

