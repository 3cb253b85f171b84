/**
 * Parts of the key that were expanded before, in the browser's own database, under
 * the pinned hash of their compressed file.
 *
 * A record is a compressed file and the y of its points. Neither is believed: the
 * file is hashed again and compared with the pin like a fresh download, and each
 * y must satisfy the curve's equation and the file's sign, which leaves one value.
 * So whoever can write here (any script of the same origin, which the prover does
 * not defend against otherwise) gets no other point into the key. Nothing secret is
 * ever stored. A browser that refuses the database only costs the time again.
 */
import { type Pinned, check } from "./files";

const DATABASE = "trialith-prover";
const STORE = "parts";

export interface Expanded {
  readonly file: Uint8Array<ArrayBuffer>;
  readonly y: Uint32Array<ArrayBuffer>;
}

/** The record of a file, if there is one and its compressed bytes are the pinned ones. */
export async function recall(file: Pinned): Promise<Expanded | undefined> {
  try {
    const found: unknown = await transact("readonly", (store) => store.get(file.sha256));
    if (!isExpanded(found)) return undefined;
    await check(file, found.file);
    return found;
  } catch {
    return undefined;
  }
}

/** Keeps a record, as far as the browser lets us. */
export async function remember(file: Pinned, e: Expanded): Promise<void> {
  await transact("readwrite", (store) => store.put(e, file.sha256)).catch(() => undefined);
}

/** Removes the records of files that are no longer pinned. */
export async function forgetOthers(files: readonly Pinned[]): Promise<void> {
  const keep = new Set(files.map((f) => f.sha256));
  try {
    const keys = await transact("readonly", (store) => store.getAllKeys());
    for (const key of keys) if (typeof key !== "string" || !keep.has(key)) await transact("readwrite", (store) => store.delete(key));
  } catch {
    // Old records cost room and nothing else.
  }
}

function isExpanded(x: unknown): x is Expanded {
  const e = x as Partial<Expanded> | undefined;
  return e?.file instanceof Uint8Array && e.y instanceof Uint32Array;
}

async function transact<T>(mode: IDBTransactionMode, act: (store: IDBObjectStore) => IDBRequest<T>): Promise<T> {
  const db = await open();
  try {
    return await settled(act(db.transaction(STORE, mode).objectStore(STORE)));
  } finally {
    db.close();
  }
}

function open(): Promise<IDBDatabase> {
  const request = indexedDB.open(DATABASE, 1);
  request.onupgradeneeded = () => request.result.createObjectStore(STORE);
  return settled(request);
}

function settled<T>(request: IDBRequest<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error ?? new Error("the browser's database failed"));
  });
}
