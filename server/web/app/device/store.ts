// What stays on the device, in IndexedDB. Every record is sealed with AES-GCM
// under a key that no script can read out and that never leaves this browser.
// Records are named by random ids: not even a study's name lies there plainly.

import { random, utf8, type Bytes } from "./bytes";
import { DeviceError } from "./error";
import { subtle } from "./hash";
import { type Participation } from "./participation";
import { type Outgoing } from "./queue";

const tables = ["studies", "outgoing", "drafts"] as const;
type Table = (typeof tables)[number];

interface Sealed {
  iv: Bytes;
  data: Bytes;
}

/** Store is the device's memory. Two pages of one browser share it. */
export class Store {
  private constructor(private readonly db: IDBDatabase, private readonly key: CryptoKey, private readonly name: string) {}

  /** open opens the memory, and makes it where there is none. */
  static async open(name = "trialith"): Promise<Store> {
    subtle(); // says why where there is no cryptography
    const db = await opened(name);
    return new Store(db, await sealingKey(db, name), name);
  }

  /** persist asks the browser to keep the data when it runs short of room. Some ask the person, so nobody waits for the answer. */
  persist(): void {
    navigator.storage?.persist?.().catch(() => false);
  }

  /** close lets go of the database. */
  close(): void {
    this.db.close();
  }

  /** studies are the participations on this device. */
  studies(): Promise<Participation[]> {
    return this.all<Participation>("studies");
  }

  /** study is one participation. */
  async study(id: string): Promise<Participation> {
    const p = await this.get<Participation>("studies", id);
    if (!p) {
      throw new DeviceError("storage", "this study is not on this device any more; use the recovery sheet");
    }
    return p;
  }

  /** keep writes a participation. */
  keep(p: Participation): Promise<void> {
    return this.put("studies", p.id, p);
  }

  /** change reads a participation, changes it and writes it, while no other page of this browser does. */
  change(id: string, by: (p: Participation) => void): Promise<Participation> {
    return locked(this.name, async () => {
      const p = await this.study(id);
      by(p);
      await this.keep(p);
      return p;
    });
  }

  /** alone does work on a study while no other page of this browser does such work on it. */
  alone<T>(id: string, work: () => Promise<T>, signal?: AbortSignal): Promise<T> {
    return locked(`${this.name}/${id}`, work, signal);
  }

  /** forget takes a study off this device with all that belongs to it. */
  async forget(id: string): Promise<void> {
    for (const o of await this.outgoing()) {
      if (o.study === id) {
        await this.drop("outgoing", o.id);
      }
    }
    await this.drop("drafts", id);
    await this.drop("studies", id);
  }

  /** draft is where a person had got to in a study's form; undefined: nothing was kept. */
  draft<T>(study: string): Promise<T | undefined> {
    return this.get<T>("drafts", study);
  }

  /** keepDraft keeps where a person has got to. */
  keepDraft(study: string, draft: unknown): Promise<void> {
    return this.put("drafts", study, draft);
  }

  /** dropDraft forgets it. */
  dropDraft(study: string): Promise<void> {
    return this.drop("drafts", study);
  }

  /** outgoing are the acts that wait to be sent, or to be seen on the ledger, the oldest first. */
  async outgoing(): Promise<Outgoing[]> {
    return (await this.all<Outgoing>("outgoing")).sort((a, b) => a.made - b.made || a.version - b.version);
  }

  /** keepOutgoing writes an act before it is sent, and what became of it. */
  keepOutgoing(o: Outgoing): Promise<void> {
    return this.put("outgoing", o.id, o);
  }

  /** dropOutgoing takes an act out. */
  dropOutgoing(id: string): Promise<void> {
    return this.drop("outgoing", id);
  }

  private async put(table: Table, id: string, value: unknown): Promise<void> {
    const sealed = await this.seal(table, id, value);
    await done(attempt(() => this.db.transaction(table, "readwrite", { durability: "strict" }).objectStore(table).put(sealed, id)));
  }

  private async get<T>(table: Table, id: string): Promise<T | undefined> {
    const sealed = await done<Sealed | undefined>(this.db.transaction(table).objectStore(table).get(id));
    return sealed && this.open<T>(table, id, sealed);
  }

  private async all<T>(table: Table): Promise<T[]> {
    const records = this.db.transaction(table).objectStore(table);
    const [ids, sealed] = await Promise.all([done(records.getAllKeys()), done<Sealed[]>(records.getAll())]);
    return Promise.all(sealed.map((s, i) => this.open<T>(table, String(ids[i]), s)));
  }

  private drop(table: Table, id: string): Promise<void> {
    return done(this.db.transaction(table, "readwrite").objectStore(table).delete(id));
  }

  private async seal(table: Table, id: string, value: unknown): Promise<Sealed> {
    const iv = random(12);
    const data = await subtle().encrypt({ name: "AES-GCM", iv, additionalData: utf8(`${table}/${id}`) }, this.key, utf8(JSON.stringify(value)));
    return { iv, data: new Uint8Array(data) };
  }

  private async open<T>(table: Table, id: string, s: Sealed): Promise<T> {
    try {
      const plain = await subtle().decrypt({ name: "AES-GCM", iv: s.iv, additionalData: utf8(`${table}/${id}`) }, this.key, s.data);
      return JSON.parse(new TextDecoder().decode(plain)) as T;
    } catch (e) {
      throw new DeviceError("storage", "what is kept on this device does not open any more; use the recovery sheet", { cause: e });
    }
  }
}

async function opened(name: string): Promise<IDBDatabase> {
  if (!("indexedDB" in globalThis)) {
    throw new DeviceError("storage", "this browser keeps no data for pages; leave private browsing, or use another browser");
  }
  const request = attempt(() => indexedDB.open(name, 1));
  request.onupgradeneeded = () => {
    for (const t of [...tables, "keys"]) {
      request.result.createObjectStore(t);
    }
  };
  return done(request);
}

// sealingKey makes the key once. It is not extractable: IndexedDB holds it as
// something that can be used and not read.
function sealingKey(db: IDBDatabase, name: string): Promise<CryptoKey> {
  return locked(name, async () => {
    const known = await done<CryptoKey | undefined>(db.transaction("keys").objectStore("keys").get("seal"));
    if (known) {
      return known;
    }
    const key = await subtle().generateKey({ name: "AES-GCM", length: 256 }, false, ["encrypt", "decrypt"]);
    const keys = db.transaction("keys", "readwrite", { durability: "strict" }).objectStore("keys");
    await done(attempt(() => keys.add(key, "seal"))); // some browsers keep no keys in private windows
    return key;
  });
}

async function locked<T>(name: string, work: () => Promise<T>, signal?: AbortSignal): Promise<T> {
  return (await navigator.locks.request(name, signal ? { signal } : {}, work)) as T;
}

const unkept = "this browser did not keep the data; make room, or leave private browsing";

// attempt makes a request. A browser that will not even take it says so by throwing.
function attempt<T>(make: () => T): T {
  try {
    return make();
  } catch (e) {
    throw new DeviceError("storage", unkept, { cause: e });
  }
}

// done waits for a request and, where it writes, for its transaction: what is not on the disk was not kept.
function done<T>(request: IDBRequest<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    const fail = (e: unknown): void => reject(new DeviceError("storage", unkept, { cause: e }));
    request.onerror = () => fail(request.error);
    const t = request instanceof IDBOpenDBRequest ? null : request.transaction;
    if (t?.mode === "readwrite") {
      t.oncomplete = () => resolve(request.result);
      t.onabort = () => fail(t.error);
    } else {
      request.onsuccess = () => resolve(request.result);
    }
  });
}
