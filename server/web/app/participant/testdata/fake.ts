// A device without secrets, prover or ledger, for tests of the pages alone. What
// it answers is set by the test through the address: ?fake=waiting,relayed

import { AgentError, type Agent, type Card, type Choice, type Member, type Saved, type Status, type Tell } from "../agent";
import { start } from "../start";

const flags = () => (sessionStorage.getItem("fake") ?? "").split(",");
const has = (flag: string) => flags().includes(flag);
const noted = new URLSearchParams(location.search).get("fake");
if (noted !== null) sessionStorage.setItem("fake", noted);

const trial = document.querySelector<HTMLAnchorElement>("noscript a")?.pathname.split("/")[2] ?? "";

function kept<T>(name: string): T | undefined {
  return JSON.parse(sessionStorage.getItem(name) ?? "null") ?? undefined;
}

function keep(name: string, value: unknown): void {
  sessionStorage.setItem(name, JSON.stringify(value));
}

const card: Card = {
  code: "K7QM-2RTX-9PWD", ledger: "00".repeat(32), trial: sessionStorage.getItem("trial") ?? trial, site: "11".repeat(32), siteName: "North Clinic", investigator: "22".repeat(32),
  version: 1, study: "A patch for memory loss: is it safe, and does it help?", contact: "Dr Ada Moore, telephone 555 0100, room 12", subject: "07-0012",
};

const chosen = (): Choice => kept("choice") ?? { form: "icf-en", language: "en", taken: ["results"] };

const receipt = (version: number) => ({ version, epoch: 412, day: "2012-07-09" });

async function work(stages: Parameters<Tell>[0][], tell: Tell, signal: AbortSignal): Promise<void> {
  for (const stage of stages) {
    tell(stage, 0);
    await new Promise((r) => setTimeout(r, has("slow") ? 800 : 20));
    if (signal.aborted) throw new AgentError("cancelled");
    if (has("fail-" + stage)) throw new AgentError("unsupported");
    tell(stage, 1);
  }
}

class FakeMember implements Member {
  readonly card = card;
  async status(): Promise<Status> {
    const given = kept<number[]>("given") ?? [];
    return {
      invited: has("refused") ? "refused" : "yes", reason: "Come by first.", given: given.map((v) => ({ ...receipt(v), countersigned: v === 1, changed: kept("choice") ? "2012-10-01" : "", ...((!has("restored") || kept("choice") !== undefined) && { choice: chosen() }) })),
      open: has("amended") && given.length === 1 ? [{ version: 2, deadline: "2012-11-13T00:00:00Z" }] : [],
      ...(has("changing") && { changing: chosen() }),
      sent: has("sent") ? [given.length + 1] : [], waiting: (has("held") && !kept("direct")) || has("unsent") || has("sent") || has("changing") ? 1 : 0, left: kept<"left">("left") ?? "", told: !has("untold"), heard: false, refusal: "", ...(has("held") && !kept("direct") && { held: "the relay answered 502" }), now: "2012-10-14T10:00:00Z",
    };
  }
  async saved(): Promise<Saved | undefined> { return kept("saved"); }
  async save(s: Saved): Promise<void> { keep("saved", s); }
  ready(_: number, tell: Tell, signal: AbortSignal): Promise<void> { return work(["ready", "invited"], tell, signal); }
  async agree(version: number, _read: unknown, _choice: unknown, _today: boolean, tell: Tell, signal: AbortSignal) {
    await work(["ready", "invited", "prove", "send", "seen"], tell, signal);
    keep("given", [...(kept<number[]>("given") ?? []), version]);
    return receipt(version);
  }
  async change(_: number, _read: unknown, choice: Choice, tell: Tell, signal: AbortSignal) {
    await work(["ready", "prove", "send", "seen"], tell, signal);
    keep("choice", choice);
  }
  async leave(tell: Tell, signal: AbortSignal) {
    await work(["ready", "prove", "send", "seen"], tell, signal);
    keep("left", "left");
    return { told: !has("untold"), recorded: true };
  }
  async sendDirectly(tell: Tell, signal: AbortSignal) {
    await work(["send", "seen"], tell, signal);
    keep("direct", true);
  }
  async visit(slot: string, _dose: boolean, rep: number, tell: Tell, signal: AbortSignal) {
    await work(["ready", "prove", "send"], tell, signal);
    return { code: "7KQ2MX", text: "TRIALITH1:" + btoa(slot + rep + "x".repeat(420)).replaceAll("=", "") };
  }
  async tend() { return false; }
  async sheet() {
    const groups = ["7KQ2M", "X9PWD", "4RTX2", "K7QM2", "RTX9P", "WD7KQ", "2MX9P", "WD4RT", "X2K7Q", "M2RTX", "9PWD7"];
    return { groups, text: groups.join("") };
  }
}

const agent: Agent = {
  unable: () => has("insecure") ? "insecure" : "",
  members: async () => has("none") ? [] : [new FakeMember()],
  open: async (code) => {
    if (code.replaceAll("-", "").toUpperCase() === "AAAAAAAAAAAA") throw new AgentError("code");
    if (code.replaceAll("-", "").toUpperCase() !== "K7QM2RTX9PWD") throw new AgentError("card");
    return new FakeMember();
  },
  restore: async (sheet) => {
    if (sheet.length < 55) throw new AgentError("sheet", "", 3);
    return new FakeMember();
  },
  way: async () => ({ relayed: has("relayed"), least: 10, epochSeconds: 3600 }),
};

if (trial) sessionStorage.setItem("trial", trial);
start(agent);
