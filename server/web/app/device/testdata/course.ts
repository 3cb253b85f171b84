// A participant's device as a page drives it, with the test's own prover.

import { base64, random } from "../bytes";
import { Node } from "../api";
import { type Consenting } from "../consenting";
import { type Prepared, type Prover, type Witness } from "../credential";
import { Device } from "../device";
import { type Choice } from "../form";
import { encodeMaster } from "../recovery";
import { type Status } from "../status";
import { Store } from "../store";
import { type Visiting } from "../visit";
import { Prover as PageProver } from "../../../../../circuits/browser/src/prover";
import { path } from "../../../../../circuits/browser/src/tree";

class TestProver implements Prover {
  async prepare(w: Witness): Promise<Prepared> {
    return {
      finish: async (message) => {
        const words = {
          secret: String(w.secret), trapdoor: String(w.trapdoor), context: String(w.context), message: String(message), attributes: w.attributes,
          path: w.path.map((level) => level.map(String)),
        };
        const r = await fetch("/test/prove", { method: "POST", body: JSON.stringify(words) });
        if (!r.ok) {
          throw new Error(await r.text());
        }
        return new Uint8Array(await r.arrayBuffer());
      },
      discard: () => undefined,
    };
  }

  async path(leaves: Uint8Array, place: number): Promise<{ path: bigint[][]; root: bigint }> {
    return path(leaves, place);
  }
}

let prover: Prover = new TestProver();
const node = new Node();
let store: Store;
let device: Device;
let prepared: Consenting;

// own takes the prover of the pages.
export const own = async (): Promise<string> => {
  const p = await PageProver.open({ workers: 1, verifyingKey: (await node.ledger()).verifyingKey });
  prover = p;
  return p.kind;
};

// begin takes a database of a name: another name is another device.
export const begin = async (database: string): Promise<void> => {
  document.cookie = "trace=left-behind; path=/"; // nothing of it may go along
  store = await Store.open(database);
};
export const reopen = async (): Promise<number> => {
  const all = await Device.all(node, store);
  device = all[0]!;
  return all.length;
};
export const invite = async (code: string) => {
  device = await Device.invite(node, store, code);
  return memory();
};
export const restore = async (sheet: string, code: string) => {
  device = await Device.restore(node, store, sheet, code);
  return memory();
};
export const memory = () => device.participation;
export const leaf = (): Promise<string> => device.leaf();
export const ask = async () => base64((await device.ask(prover)).body);
export const status = async () => plain(await device.status());
export const sync = async (proving: boolean) => {
  const { status: s, report } = await device.sync(proving ? prover : undefined);
  return {
    status: plain(s), accepted: report.accepted.map((a) => a.act.kind), waiting: report.waiting.map((o) => ({ kind: o.kind, state: o.state, refusal: o.refusal })),
    faults: report.faults.map((f) => f.message), held: report.held,
  };
};
export const prepare = async (version: number): Promise<string[]> => {
  prepared = await device.consent(version, prover);
  return prepared.registration.forms.map((f) => f.id);
};
export const prepareOptions = async (version: number): Promise<void> => {
  prepared = await device.options(version, prover);
};
export const agree = async (choice: Choice, direct: boolean) => {
  const { id: _, ...o } = await prepared.agree(choice, direct);
  return o;
};
// held is what is prepared.
export const held = (): Consenting => prepared;
export const pages = (): Promise<Device[]> => Device.all(node, store);
export const present = (): Device => device;
export const proving = (): Prover => prover;
export const outgoing = () => store.outgoing();
export const lose = async (): Promise<void> => {
  for (const o of await store.outgoing()) {
    await store.dropOutgoing(o.id);
  }
};
export const ways = () => node.ways();
export const leave = async () => {
  const { told, outgoing: o } = await device.leave(prover);
  return { told, versions: o.map((x) => x.version) };
};
export const sendDirectly = async (ids: string[]) => (await device.sendDirectly(ids)).map((o) => o.kind);
export const visit = (v: Visiting) => device.visit(v, prover);
export const sheet = async (): Promise<string> => (await device.sheet()).text;
export const studies = async (): Promise<number> => (await store.studies()).length;

function plain(s: Status) {
  return {
    enrolled: s.enrolled, left: s.left, open: s.open.map((a) => a.version), consents: s.consents, floor: s.floor, current: s.current,
    due: s.open.map((a) => a.due), answers: s.answers.map((a) => `${a.version}${a.set}${a.kind && ":" + a.kind + a.sequence}${a.settled ? "!" : ""}`),
    epoch: s.epoch, now: s.now,
  };
}

export const strangeSheet = (): Promise<string[]> => encodeMaster(random(32));
