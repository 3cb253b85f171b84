// A node's answers as a device takes them.

import { Node, placeOf } from "../api";
import { DeviceError, RefusedError } from "../error";

const node = new Node("/fake");
const trial = "ab".repeat(32);

const said = async (ask: Promise<unknown>): Promise<string> => {
  try {
    return JSON.stringify(await ask);
  } catch (e) {
    if (e instanceof RefusedError) {
      return `refused ${e.status} ${e.refusal}: ${e.message} (${e.remedy})`;
    }
    return e instanceof DeviceError ? `${e.code}: ${e.message}` : String(e);
  }
};

export const ledger = () => said(node.ledger());
export const members = () => said(node.members(trial));
export const latest = () => said(node.latest(trial));
export const act = () => said(node.act(new Uint8Array(3)));
export const outcome = () => said(node.outcome("00"));
export const leaves = () => said(node.leaves(trial, "N-1").then((n) => ({ length: n.bytes.length, height: n.height, place: placeOf(n, "02".repeat(32)) })));
export const cancelled = () => {
  const stop = new AbortController();
  const answer = said(node.now(stop.signal));
  stop.abort();
  return answer;
};
export const late = () => said(node.now(AbortSignal.abort(new DOMException("over", "AbortError"))));
