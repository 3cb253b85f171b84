/**
 * What a proving key must be before a secret goes near it, pinned or not: its δ is
 * the verifying key's in both groups, the same multiple of both generators, and its
 * single points lie on their curves. ledgerkey.ts says what that is enough for.
 */
import { ProverError } from "./error";
import type { SingleName, SmallKey } from "./key";
import { type Kernel, PAIR, WIRE_WORDS } from "./kernel";
import type { Verifier } from "./pairing";
import { type Roots, below } from "./points";

/** Refuses a proving key with which a proof that passes the verifying key could tell more than its statement. */
export function refuseUntrusted(kernel: Kernel, roots: Roots, key: SmallKey, verifier: Verifier): void {
  const { delta, delta2 } = key.points;
  if (!same(delta, verifier.delta1) || !same(delta2, verifier.delta2)) throw untrusted("its δ is not the verifying key's");
  if (!verifier.deltasAgree()) throw untrusted("δ differs between the groups");
  for (const name of Object.keys(key.points) as SingleName[]) {
    if (!onCurve(kernel, roots, key.points[name])) throw untrusted(`its point ${name} is not on the curve`);
  }
}

function untrusted(why: string): ProverError {
  return new ProverError("changed", `the proving key does not belong to the verifying key: ${why}; nothing was proven. Load the page again, and tell the study if it happens again`);
}

const same = (a: Uint32Array, b: Uint32Array): boolean => a.length === b.length && a.every((x, i) => x === b[i]);

/** Whether a full point of either group is one of its curve, its coordinates below p. */
function onCurve(kernel: Kernel, roots: Roots, words: Uint32Array): boolean {
  for (let from = 0; from < words.length; from += WIRE_WORDS) if (!below(words, from)) return false;
  const mark = kernel.mark();
  // Each coordinate in both lanes: the roots look at two points at once.
  const c = Array.from({ length: words.length / WIRE_WORDS }, (_, i) => {
    const at = kernel.alloc(PAIR);
    for (let lane = 0; lane < 2; lane++) kernel.unpack(words, i * WIRE_WORDS, (at >> 2) + lane, 2);
    return at;
  });
  try {
    return c.length === 2 ? roots.onFirst(c[1]!, c[0]!) : roots.onSecond([c[2]!, c[3]!], [c[0]!, c[1]!]);
  } finally {
    kernel.release(mark);
  }
}
