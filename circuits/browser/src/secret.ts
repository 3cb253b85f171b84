/**
 * What page and worker do with secrets that they hold in arrays. It stands alone,
 * so that a page's script does not carry the worker's code.
 */
import type { Point } from "./curve";
import type { Sums } from "./assemble";
import type { Scalars } from "./worker";

/** The sums are zeroed once they are copied: they are as secret as the witness. */
export function wipe(sums: Sums): void {
  for (const p of Object.values(sums) as Point[]) p?.fill(0);
}

/** The memory of scalars: it moves with them, so that no copy stays behind. */
export function buffers(s: Scalars): ArrayBuffer[] {
  return Object.values(s).map((x) => x.buffer);
}
